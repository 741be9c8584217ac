/** Arguments of kernel functions that are objects of the kernel: how far they must be trusted, and of which type they are. */
import { Unsupported } from "../../../semantics/errors.ts";
import type { KfuncValue } from "../../../semantics/profile/profile.ts";
import {
  baseOf,
  FLAG,
  hasFlag,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  referenceOf,
  smallConstant,
} from "../../register.ts";
import { typesOf } from "../kernel-object.ts";
import type { Machine, Target } from "../machine.ts";
import { isOwnObject } from "../own-object.ts";
import { reject } from "../rejection.ts";
import { tnumText } from "../text.ts";
import { hasKfuncFlag, type KfuncCall, pointeeText, reliesOnArguments } from "./facts.ts";

/** What the kernel's types call what programs know under another kind. */
const STRUCTS: Readonly<Record<number, string>> = {
  [KIND.socket]: "sock",
  [KIND.sockCommon]: "sock_common",
  [KIND.tcpSock]: "tcp_sock",
  [KIND.map]: "bpf_map",
};

/** Whether a register holds an object that has a type of the kernel's. */
export const isObject = (kind: number): boolean =>
  baseOf(kind) === KIND.btf || STRUCTS[baseOf(kind)] !== undefined;

/** Flags that leave an object what it is. */
const SAFE = FLAG.trusted | FLAG.allocated | FLAG.nonOwning;
const unsafeFlags = (kind: number): number => kind & ~0xff & ~SAFE;

/** Whether the object is valid as long as the program runs, or its reference is held. */
export function isTrusted(at: number): boolean {
  const kind = kindOf(at);
  if (referenceOf(at) !== 0) return true;
  if (unsafeFlags(kind) !== 0) return false;
  return STRUCTS[baseOf(kind)] !== undefined || hasFlag(kind, SAFE);
}

/** Checks an argument that is an object of the kernel. */
export function checkObject(m: Machine, call: KfuncCall, value: KfuncValue, target: Target): void {
  const { at, number } = target;
  const kind = kindOf(at);
  if (isOwnObject(kind)) throw new Unsupported(`an object of the program's own for ${call.facts.name}`);
  const rcu = hasKfuncFlag(call, "rcu");
  if ((rcu || reliesOnArguments(call)) && !isTrusted(at)) {
    if (!rcu) reject("EINVAL", `R${number} must be referenced or trusted`);
    if (!hasFlag(kind, FLAG.rcu)) reject("EINVAL", `R${number} must be a rcu pointer`);
  }
  const offset = requirePlace(target, hasKfuncFlag(call, "release") && referenceOf(at) !== 0);
  if (unsafeFlags(kind) !== 0 && !hasFlag(kind, FLAG.rcu)) {
    const wanted = kindName(kind & ~unsafeFlags(kind));
    reject("EINVAL", `arg#${number - 1} is ${kindName(kind)} expected ${wanted} or socket`);
  }
  requireStruct(m, call, value, target, offset);
}

/** The offset into the object; what is given back must be the object itself. */
export function requirePlace({ at, number }: Target, released: boolean): number {
  const constant = smallConstant(at);
  if (constant === undefined) {
    return reject("EACCES", `variable ${kindName(kindOf(at))} access var_off=${tnumText(at)} disallowed`);
  }
  const off = offOf(at) + constant;
  if (released && off !== 0) {
    reject("EINVAL", `R${number} must have zero offset when passed to release func or trusted arg to kfunc`);
  }
  if (off < 0) {
    reject("EACCES", `negative offset ${kindName(kindOf(at))} ptr R${number} off=${off} disallowed`);
  }
  return off;
}

/** Types that are the same in memory and not for each other. */
const INIT = /___init$/;

function requireStruct(
  m: Machine,
  call: KfuncCall,
  value: KfuncValue,
  { at, number }: Target,
  offset: number,
): void {
  const { name } = call.facts;
  const place = `kernel function ${name} args#${number - 1}`;
  if (value.to?.startsWith("struct ") !== true) {
    reject("EINVAL", `${place} pointer type ${pointeeText(value)} is not supported`);
  }
  const types = typesOf(m);
  const wantedName = value.to.slice("struct ".length);
  const known = STRUCTS[baseOf(kindOf(at))];
  const struct = known === undefined ? objectOf(at) : types.structId(known);
  const wanted = types.structId(wantedName);
  if (wanted === undefined || struct === undefined)
    throw new Unsupported(`kernel objects of type ${value.to}`);
  const structName = types.structName(struct);
  const strict =
    (hasKfuncFlag(call, "release") && referenceOf(at) !== 0) ||
    (structName !== wantedName && structName.replace(INIT, "") === wantedName.replace(INIT, ""));
  const same = strict
    ? struct === wanted && offset === 0
    : types.holdsAt(struct, offset, wanted) || PROJECTIONS[wantedName] === structName;
  if (same) return;
  reject(
    "EINVAL",
    `${place} expected pointer to STRUCT ${wantedName} but R${number} has a pointer to STRUCT ${structName}`,
  );
}

/** What programs see of an object of the kernel under another name. */
const PROJECTIONS: Readonly<Record<string, string>> = { __sk_buff: "sk_buff", xdp_md: "xdp_buff" };
