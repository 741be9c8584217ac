/** Kernel functions that give a pointer another type: a context as the kernel's own object, and anything as what nobody vouches for. */
import { Unsupported } from "../../../semantics/errors.ts";
import { FLAG, KIND, setPointer } from "../../register.ts";
import { typesOf } from "../kernel-object.ts";
import { type Machine, register } from "../machine.ts";
import { UNTRUSTED_BYTES } from "../region.ts";
import { reject } from "../rejection.ts";
import type { KfuncCall } from "./facts.ts";

/** What each function puts into r0, once its arguments are checked. */
const CASTS: ReadonlyMap<string, (m: Machine, call: KfuncCall) => void> = new Map([
  ["bpf_cast_to_kern_ctx", giveKernelContext],
  ["bpf_rdonly_cast", giveAnything],
]);

/** Puts the pointer of another type into r0, if the function is one that casts. */
export function giveCast(m: Machine, call: KfuncCall): boolean {
  const give = CASTS.get(call.facts.name);
  give?.(m, call);
  return give !== undefined;
}

/** The object is there as long as the program runs. */
function giveKernelContext(m: Machine): void {
  const types = typesOf(m);
  const type = types.kernelContext(m.program.type);
  if (type === undefined) throw new Unsupported(`the kernel's context of ${m.program.type} programs`);
  const kind = types.kindOf(type);
  if (kind !== "struct" && kind !== "union") reject("EINVAL", `kern ctx type id ${type} is not a struct`);
  setPointer(register(m, 0), KIND.btf | FLAG.trusted, type);
}

/** To a structure of the kernel's or to bytes; the kernel guards each load. */
function giveAnything(m: Machine, { constant }: KfuncCall): void {
  if (constant === undefined) throw new Error("a cast without a type");
  const r0 = register(m, 0);
  switch (typesOf(m).kindOf(constant)) {
    case undefined:
      return reject("EINVAL", `Unknown type ID ${constant} passed to kfunc bpf_rdonly_cast`);
    case "struct":
    case "union":
      return setPointer(r0, KIND.btf | FLAG.untrusted, constant);
    case "void":
      return setPointer(r0, UNTRUSTED_BYTES, 0);
    default:
      reject("EINVAL", "kfunc bpf_rdonly_cast type ID argument must be of a struct or void");
  }
}
