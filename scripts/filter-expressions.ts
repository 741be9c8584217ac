/**
 * Filter expressions beside tcpdump, all of them: `npx tsx scripts/filter-expressions.ts [frames] [seed]`. Prints a line for each that differs and
 * the figures of docs/machine.md; exits with 1 if any differs. Where there is bpfc (of netsniff-ng), it reads the assembly that is printed for the filters.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agreement, compareExpression } from "../properties/classic/agreement.ts";
import { type CompiledExpression, readExpressions } from "../properties/classic/expression-corpus.ts";
import { EXPRESSIONS } from "../properties/classic/expressions.ts";
import { captureFile, generateFrames } from "../properties/classic/frames.ts";
import { tcpdumpVersion } from "../properties/classic/tcpdump.ts";
import { disassembleFilter } from "../src/semantics/classic/disassemble.ts";
import { readInitialisers } from "../src/semantics/classic/numbers.ts";
import { classicRow } from "../src/semantics/classic/table.ts";

/** Whether bpfc makes the same filter of our assembly; numbers without an operand are not compared, since no text shows them. */
function assembles({ filter }: CompiledExpression): boolean {
  const given = filter.map((insn) => (classicRow(insn.code)?.k === "none" ? { ...insn, k: 0 } : insn));
  const out = execFileSync("bpfc", ["-i", "-", "-b"], { input: disassembleFilter(filter), encoding: "utf8" });
  return JSON.stringify(readInitialisers(out)) === JSON.stringify(given);
}

const [count = "20000", seed = "1"] = process.argv.slice(2);

const version = tcpdumpVersion();
if (version === undefined) throw new Error("there is no tcpdump");
const frames = generateFrames(Number(seed), Number(count));
const folder = mkdtempSync(join(tmpdir(), "soundcheck-"));
const capture = join(folder, "frames.pcap");
writeFileSync(capture, captureFile(frames));

const found: Agreement[] = [];
for (const expression of EXPRESSIONS) {
  try {
    found.push(compareExpression(capture, frames, expression));
  } catch (error) {
    console.log(`${expression}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
rmSync(folder, { recursive: true });

for (const { expression, different, texts } of found) {
  if (different.length + texts.length === 0) continue;
  process.exitCode = 1;
  console.log(
    `${expression}: frames ${different.slice(0, 5).join(" ")} (${different.length}) ${texts.join(", ")}`,
  );
}
const tells = found.filter(({ kept }) => kept > 0 && kept < frames.length).length;
const instructions = found.reduce((sum, each) => sum + each.instructions, 0);
const agree = found.filter(({ different, texts }) => different.length + texts.length === 0).length;
console.log(
  `${version}; ${frames.length} frames (seed ${seed}); ${EXPRESSIONS.length} expressions of ${instructions} instructions in all, ` +
    `${tells} of which keep some frames and not others; ${agree} agree`,
);

if (spawnSync("bpfc", ["--version"]).error === undefined) {
  const corpus = new URL("../corpus/classic/expressions.json", import.meta.url);
  const all = readExpressions(readFileSync(corpus, "utf8"));
  const same = all.filter(assembles);
  if (same.length < all.length) process.exitCode = 1;
  console.log(`bpfc reads the assembly of ${same.length} of ${all.length} filters as the same filter`);
}
