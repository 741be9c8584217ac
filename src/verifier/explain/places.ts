/** Where a value is kept, in any active frame, and which of them an instruction reaches through a pointer to the stack. */
import { baseOf, isConstant, KIND, kindOf, objectOf, offOf, smallConstant } from "../../absint/register.ts";
import { depthOf, registerAt, slotAt, spilledAt } from "../../absint/state.ts";
import { type Machine, register } from "../../absint/transfer/machine.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { registerText, slotText } from "../print-state.ts";

/** A register, or the stack slot of the eight bytes from -8 * (number + 1) on. */
export interface Place {
  readonly kind: "register" | "slot";
  readonly frame: number;
  readonly number: number;
}

export const registerPlace = (frame: number, number: number): Place => ({ kind: "register", frame, number });

export const keyOf = ({ kind, frame, number }: Place): string => `${kind} ${frame} ${number}`;

/** The place's name; the frame is told where it is not the innermost. */
export function placeName({ kind, frame, number }: Place, current: number): string {
  const name = kind === "register" ? `R${number}` : `fp-${8 * (number + 1)}`;
  return frame === current ? name : `frame${frame}: ${name}`;
}

/** The address of the register at a place, or of what is spilled there; undefined if the slot is not in use. */
export function addressOf(m: Machine, { kind, frame, number }: Place): number | undefined {
  if (kind === "register") return registerAt(m.state, frame, number);
  return number < depthOf(m.state, frame) ? spilledAt(slotAt(m.state, frame, number)) : undefined;
}

/** What is known of a place, in the words of the kernel's log: `R1=scalar(...)`. */
export function knowledge(m: Machine, place: Place, current: number): string {
  const { kind, frame, number } = place;
  const outer = frame === current ? "" : `frame${frame}: `;
  if (kind === "register")
    return `${outer}R${number}=${registerText(m, registerAt(m.state, frame, number), frame)}`;
  const text = number < depthOf(m.state, frame) ? slotText(m, frame, number) : undefined;
  return outer + (text ?? `fp-${8 * (number + 1)}=????????`);
}

/** The register through which a memory instruction goes, and what it does there. */
export function accessOf(
  insn: Instruction,
):
  | { readonly base: number; readonly size: number; readonly reads: boolean; readonly writes: boolean }
  | undefined {
  const { operation } = insn.row;
  switch (operation.kind) {
    case "load":
    case "load_acquire":
      return { base: insn.src, size: operation.size, reads: true, writes: false };
    case "store":
    case "store_release":
      return { base: insn.dst, size: operation.size, reads: false, writes: true };
    case "atomic":
      return { base: insn.dst, size: operation.size, reads: true, writes: true };
    default:
      return undefined;
  }
}

/** Slots of a frame, from `first` to `last`; `exact` if all of these are touched for certain, and nothing else. */
export interface SlotRange {
  readonly frame: number;
  readonly first: number;
  readonly last: number;
  readonly exact: boolean;
}

/** The slots that `size` bytes at a stack pointer touch; undefined if it is none, or may point anywhere. */
export function slotsAt(m: Machine, number: number, off: number, size: number): SlotRange | undefined {
  const at = register(m, number);
  if (baseOf(kindOf(at)) !== KIND.stack) return undefined;
  const frame = objectOf(at);
  const constant = smallConstant(at);
  // A variable place is somewhere in the frame.
  if (constant === undefined || !isConstant(at))
    return { frame, first: 0, last: depthOf(m.state, frame) - 1, exact: false };
  const start = offOf(at) + off + constant;
  return {
    frame,
    first: (-(start + size - 1) - 1) >> 3,
    last: (-start - 1) >> 3,
    exact: size === 8 && start % 8 === 0,
  };
}
