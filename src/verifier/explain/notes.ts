/** What an instruction of a slice did to what is known of a value, in a few words: where it came from, and where knowledge was lost. */
import { baseOf, isPointer, KIND, kindOf, smaxOf, sminOf, umaxOf } from "../../absint/register.ts";
import { type Machine, register } from "../../absint/transfer/machine.ts";
import { HELPER_NAMES } from "../../semantics/helpers/names.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";

/** What the notes look at of a register: read before an instruction and after it. */
export interface Extent {
  readonly kind: number;
  /** Ends of the number, or of a pointer's variable part. */
  readonly least: number;
  readonly greatest: number;
}

export const extentOf = (at: number): Extent => ({
  kind: kindOf(at),
  least: sminOf(at),
  greatest: Math.max(umaxOf(at), smaxOf(at)),
});

export interface Note {
  readonly text: string;
  /** loss: more was known before; origin: the number comes from here; null: a pointer does, and may be null. */
  readonly kind: "loss" | "origin" | "null" | "remark";
}

/** Numbers from here on are no bounds of an offset. */
const UNBOUNDED = 2 ** 29;

/** What became of a value that an instruction computed from another. */
export function lossOf(before: Extent, after: Extent): Note | undefined {
  const loss = (text: string): Note => ({ text, kind: "loss" });
  if (after.kind === KIND.none) return before.kind === KIND.none ? undefined : loss("is gone");
  if (isPointer(before.kind) && !isPointer(after.kind)) return loss("a pointer becomes a number");
  // What is added to a pointer has its own place in the slice.
  if (before.kind === KIND.none || isPointer(after.kind)) return undefined;
  if (before.greatest < UNBOUNDED && after.greatest >= UNBOUNDED) return loss("the upper bound is lost");
  if (before.least >= 0 && after.least < 0) return loss("may be negative from here on");
  return undefined;
}

const MEMORY_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [KIND.context, "the context"],
  [KIND.stack, "the stack"],
  [KIND.mapValue, "a map's value"],
  [KIND.packet, "the packet"],
  [KIND.packetMeta, "the packet's metadata"],
]);

/** Where a value comes from that an instruction does not compute from another. To be asked before it is executed. */
export function originOf(m: Machine, insn: Instruction): Note | undefined {
  const origin = (text: string): Note => ({ text, kind: "origin" });
  const { operation } = insn.row;
  switch (operation.kind) {
    case "load":
    case "load_acquire":
    case "atomic": {
      const base = operation.kind === "atomic" ? insn.dst : insn.src;
      return origin(`read from ${MEMORY_NAMES.get(baseOf(kindOf(register(m, base)))) ?? "memory"}`);
    }
    case "packet":
      return origin("read from the packet");
    case "call":
      return operation.callee === "helper"
        ? origin(`result of bpf_${HELPER_NAMES[insn.imm] ?? insn.imm}`)
        : undefined;
    default:
      return undefined;
  }
}
