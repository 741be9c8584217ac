/**
 * Why a program was rejected, for whoever wrote it: the fact that was needed, what was known instead, the instructions that made it so, and
 * what usually mends it. The path of the verdict is executed again; nothing here decides anything.
 */
import { frameCount } from "../../absint/state.ts";
import type { Machine } from "../../absint/transfer/machine.ts";
import { Unsupported } from "../../semantics/errors.ts";
import { disassembleInstruction } from "../../semantics/isa/disassemble.ts";
import { programFacts } from "../../semantics/profile/lookup.ts";
import { DEFAULT_RULES, type Rules } from "../../semantics/profile/rules.ts";
import type { Program, SourceLine } from "../../semantics/program/program.ts";
import type { Verdict } from "../verdict.ts";
import { ARENA_CLASSES } from "./arena-classes.ts";
import { CALLBACK_CLASSES } from "./callback-classes.ts";
import { EXCEPTION_CLASSES } from "./exception-classes.ts";
import { FUNCTION_CLASSES } from "./function-classes.ts";
import { KERNEL_CLASSES } from "./kernel-classes.ts";
import { KFUNC_CLASSES } from "./kfunc-classes.ts";
import { collectLines, type SliceLine } from "./lines.ts";
import { MEMORY_CLASSES } from "./memory-classes.ts";
import { type Category, headline, type MessageClass, wordsOf } from "./message-class.ts";
import type { Note } from "./notes.ts";
import { OTHER_CLASSES } from "./other-classes.ts";
import { OWN_OBJECT_CLASSES } from "./own-object-classes.ts";
import { knowledge, type Place, placeName } from "./places.ts";
import { PRIVILEGE_CLASSES } from "./privilege-classes.ts";
import { replay } from "./replay.ts";
import { slice, Trace } from "./slice.ts";
import { STRUCT_OPS_CLASSES } from "./struct-ops-classes.ts";
import { isVariable, subjectsOf } from "./subject.ts";

export type Rejected = Extract<Verdict, { verdict: "reject" }>;

/** A program's instruction with its text and source line. */
export interface InstructionPlace {
  readonly insn: number;
  readonly text: string;
  readonly source: SourceLine | undefined;
}

export interface Explanation {
  readonly category: Category;
  readonly problem: string;
  /** Undefined for a message that nothing more is known of. */
  readonly needed: string | undefined;
  /** What was known of what the message is about, in the words of the kernel's log. */
  readonly known: string | undefined;
  readonly at: InstructionPlace | undefined;
  /** Where knowledge was lost, or where the value came from if nothing was ever known of it. */
  readonly lost: { readonly at: InstructionPlace; readonly text: string } | undefined;
  /** What the slice follows: `R2`. */
  readonly subject: string | undefined;
  readonly slice: readonly SliceLine[];
  readonly suggestion: string | undefined;
}

const CLASSES: readonly MessageClass[] = [
  ...ARENA_CLASSES,
  ...CALLBACK_CLASSES,
  ...EXCEPTION_CLASSES,
  ...FUNCTION_CLASSES,
  ...KFUNC_CLASSES,
  ...KERNEL_CLASSES,
  ...MEMORY_CLASSES,
  ...OTHER_CLASSES,
  ...OWN_OBJECT_CLASSES,
  ...PRIVILEGE_CLASSES,
  ...STRUCT_OPS_CLASSES,
];

/** An instruction with its text, and the source line that it belongs to. */
function instructionPlace({ insns, maps, lines }: Program, pc: number): InstructionPlace {
  const insn = insns[pc];
  return {
    insn: pc,
    text: insn === undefined ? "" : disassembleInstruction(insn, { maps, opcodes: false }),
    source: lines.findLast((line) => line.insn <= pc),
  };
}

interface History {
  readonly subject: string | undefined;
  readonly known: string | undefined;
  readonly variable: boolean;
  readonly movedBy: string | undefined;
  readonly lines: readonly SliceLine[];
}

const NOTHING: History = {
  subject: undefined,
  known: undefined,
  variable: false,
  movedBy: undefined,
  lines: [],
};

/** Explains a rejection of `program` by the same rules. Uses the memory that verifications share. */
export function explain(program: Program, rejected: Rejected, rules: Rules = DEFAULT_RULES): Explanation {
  const verdict = { ...rejected, message: rejected.usual ?? rejected.message };
  const { message } = verdict;
  const found = CLASSES.flatMap((each) => {
    const match = each.pattern.exec(message);
    return match === null ? [] : [{ ...each, match }];
  })[0];
  // Kernels that name registers say of which one they speak, where others do not.
  const isNamed = /^[^\n]*\bR\d+\b/.test(rejected.message);
  const history =
    found?.follow === "nothing" && !isNamed
      ? loopOf(program, verdict)
      : historyOf(program, rules, verdict, found, rejected.message);
  const { subject, known, variable, movedBy, lines } = history;
  const last = (kind: Note["kind"]): SliceLine | undefined =>
    lines.findLast(({ note }) => note?.kind === kind);
  const lost = message.includes("_or_null") ? last("null") : (last("loss") ?? last("origin"));
  const [, endedBy] = lost?.note?.kind === "loss" ? (/^call ([\w]+)/.exec(lost.text) ?? []) : [];
  const facts = programFacts(rules.profile, program);
  const context = rules.profile.contexts[facts?.context ?? ""];
  const about = { name: subject ?? "the register", variable, movedBy, endedBy, program, context };
  return {
    category: found?.category ?? "Policy",
    problem: found?.problem ?? headline(verdict.message),
    needed: found === undefined ? undefined : wordsOf(found.needed, found.match, about),
    known,
    at: verdict.insn === undefined ? undefined : instructionPlace(program, verdict.insn),
    lost:
      lost?.note === undefined
        ? acquiredAt(program, verdict)
        : { at: instructionPlace(program, lost.insn), text: lost.note.text },
    subject,
    slice: lines,
    suggestion: found === undefined ? undefined : wordsOf(found.suggestion, found.match, about),
  };
}

/** Where what is still held was acquired. */
function acquiredAt(program: Program, { message }: Rejected): Explanation["lost"] {
  const [, insn] = /^Unreleased reference id=\d+ alloc_insn=(\d+)/.exec(message) ?? [];
  return insn === undefined
    ? undefined
    : { at: instructionPlace(program, Number(insn)), text: "acquired, and held from here on" };
}

/**
 * How what the message is about came to be, if the path can be executed again and ends in the same message.
 *
 * @param said  the message in the words of the kernel whose rules hold, which may name a register
 */
function historyOf(
  program: Program,
  rules: Rules,
  { path, message }: Rejected,
  found: MessageClass | undefined,
  said: string,
): History {
  if (path.length === 0) return NOTHING;
  try {
    const trace = new Trace();
    const again = replay(program, path, trace, rules);
    const alone = again?.message === undefined && found?.withOthers === true;
    if (again === undefined || (again.message !== message && !alone)) return NOTHING;
    const last = trace.steps.at(-1);
    if (last === undefined) return NOTHING;
    const places = subjectsOf(again.machine, last, said, found?.follow);
    const [main] = places;
    if (main === undefined) return NOTHING;
    const { current, known } = describe(again.machine, places);
    const variable = isVariable(again.machine, main);
    const { steps } = slice(trace.steps.slice(0, -1), places);
    const { lines, movedBy } = collectLines(program, rules, path, steps);
    return { subject: placeName(main, current), known, variable, movedBy, lines };
  } catch (error) {
    if (error instanceof Unsupported) return NOTHING;
    throw error;
  }
}

function describe(
  m: Machine,
  places: readonly Place[],
): { readonly current: number; readonly known: string } {
  const current = frameCount(m.state) - 1;
  return { current, known: places.map((place) => knowledge(m, place, current)).join(" ") };
}

/** Of a loop that does not end: its instructions, each once, in the order of the last passage. */
function loopOf(program: Program, { path, message }: Rejected): History {
  const [, insn] = /^infinite loop detected at insn (\d+)/.exec(message) ?? [];
  if (insn === undefined) return NOTHING;
  const start = path.lastIndexOf(Number(insn));
  if (start < 0) return NOTHING;
  const passage = [...new Set(path.slice(start))];
  const lines = passage.map(
    (pc): SliceLine => ({ ...instructionPlace(program, pc), knowledge: [], note: undefined, skipped: 0 }),
  );
  return { ...NOTHING, subject: `the loop of ${passage.length} instructions`, lines };
}
