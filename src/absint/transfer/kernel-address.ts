/**
 * Addresses of the kernel's variables and functions, as programs load them by name: objects of a type, memory that may only be read, or, where each
 * processor has a variable of its own, something of which helpers make the address for one processor.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { FLAG, KIND, setPointer } from "../register.ts";
import { typesOf } from "./kernel-object.ts";
import type { Machine } from "./machine.ts";
import { reject } from "./rejection.ts";

/** Loads the address that the instruction at which the machine stands names. */
export function loadKernelAddress(m: Machine, { immHigh }: Instruction, destination: number): void {
  if (immHigh !== 0) throw new Unsupported("kernel variables of modules");
  const symbol = m.ksyms.get(m.pc);
  if (symbol === undefined) throw new Unsupported("a kernel variable by its number");
  const address = typesOf(m).addressOf(symbol.name);
  if (address === undefined) throw new Unsupported(`kernel variable ${symbol.name}`);
  switch (address.kind) {
    case "none":
      return reject("EINVAL", `ldimm64 ${address.message}`);
    case "memory":
      if (!address.plain) requireMayReadPointers(m);
      return setPointer(destination, KIND.memory | FLAG.readOnly, address.size);
    case "object":
      return setPointer(destination, address.perCpu ? KIND.btf | FLAG.perCpu : KIND.btf, address.type);
  }
}

/** Puts into `r0` the address for one processor of what a pointer to a variable of the type stands for. */
export function giveOfProcessor(m: Machine, r0: number, type: number, flags: number): void {
  const size = typesOf(m).sizeUnlessStruct(type);
  if (typeof size === "string") return reject("EINVAL", size);
  if (size === undefined) return setPointer(r0, KIND.btf | flags, type);
  if (!typesOf(m).isPlain(type)) requireMayReadPointers(m);
  setPointer(r0, KIND.memory | FLAG.readOnly | flags, size);
}

/** The bytes of a variable that is a pointer are an address, and Linux gives them to anybody as a number. */
function requireMayReadPointers({ rights }: Machine): void {
  if (rights.leaks) return;
  reject("EPERM", "kernel variables that hold pointers are accessible only to CAP_PERFMON and CAP_SYS_ADMIN");
}
