/**
 * Programs of the corpus and generated ones, changed and spliced, mended where the verifier refuses them, and held against all oracles of campaigns: as they are, and
 * mended.
 *
 *     npx tsx scripts/mutants.ts [MUTANTS] [SEED] [RUNS] [FOLDER]
 *
 * Exit status 1 if some oracle has a finding; the programs are written to FOLDER as bundles.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { casePrograms, compiledPrograms } from "../properties/verifier/corpus.ts";
import { crossCheck } from "../src/campaign/fuzz/cross-check.ts";
import { ORACLE_NAMES } from "../src/campaign/fuzz/oracle-names.ts";
import { oraclesNamed } from "../src/campaign/fuzz/oracles/all.ts";
import { mutated, repaired, wellEncoded } from "../src/campaign/generate/mutate.ts";
import { programOfSeed } from "../src/campaign/generate/program.ts";
import { generator } from "../src/campaign/random.ts";
import { asLoaded } from "../src/object/as-loaded.ts";
import { writeBundle } from "../src/object/bundle-write.ts";
import { Unsupported } from "../src/semantics/errors.ts";
import { DEFAULT_RULES } from "../src/semantics/profile/rules.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { verify } from "../src/verifier/verify.ts";

const [count = "2000", seed = "1", runs = "4", folder = "artifacts/mutants"] = process.argv.slice(2);
const settings = { rules: DEFAULT_RULES, runs: Number(runs), oracles: oraclesNamed(ORACLE_NAMES) };
/** Instructions that an original may take to verify: its mutants take about as many. */
const LIMIT = 5000;
const LONGEST = 300;

const parents = [
  ...casePrograms(),
  ...compiledPrograms(3).map(asLoaded),
  ...Array.from({ length: 300 }, (_, i) => programOfSeed(1_000_000 + i)),
].filter(
  (program) =>
    program.insns.length < LONGEST && verify(program, undefined, undefined, LIMIT).verdict === "accept",
);

let [encoded, accepted, mended, findings] = [0, 0, 0, 0];

function examine(program: Program, at: number, how: string): boolean {
  const { case: given, violation } = crossCheck(program, at, settings);
  if (violation !== undefined) {
    findings += 1;
    mkdirSync(folder, { recursive: true });
    const file = `${folder}/${violation.oracle}-${how}-${at}.prog.json`;
    writeFileSync(file, writeBundle({ program }));
    console.log(`${file}: ${violation.message}`);
  }
  return given.answer.verdict === "accept";
}

for (let at = Number(seed); at < Number(seed) + Number(count); at += 1) {
  const random = generator(at);
  for (let i = 0; i < 8; i += 1) random.below(2);
  const parent = parents[random.below(parents.length)];
  if (parent === undefined) throw new Error("the corpus has accepted programs");
  const mutant = mutated(parent, parents, random);
  if (!wellEncoded(mutant)) continue;
  encoded += 1;
  try {
    if (verify(mutant, undefined, undefined, LIMIT * 4).verdict === "accept") {
      if (examine(mutant, at, "mutant")) accepted += 1;
      continue;
    }
    const other = repaired(mutant);
    if (other !== undefined && examine(other, at, "mended")) mended += 1;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
  }
}
console.log(
  `${count} mutants of ${parents.length} programs: ${encoded} can be encoded, ${accepted} are accepted, ${mended} once they are mended; ${findings} findings`,
);
process.exitCode = findings === 0 ? 0 : 1;
