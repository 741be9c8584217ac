/** A kernel's variables and functions as programs see them by their addresses, from its BTF. Source: the messages are those of Linux 6.18. */
import { InputError } from "../semantics/errors.ts";
import type { KernelAddress } from "../semantics/program/kernel-types.ts";
import type { Btf } from "./btf.ts";

/** The section of the variables of which each processor has its own. */
const PER_CPU = ".data..percpu";

/** What the address of the variable or function of a name is; `undefined` if the kernel's BTF has none of it. */
export function kernelAddress(btf: Btf, name: string): KernelAddress | undefined {
  const id = btf.findKind(name, "var");
  if (id === undefined) {
    // Nothing can be read where a function is.
    return btf.findKind(name, "func") === undefined ? undefined : { kind: "memory", size: 0, plain: true };
  }
  const type = btf.type(id);
  if (type.kind !== "var") return undefined;
  const size = sizeUnlessStruct(btf, type.type);
  // The kernel calls a number by the name of its typedef.
  const of = size === undefined ? btf.resolve(type.type).id : type.type;
  if (isPerCpu(btf, id)) return { kind: "object", type: of, perCpu: true };
  if (size === undefined) return { kind: "object", type: of, perCpu: false };
  if (typeof size === "string") return { kind: "none", message: size };
  return { kind: "memory", size, plain: isPlain(btf, type.type) };
}

function isPerCpu(btf: Btf, id: number): boolean {
  const section = btf.findKind(PER_CPU, "datasec");
  const type = section === undefined ? undefined : btf.type(section);
  return type?.kind === "datasec" && type.vars.some((entry) => entry.type === id);
}

/** The bytes of a value of the type, if it is no structure or union; why it has none, in the kernel's words. */
export function sizeUnlessStruct(btf: Btf, id: number): number | string | undefined {
  const { id: at, type } = btf.resolve(id);
  if (type.kind === "struct" || type.kind === "union") return undefined;
  try {
    return btf.size(at);
  } catch (error) {
    if (error instanceof InputError) return `unable to resolve the size of type '${btf.name(at)}': -22`;
    throw error;
  }
}

/** Whether a value of the type is a number, or an array of such. */
export function isPlain(btf: Btf, id: number): boolean {
  const { type } = btf.resolve(id);
  if (type.kind === "array") return isPlain(btf, type.type);
  return type.kind === "int" || type.kind === "enum" || type.kind === "enum64" || type.kind === "float";
}
