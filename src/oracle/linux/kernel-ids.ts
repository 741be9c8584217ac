/** What programs name of a kernel, in the numbers of the one that they are loaded into. */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import type { KernelSymbol, Program, Slots } from "../../semantics/program/program.ts";
import type { Kernel } from "./calls.ts";
import { objectOptionsFor } from "./object-options.ts";
import { symbolsOf } from "./symbols.ts";

/**
 * The instructions with the ids that the kernel gives to the functions that are called and to what is loaded by a name; with its address where the
 * name has no type. 0 where the kernel has none of the name.
 */
export function withKernelIds({ insns, kfuncs = [], ksyms = [] }: Program, kernel: Kernel): Slots {
  if (kfuncs.length === 0 && ksyms.length === 0) return insns;
  const { targetBtf } = objectOptionsFor(kernel);
  const slots = [...insns];
  for (const { insn, name } of kfuncs) {
    const call = slots[insn];
    if (call !== undefined) slots[insn] = { ...call, imm: targetBtf?.findKind(name, "func") ?? 0 };
  }
  for (const symbol of ksyms) {
    const load = slots[symbol.insn];
    if (load === undefined) continue;
    const { name } = symbol;
    const id = targetBtf?.findKind(name, "var") ?? targetBtf?.findKind(name, "func") ?? 0;
    slots[symbol.insn] = symbol.typed ? { ...load, imm: id } : withAddress(load, symbol, kernel);
  }
  return slots;
}

function withAddress(load: Instruction, { name }: KernelSymbol, kernel: Kernel): Instruction {
  const address = symbolsOf(kernel)?.get(name)?.[0] ?? 0n;
  const [imm, immHigh] = [Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n))];
  return { ...load, imm, immHigh };
}
