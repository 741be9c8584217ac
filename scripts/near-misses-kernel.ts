/**
 * Near misses of the corpus, verified by us and by a kernel: how often the verdicts are the same, and where not. A guest, since nobody
 * knows what is asked of it.
 *
 *     npx tsx scripts/near-misses-kernel.ts KERNEL [SECONDS] [SEED] [FOLDER]
 *
 * The first programs of each kind of difference are written to FOLDER as bundles. Exit status 1 if we accept something that the kernel refuses
 * and that faults when it runs, or if the kernel fails.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { casePrograms, compiledPrograms } from "../properties/verifier/corpus.ts";
import { nearMisses, wellEncoded } from "../properties/verifier/mutate.ts";
import { checkedVerdict, kernelAnswer } from "../src/campaign/compare/answer.ts";
import { complaintOf } from "../src/campaign/compare/complaint.ts";
import { type Relation, relationOf } from "../src/campaign/compare/relation.ts";
import { rulesOf } from "../src/campaign/compare/rules.ts";
import { runProgram } from "../src/campaign/run-program.ts";
import { openKernel } from "../src/cli/kernels.ts";
import { asLoaded } from "../src/object/as-loaded.ts";
import { writeBundle } from "../src/object/bundle-write.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { verify } from "../src/verifier/verify.ts";

const [name, seconds = "600", seed = "1", folder = "artifacts/near-misses"] = process.argv.slice(2);
if (name === undefined) throw new Error("usage: near-misses-kernel.ts KERNEL [SECONDS] [SEED] [FOLDER]");

const LOT = 64;
const RUNS = 8;
/** Programs of each kind of difference that are written down. */
const KEPT = 3;
/** Of both: what takes more instructions is not compared. */
const LIMIT = 50_000;

const programs = [...casePrograms(), ...compiledPrograms(3).map(asLoaded)].filter(
  (p) => p.insns.length < 300 && verify(p, undefined, undefined, LIMIT).verdict === "accept",
);
const other = openKernel(name);
const counts = new Map<Relation["kind"] | "faults", number>();
const kinds = new Map<string, number>();
const now = (): number => performance.now();

const count = <K>(map: Map<K, number>, key: K): number => {
  const next = (map.get(key) ?? 0) + 1;
  map.set(key, next);
  return next;
};

function keep(kind: string, program: Program, words: string): void {
  const number = count(kinds, kind);
  if (number > KEPT) return;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${kind.replaceAll(/[^a-z0-9]+/gi, "-")}-${number}.prog.json`;
  writeFileSync(file, writeBundle({ program }));
  console.log(`${file}: ${words}`);
}

function examine(program: Program, runSeed: number): void {
  const kernel = other.kernel();
  const verdict = verify(program, undefined, rulesOf(kernel), LIMIT);
  const ours = checkedVerdict(verdict, 0);
  if (ours.message?.startsWith("BPF program is too large") === true) return;
  const theirs = kernelAnswer(kernel, program, now);
  const { kind } = relationOf(ours, theirs, { program: "", file: undefined, known: [] });
  count(counts, kind);
  if (kind === "same" || kind === "unsupported" || kind === "not comparable") return;
  if ("incomparable" in theirs) return;
  const said = (v: typeof ours): string =>
    v.verdict === "reject" ? `${v.errno} ${v.message?.split("\n").at(-1)}` : v.verdict;
  let words = `ours ${said(ours)}; theirs ${said(theirs)}`;
  if (verdict.verdict === "accept") {
    const [violation] = runProgram(program, verdict, runSeed, RUNS).violations;
    if (violation !== undefined) {
      count(counts, "faults");
      words = `FAULTS at insn ${violation.insn}: ${violation.message}; ${words}`;
      process.exitCode = 1;
    }
  }
  const complaint = (v: typeof ours): string =>
    v.verdict === "reject" ? complaintOf(v.message ?? "") : v.verdict;
  keep(`${kind} ours ${complaint(ours)} theirs ${complaint(theirs)}`, program, words);
}

try {
  const end = now() + Number(seconds) * 1000;
  for (let lot = 0; now() < end; lot += 1) {
    const sample = fc.sample(nearMisses(programs), { seed: Number(seed) * 1000 + lot, numRuns: LOT });
    for (const { mutant } of sample) if (now() < end && wellEncoded(mutant)) examine(mutant, lot);
  }
} finally {
  other.close();
}
console.log(Object.fromEntries(counts));
console.log([...kinds].sort(([, a], [, b]) => b - a));
