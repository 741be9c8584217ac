/** The lines of a slice: each instruction with what was known after it. The path is executed once more, and looked at where the slice is. */
import { isPacketPointer, isPointer, kindOf, mayBeNull } from "../../absint/register.ts";
import { frameCount } from "../../absint/state.ts";
import type { Machine } from "../../absint/transfer/machine.ts";
import { HELPER_NAMES } from "../../semantics/helpers/names.ts";
import { disassembleInstruction } from "../../semantics/isa/disassemble.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program, SourceLine } from "../../semantics/program/program.ts";
import { type Extent, extentOf, lossOf, type Note, originOf } from "./notes.ts";
import { addressOf, knowledge, type Place, placeName } from "./places.ts";
import { replay } from "./replay.ts";
import type { SliceStep, Touch } from "./slice.ts";

export interface SliceLine {
  readonly insn: number;
  readonly text: string;
  readonly source: SourceLine | undefined;
  /** What is known after it of the places it has to do with. */
  readonly knowledge: readonly string[];
  readonly note: Note | undefined;
  /** Lines of the slice left out before this one. */
  readonly skipped: number;
}

/** Passages of a loop that are shown, and lines in all: the first and the last. */
const MOST_PASSAGES = 2;
const FIRST_LINES = 3;
const LAST_LINES = 9;

/** Steps at either end of a slice that are looked at: a path may be a million instructions long. */
const MOST_STEPS = 4_000;

/** The steps at both ends of a slice, and how many of those between have to do with it for certain. */
function atEnds(steps: readonly SliceStep[]): readonly [readonly SliceStep[], number] {
  if (steps.length <= 2 * MOST_STEPS) return [steps, 0];
  const between = steps.slice(MOST_STEPS, -MOST_STEPS);
  const certain = between.filter(({ touches }) => touches.some(({ how }) => how === "defines"));
  return [[...steps.slice(0, MOST_STEPS), ...steps.slice(-MOST_STEPS)], certain.length];
}

interface Before {
  readonly text: string;
  readonly extent: Extent | undefined;
  readonly from: Extent | undefined;
}

const extentAt = (m: Machine, place: Place | undefined): Extent | undefined => {
  const at = place === undefined || place.frame >= frameCount(m.state) ? undefined : addressOf(m, place);
  return at === undefined ? undefined : extentOf(at);
};

/** The lines of the slice's steps, and the helper that moved the packet under a pointer that is followed, if one did. */
export function collectLines(
  program: Program,
  rules: Rules,
  path: readonly number[],
  steps: readonly SliceStep[],
): { readonly lines: readonly SliceLine[]; readonly movedBy: string | undefined } {
  const [looked, passed] = atEnds(steps);
  const wanted = new Map(looked.map(({ index, touches }) => [index, touches]));
  const lines: SliceLine[] = [];
  let before: readonly Before[] = [];
  let origin: Note | undefined;
  let movedBy: string | undefined;
  replay(
    program,
    path.slice(0, -1),
    {
      before: (m, index) => {
        const touches = wanted.get(index);
        if (touches === undefined) return;
        const current = frameCount(m.state) - 1;
        before = touches.map(({ place, from }) => ({
          text: place.frame <= current ? knowledge(m, place, current) : "",
          extent: extentAt(m, place),
          from: extentAt(m, from),
        }));
        const insn = program.insns[path[index] ?? 0];
        origin = insn === undefined ? undefined : originOf(m, insn);
      },
      after: (m, index) => {
        const touches = wanted.get(index);
        const pc = path[index];
        const insn = pc === undefined ? undefined : program.insns[pc];
        if (touches === undefined || pc === undefined || insn === undefined) return;
        const current = frameCount(m.state) - 1;
        const shown = touches.flatMap((touch, i) => effectOf(m, touch, before[i], current, origin));
        if (shown.length === 0) return;
        const moved =
          insn.row.operation.kind === "call" && touches.some((touch, i) => losesPacket(m, touch, before[i]));
        if (moved) movedBy = `bpf_${HELPER_NAMES[insn.imm] ?? insn.imm}`;
        lines.push({
          insn: pc,
          text: disassembleInstruction(insn, { maps: program.maps, opcodes: false }),
          source: program.lines.findLast((line) => line.insn <= pc),
          knowledge: shown.map(({ text }) => text),
          note:
            shown.find(({ note }) => note?.kind === "loss")?.note ??
            shown.find(({ note }) => note !== undefined)?.note,
          skipped: 0,
        });
      },
    },
    rules,
  );
  return { lines: shortened(lines, passed), movedBy };
}

interface Effect {
  readonly text: string;
  readonly note: Note | undefined;
}

/** What an instruction did to a place; nothing if it has nothing to do with it after all. */
function effectOf(
  m: Machine,
  { place, how, from }: Touch,
  before: Before | undefined,
  current: number,
  origin: Note | undefined,
): readonly Effect[] {
  if (before === undefined || place.frame > current) return [];
  const text = knowledge(m, place, current);
  const after = extentAt(m, place);
  if (how !== "defines" && text !== before.text) {
    const note =
      before.extent === undefined || after === undefined ? undefined : lossOf(before.extent, after);
    return [{ text, note }];
  }
  if (how === "may") return [];
  if (how === "uses") {
    // Of a pointer that is known there is nothing more to learn, but for how far a packet reaches.
    if (after === undefined || (isPointer(after.kind) && !isPacketPointer(after.kind))) return [];
    return [{ text, note: { text: `says nothing of ${placeName(place, current)}`, kind: "remark" } }];
  }
  if (from === undefined) return [{ text, note: goneNote(before, after) ?? originNote(after, origin) }];
  return [
    { text, note: before.from === undefined || after === undefined ? undefined : lossOf(before.from, after) },
  ];
}

/** Worth telling of numbers, and of pointers that may be null. */
const originNote = (after: Extent | undefined, origin: Note | undefined): Note | undefined =>
  after === undefined || origin === undefined || (isPointer(after.kind) && !mayBeNull(after.kind))
    ? undefined
    : mayBeNull(after.kind)
      ? { ...origin, kind: "null" }
      : origin;

/** A call leaves nothing in its arguments' registers. */
const goneNote = ({ extent }: Before, after: Extent | undefined): Note | undefined =>
  extent === undefined || after === undefined || after.kind !== 0 ? undefined : lossOf(extent, after);

function losesPacket(m: Machine, { place }: Touch, before: Before | undefined): boolean {
  const at = place.frame < frameCount(m.state) ? addressOf(m, place) : undefined;
  return (
    before?.extent !== undefined &&
    isPacketPointer(before.extent.kind) &&
    at !== undefined &&
    !isPacketPointer(kindOf(at))
  );
}

/** Of a loop the last passages; of a long slice its beginning and its end. */
function shortened(lines: readonly SliceLine[], passed: number): readonly SliceLine[] {
  const left = new Map<number, number>();
  const kept = new Set<SliceLine>();
  for (const line of lines.toReversed()) {
    const passages = left.get(line.insn) ?? 0;
    left.set(line.insn, passages + 1);
    if (passages < MOST_PASSAGES) kept.add(line);
  }
  const all = [...kept];
  if (all.length > FIRST_LINES + LAST_LINES)
    for (const line of all.slice(LAST_LINES, -FIRST_LINES)) kept.delete(line);
  const result: SliceLine[] = [];
  // What nobody looked at lies in the middle, of which nothing is shown.
  let unseen = passed;
  let skipped = 0;
  for (const line of lines) {
    if (!kept.has(line)) skipped += 1;
    else {
      result.push(skipped === 0 ? line : { ...line, skipped: skipped + unseen });
      if (skipped > 0) unseen = 0;
      skipped = 0;
    }
  }
  return result;
}
