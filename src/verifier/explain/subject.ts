/** What a refusal is about: the register that the message names, or the operand that the class of message points to. */
import { isConstant, isPointer, kindOf } from "../../absint/register.ts";
import { type Machine, register } from "../../absint/transfer/machine.ts";
import type { MessageClass } from "./message-class.ts";
import { accessOf, addressOf, type Place, registerPlace, type SlotRange, slotsAt } from "./places.ts";
import type { TraceStep } from "./slice.ts";

/** Slots of one access that are followed. */
const MOST_SLOTS = 4;

/** The places whose values decided, most important first. `m` stands at the refused instruction. */
export function subjectsOf(
  m: Machine,
  { insn, frame, slots }: TraceStep,
  message: string,
  follow: MessageClass["follow"],
): readonly Place[] {
  const [, named] = /\bR(\d+)\b/.exec(message) ?? [];
  const { operation } = insn.row;
  if (follow === "access") {
    const range = slots ?? (named === undefined ? undefined : slotsAt(m, Number(named), 0, 8));
    if (range !== undefined && range.last - range.first < MOST_SLOTS) return slotPlaces(range);
  }
  if (follow === "source")
    return [registerPlace(frame, numberOperand(m, insn.dst, insn.src, operation.kind))];
  if (named !== undefined) return [registerPlace(frame, Number(named))];
  const base = accessOf(insn)?.base;
  if (base !== undefined) return [registerPlace(frame, base)];
  if (operation.kind === "exit") return [registerPlace(frame, 0)];
  return operation.kind === "alu" ? [registerPlace(frame, insn.dst)] : [];
}

/** Of two operands the one that is no pointer; a store's value. */
function numberOperand(m: Machine, dst: number, src: number, kind: string): number {
  if (kind === "store") return src;
  return isPointer(kindOf(register(m, dst))) ? src : dst;
}

function slotPlaces({ frame, first, last }: SlotRange): readonly Place[] {
  const places: Place[] = [];
  for (let number = Math.max(first, 0); number <= last && places.length < MOST_SLOTS; number += 1) {
    places.push({ kind: "slot", frame, number });
  }
  return places;
}

/** Whether a place holds a number, or a variable part of a pointer, that may have several values. */
export function isVariable(m: Machine, place: Place): boolean {
  const at = addressOf(m, place);
  return at !== undefined && !isConstant(at);
}
