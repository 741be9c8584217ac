/**
 * Z3's word on the programs of the corpus that our verifier rejects: how many of those that no run makes fault are proved to be harmless on the refused path.
 *
 *     npx tsx scripts/rejected-words.ts [FOLDER] [RUNS]
 *
 * The table is in docs/fuzzing.md. Exit status 1 if a run faults at an instruction that was proved to be harmless.
 */
import { readdirSync, readFileSync } from "node:fs";
import { runProgram } from "../src/campaign/run-program.ts";
import { wordOn } from "../src/campaign/word/word.ts";
import { readBundle } from "../src/object/bundle.ts";
import { z3Process } from "../src/proof/z3-process.ts";
import { InputError, Unsupported } from "../src/semantics/errors.ts";
import { DEFAULT_RULES } from "../src/semantics/profile/rules.ts";
import { verify } from "../src/verifier/verify.ts";

const [folder = "corpus/verifier", count = "64"] = process.argv.slice(2);
const [RUNS, TIMEOUT_MS, BUDGET] = [Number(count), 5000, 4096];
const solver = z3Process();
await solver.prepare();
const tally = new Map<string, number>();
let [rejected, faulting, wrong] = [0, 0, 0];
for (const name of readdirSync(folder).toSorted()) {
  if (!name.endsWith(".prog.json")) continue;
  try {
    const { program } = readBundle(readFileSync(`${folder}/${name}`, "utf8"));
    const verdict = verify(program);
    if (verdict.verdict !== "reject") continue;
    rejected += 1;
    const { witness, runs } = runProgram(program, verdict, 1, RUNS, [], DEFAULT_RULES, BUDGET);
    if (witness !== undefined) faulting += 1;
    const word = await wordOn(program, verdict, 2, DEFAULT_RULES, {
      solver,
      timeoutMs: TIMEOUT_MS,
      runs: 16,
    });
    const isAt = witness?.outcome.kind === "fault" && witness.outcome.insn === verdict.insn;
    if (word.kind === "harmless")
      process.stdout.write(`${name}: ${word.because}${isAt ? ", and a run FAULTS there" : ""}\n`);
    if (word.kind === "harmless" && isAt) wrong += 1;
    if (witness !== undefined) continue;
    const said =
      word.kind === "harmless"
        ? `harmless: ${word.because}`
        : word.kind === "not known"
          ? word.why
          : word.kind;
    const key = runs.length === 0 ? "the machine does not run it" : said;
    tally.set(key, (tally.get(key) ?? 0) + 1);
  } catch (error) {
    if (!(error instanceof InputError || error instanceof Unsupported)) throw error;
  }
}
solver.stop();
process.stdout.write(`${rejected} rejected, ${faulting} shown to fault\n`);
for (const [said, many] of [...tally].toSorted((a, b) => b[1] - a[1]))
  process.stdout.write(`${many}  ${said}\n`);
process.exitCode = wrong > 0 ? 1 : 0;
