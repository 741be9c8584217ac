/** Arguments of global functions that are not memory: objects of the kernel, and dynptrs. */
import { demand } from "../../origins.ts";
import { holdsReference } from "../../references.ts";
import {
  FLAG,
  hasFlag,
  isConstant,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  referenceOf,
  smallConstant,
} from "../../register.ts";
import { requireUnmoved } from "../access.ts";
import { usedDynptr } from "../dynptr.ts";
import type { GlobalArgument } from "../global-functions.ts";
import { typesOf } from "../kernel-object.ts";
import type { Machine, Target } from "../machine.ts";
import { reject } from "../rejection.ts";
import { tnumText } from "../text.ts";

const OBJECTS: readonly number[] = [KIND.btf, KIND.btf | FLAG.trusted, KIND.btf | FLAG.rcu];

/** An object that the function may rely on: somebody holds it until the function returns. */
export function checkObject(
  m: Machine,
  { struct, mayBeNull: takesNull }: Extract<GlobalArgument, { kind: "object" }>,
  target: Target,
): void {
  const { at, number } = target;
  const kind = kindOf(at);
  if (takesNull && kind === KIND.scalar && isConstant(at) && smallConstant(at) === 0) {
    demand(m.marks, at);
    return;
  }
  const plain = takesNull ? kind & ~FLAG.orNull : kind;
  if (!OBJECTS.includes(plain)) {
    reject("EACCES", `R${number} type=${kindName(kind)} expected=${OBJECTS.map(kindName).join(", ")}`);
  }
  requireStruct(m, target, struct);
  // Linux takes what nobody vouches for as well, and trusts it in the function.
  if (hasFlag(kind, FLAG.trusted) || holdsReference(m.state, referenceOf(at))) return;
  reject("EINVAL", `R${number} must be referenced or trusted`);
}

function requireStruct(m: Machine, { at, number }: Target, wanted: number): void {
  const types = typesOf(m);
  const constant = smallConstant(at);
  if (constant === undefined) {
    return reject("EACCES", `variable ${kindName(kindOf(at))} access var_off=${tnumText(at)} disallowed`);
  }
  const struct = objectOf(at);
  if (types.holdsAt(struct, offOf(at) + constant, wanted)) return;
  const [is, expected] = [types.structName(struct), types.structName(wanted)];
  reject("EACCES", `R${number} is of type ${is} but ${expected} is expected`);
}

/** A dynptr that has been made. */
export function checkDynptr(m: Machine, target: Target): void {
  const { at, number } = target;
  const kind = kindOf(at);
  if (kind !== KIND.stack && kind !== KIND.dynptr) {
    reject("EINVAL", `arg#${number - 1} expected pointer to stack or const struct bpf_dynptr`);
  }
  if (kind === KIND.dynptr) requireUnmoved(target, kindName(kind));
  usedDynptr(m, target, undefined);
}
