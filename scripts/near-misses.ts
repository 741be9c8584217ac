/**
 * A longer search than the tests make time for: near misses of the corpus are verified, and what is accepted runs along its certificate. Prints
 * each program that is found, and the counts; exit status 1 if there is one.
 *
 *     npx tsx scripts/near-misses.ts [SECONDS] [SEED]
 */
import fc from "fast-check";
import { casePrograms, compiledPrograms } from "../properties/verifier/corpus.ts";
import { nearMisses, wellEncoded } from "../properties/verifier/mutate.ts";
import { runProgram } from "../src/campaign/run-program.ts";
import { disassemble } from "../src/semantics/isa/disassemble.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { verify } from "../src/verifier/verify.ts";

const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? 1);
const LOT = 200;
const RUNS = 12;
/** Near misses of loops go round for ever, or nearly so: what takes more instructions is not waited for. */
const LIMIT = 20_000;

const programs = [...casePrograms(), ...compiledPrograms(3)].filter(({ insns }) => insns.length < 200);
const counts = { verified: 0, accepted: 0, found: 0 };

function examine(program: Program): void {
  counts.verified += 1;
  let problem: string | undefined;
  try {
    const verdict = verify(program, undefined, undefined, LIMIT);
    if (verdict.verdict !== "accept") return;
    counts.accepted += 1;
    const [violation] = runProgram(program, verdict, counts.verified, RUNS).violations;
    if (violation !== undefined) problem = `insn ${violation.insn}: ${violation.message}`;
  } catch (error) {
    problem = String(error);
  }
  if (problem === undefined) return;
  counts.found += 1;
  console.log(`${program.name}: ${problem}\n${disassemble(program.insns)}`);
}

const end = performance.now() + seconds * 1000;
for (let lot = 0; performance.now() < end; lot += 1) {
  for (const { mutant } of fc.sample(nearMisses(programs), { seed: seed * 1000 + lot, numRuns: LOT })) {
    if (performance.now() >= end) break;
    if (wellEncoded(mutant)) examine(mutant);
  }
}
console.log(counts);
if (counts.found > 0) process.exitCode = 1;
