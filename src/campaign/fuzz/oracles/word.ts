/** Of what no run makes fault, Z3's word on the refused path (`campaign/word`). It takes seconds, so it is asked only where it is named, of what `harmless` leaves; it is counted, and never a finding. */
import type { Solver } from "../../../proof/question.ts";
import { z3Process } from "../../../proof/z3-process.ts";
import { wordOn } from "../../word/word.ts";
import type { Case, Oracle } from "./oracle.ts";

export const word: Oracle = { name: "word", judge: () => [] };

/** Of a question, and runs that look for what Z3 takes for possible. */
const TIMEOUT_MS = 5000;
const CONFIRMING_RUNS = 16;

/** One for the process; it ends with it. */
let solver: Solver | undefined;
/** By the program's instructions and the path: what was asked is not asked again. */
const answered = new Map<string, string>();
const MOST_ANSWERED = 4096;

/** The last question: the solver is asked one after the other, whatever else the process does meanwhile. */
let last: Promise<unknown> = Promise.resolve();

/** Z3's word in a few words, to be counted; undefined for what is not rejected. */
export function wordOf(about: Case): Promise<string | undefined> {
  const said = last.then(() => askFor(about));
  last = said.catch(() => undefined);
  return said;
}

async function askFor({ program, seed, rules, verdict }: Case): Promise<string | undefined> {
  if (verdict?.verdict !== "reject") return undefined;
  const key = JSON.stringify([
    program.insns.map((insn) => insn && { ...insn, row: insn.row.name }),
    verdict.path,
  ]);
  const known = answered.get(key);
  if (known !== undefined) return known;
  solver ??= z3Process();
  await solver.prepare();
  const asking = { solver, timeoutMs: TIMEOUT_MS, runs: CONFIRMING_RUNS };
  const word = await wordOn(program, verdict, seed ^ 0x2545f491, rules, asking);
  const said =
    word.kind === "harmless"
      ? `harmless, proved: ${word.because}`
      : word.kind === "can fault"
        ? "can fault, by a run"
        : `not known: ${word.why}`;
  if (answered.size >= MOST_ANSWERED) answered.clear();
  answered.set(key, said);
  return said;
}
