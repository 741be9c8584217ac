/**
 * The backward slice of a place along a path: the instructions that made what is known of it what it is. Definitions are followed through
 * copies, arithmetic, spills and fills, calls and returns; comparisons belong to it if they name a place that is followed or taught
 * something of one.
 */
import { frameCount } from "../../absint/state.ts";
import type { Machine } from "../../absint/transfer/machine.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { accessOf, keyOf, type Place, registerPlace, type SlotRange, slotsAt } from "./places.ts";

/** What of an executed instruction the walk back needs. */
export interface TraceStep {
  readonly insn: Instruction;
  /** The innermost frame before and after. */
  readonly frame: number;
  frameAfter: number;
  /** The stack slots that it reads or writes through a pointer. */
  readonly slots: SlotRange | undefined;
}

/** What the instruction that is about to be executed will do, as far as states tell. */
function traceStep(m: Machine): TraceStep | undefined {
  const insn = m.program.insns[m.pc];
  if (insn === undefined) return undefined;
  const access = accessOf(insn);
  const slots = access === undefined ? undefined : slotsAt(m, access.base, insn.off, access.size);
  const frame = frameCount(m.state) - 1;
  return { insn, frame, frameAfter: frame, slots };
}

/** A place that an instruction of the slice has to do with. */
export interface Touch {
  readonly place: Place;
  /** defines: it made the value; uses: it compares it; may: whether it has anything to do with it, only the states can tell. */
  readonly how: "defines" | "uses" | "may";
  /** Where the value came from, if it is a copy or was computed from one that stood elsewhere or was overwritten. */
  readonly from?: Place;
}

export interface SliceStep {
  /** Position on the path. */
  readonly index: number;
  readonly touches: readonly Touch[];
}

/** The places that are followed, while walking back. */
class Followed {
  readonly #places = new Map<string, Place>();

  get size(): number {
    return this.#places.size;
  }

  all(): readonly Place[] {
    return [...this.#places.values()];
  }

  has = (place: Place): boolean => this.#places.has(keyOf(place));

  add(place: Place): void {
    this.#places.set(keyOf(place), place);
  }

  remove(place: Place): void {
    this.#places.delete(keyOf(place));
  }
}

const CALLER_SAVED = [1, 2, 3, 4, 5];

/**
 * Walks back from the end of a trace.
 *
 * @param from  the places whose values are asked for, as they are after the trace
 * @returns the steps that have to do with them, in the order of the path, and those places that are as they were when the program began
 */
export function slice(
  trace: readonly TraceStep[],
  from: readonly Place[],
): { readonly steps: readonly SliceStep[]; readonly initial: readonly Place[] } {
  const followed = new Followed();
  for (const place of from) followed.add(place);
  const steps: SliceStep[] = [];
  for (let index = trace.length - 1; index >= 0 && followed.size > 0; index -= 1) {
    const step = trace[index];
    if (step === undefined) continue;
    const touches = walkBack(step, followed);
    if (touches.length > 0) steps.push({ index, touches });
  }
  return { steps: steps.toReversed(), initial: followed.all() };
}

/** Replaces places by what this step made them of, and says what it had to do with them. */
function walkBack(step: TraceStep, followed: Followed): readonly Touch[] {
  const { insn, frame } = step;
  const { operation } = insn.row;
  const own = (number: number): Place => registerPlace(frame, number);
  /** The register is made by this step, of these. */
  const made = (number: number, ...sources: readonly Place[]): readonly Touch[] => {
    const place = own(number);
    if (!followed.has(place)) return [];
    followed.remove(place);
    for (const source of sources) followed.add(source);
    const [first] = sources;
    return [first === undefined ? { place, how: "defines" } : { place, how: "defines", from: first }];
  };
  switch (operation.kind) {
    case "alu": {
      const sources = operation.operand === "reg" && insn.src !== insn.dst ? [own(insn.src)] : [];
      return operation.op.startsWith("mov")
        ? made(insn.dst, ...movSource(insn, own))
        : made(insn.dst, own(insn.dst), ...sources);
    }
    case "ld_imm64":
      return made(insn.dst);
    case "load":
    case "load_acquire":
      return made(insn.dst, ...slotPlaces(step.slots));
    case "store":
    case "store_release":
      return stored(
        step,
        followed,
        operation.kind === "store" && operation.operand === "imm" ? undefined : own(insn.src),
      );
    case "atomic":
      return [
        ...(operation.fetch ? made(operation.op === "cmpxchg" ? 0 : insn.src) : []),
        ...stored(step, followed, undefined),
      ];
    case "packet":
      return [...made(0), ...CALLER_SAVED.flatMap((r) => made(r))];
    case "jump":
      return compared(step, followed);
    case "call":
      return operation.callee === "subprogram" ? called(step, followed) : helped(step, followed);
    case "exit":
      return returned(step, followed);
    default:
      return [];
  }
}

const movSource = (insn: Instruction, own: (number: number) => Place): readonly Place[] =>
  insn.row.operation.kind === "alu" && insn.row.operation.operand === "reg" ? [own(insn.src)] : [];

function slotPlaces(range: SlotRange | undefined): readonly Place[] {
  if (range === undefined || range.last - range.first > 1) return [];
  const places: Place[] = [];
  for (let number = range.first; number <= range.last; number += 1) {
    places.push({ kind: "slot", frame: range.frame, number });
  }
  return places;
}

const isIn = ({ kind, frame, number }: Place, range: SlotRange): boolean =>
  kind === "slot" && frame === range.frame && number >= range.first && number <= range.last;

function stored({ slots }: TraceStep, followed: Followed, value: Place | undefined): readonly Touch[] {
  if (slots === undefined) return [];
  return followed
    .all()
    .filter((place) => isIn(place, slots))
    .map((place): Touch => {
      // A part of the slot may be older.
      if (slots.exact) followed.remove(place);
      if (value !== undefined) followed.add(value);
      return value === undefined ? { place, how: "defines" } : { place, how: "defines", from: value };
    });
}

/** A comparison may teach something of anything that is related to what it compares. */
function compared({ insn, frame }: TraceStep, followed: Followed): readonly Touch[] {
  const { operation } = insn.row;
  const named = operation.kind === "jump" && operation.operand === "reg" ? [insn.dst, insn.src] : [insn.dst];
  return followed.all().map((place): Touch => {
    const uses = place.kind === "register" && place.frame === frame && named.includes(place.number);
    return { place, how: uses ? "uses" : "may" };
  });
}

/** Helpers leave their result, take their arguments' registers, and may write memory that they were given or move a packet. */
function helped({ frame }: TraceStep, followed: Followed): readonly Touch[] {
  return followed.all().map((place): Touch => {
    const clobbers = place.kind === "register" && place.frame === frame && place.number <= 5;
    if (!clobbers) return { place, how: "may" };
    followed.remove(place);
    return { place, how: "defines" };
  });
}

/** Into a function: its arguments are the caller's; what the caller had in them is gone afterwards. */
function called({ frame, frameAfter }: TraceStep, followed: Followed): readonly Touch[] {
  if (frameAfter <= frame) return [];
  return CALLER_SAVED.flatMap((r): readonly Touch[] => {
    const place = registerPlace(frameAfter, r);
    if (!followed.has(place)) return [];
    followed.remove(place);
    const from = registerPlace(frame, r);
    followed.add(from);
    return [{ place, how: "defines", from }];
  });
}

/** Out of a function: R0 is its result, and its arguments' registers are gone in the caller. */
function returned({ frame, frameAfter }: TraceStep, followed: Followed): readonly Touch[] {
  if (frameAfter >= frame) return [];
  const touches: Touch[] = [];
  for (const r of [0, ...CALLER_SAVED]) {
    const place = registerPlace(frameAfter, r);
    if (!followed.has(place)) continue;
    followed.remove(place);
    const from = registerPlace(frame, r);
    if (r === 0) followed.add(from);
    touches.push(r === 0 ? { place, how: "defines", from } : { place, how: "defines" });
  }
  return touches;
}

/** Records what a path does, up to the instruction that it ends at. */
export class Trace {
  readonly steps: TraceStep[] = [];

  readonly before = (m: Machine): void => {
    const step = traceStep(m);
    if (step !== undefined) this.steps.push(step);
  };

  readonly after = (m: Machine): void => {
    const step = this.steps.at(-1);
    if (step !== undefined) step.frameAfter = frameCount(m.state) - 1;
  };
}
