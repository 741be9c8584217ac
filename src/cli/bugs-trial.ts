/**
 * One trial of `soundcheck bugs`: a process that lets one instrument look at the code that it is itself made of, which has a bug in it or not. What came of it
 * is one line of JSON.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { INSTRUMENTS } from "../campaign/bugs/instruments/index.ts";
import type { Outcome } from "../campaign/bugs/instruments/instrument.ts";
import type { Original } from "../campaign/bugs/programs.ts";
import { jobSchema } from "../campaign/bugs/trial.ts";
import { readTasks } from "../campaign/check.ts";
import { reduceProgram } from "../campaign/fuzz/reduce.ts";
import { writeBundle } from "../object/bundle-write.ts";
import { readProfile } from "../oracle/profiles.ts";
import { disassemble } from "../semantics/isa/disassemble.ts";
import { CORPUS_PROFILE, corpusFiles, knowledgeOf } from "./corpus.ts";
import { processorSeconds } from "./processor-time.ts";
import { outJson } from "./terminal.ts";

/** Seconds of processor time that a reduction may take. */
const REDUCTION = 5;

/** Seconds of processor time since a call. */
function stopwatch(): () => number {
  const start = processorSeconds();
  return () => processorSeconds() - start;
}

const { instrument, seed, seconds, reduce, sound, theorems } = jobSchema.parse(
  JSON.parse(process.argv[2] ?? "{}"),
);
/** The bundles, and of each source one of the objects that it was compiled to. */
const files = corpusFiles().filter((name) => /\.prog\.json$|\.v3\.o$/.test(name));
const bundles = files.filter((name) => name.endsWith(".prog.json"));
const knowledge = knowledgeOf(files);
const tasksOf = (name: string) => readTasks([{ name, bytes: readFileSync(name) }], { knowledge }).tasks;
const originals = new Map<number, Original>();
function original(index: number): Original {
  const known = originals.get(index);
  if (known !== undefined) return known;
  const name = bundles[index] ?? "";
  const [task] = tasksOf(name);
  if (task === undefined) throw new Error(`${name} has no program`);
  const read = { program: task.program, isRefused: task.expected?.verdict === "reject" };
  originals.set(index, read);
  return read;
}
let start = performance.now();
let spent = stopwatch();
const outcome: Outcome = await INSTRUMENTS[instrument].run({
  seed,
  isOver: () => spent() >= seconds,
  begins: () => {
    start = performance.now();
    spent = stopwatch();
  },
  originals: { count: bundles.length, original },
  corpus: {
    count: files.length,
    tasks: (index) => tasksOf(files[index] ?? ""),
    knowledge,
    rules: { profile: readProfile(CORPUS_PROFILE) },
  },
  ledger: () => readFileSync(fileURLToPath(new URL("../../properties/ledger.json", import.meta.url)), "utf8"),
  spent: () => spent(),
  now: () => performance.now(),
  sound,
  ...(theorems === undefined ? {} : { theorems }),
});
const { evidence, tried, affected, refuted, unwritten } = outcome;
const [took, wall] = [spent(), (performance.now() - start) / 1000].map((time) => Number(time.toFixed(2)));
const answer = { evidence, tried, seconds: took, wall, affected, refuted, unwritten };
outJson(answer);
// Should making it small not end, it is found all the same.
if (evidence !== undefined) outJson({ ...answer, ...smallest(outcome) });

/** The program that showed it, made small where that is asked for. */
function smallest({ program: shown, shows, steps }: Outcome): object {
  if (steps !== undefined) return { instructions: steps.length, text: steps.join("\n") };
  if (shown === undefined) return {};
  const used = stopwatch();
  const small =
    !reduce || shows === undefined
      ? shown
      : reduceProgram(shown, (other) => used() < REDUCTION && shows(other));
  const instructions = small.insns.filter((insn) => insn !== undefined).length;
  return { instructions, text: disassemble(small.insns), bundle: writeBundle({ program: small }) };
}
