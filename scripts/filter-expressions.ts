/**
 * Filter expressions beside tcpdump, all of them: `npx tsx scripts/filter-expressions.ts [frames] [seed]`. Prints a line for each that differs and
 * the figures of docs/machine.md; exits with 1 if any differs.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Agreement, compareExpression } from "../properties/classic/agreement.ts";
import { EXPRESSIONS } from "../properties/classic/expressions.ts";
import { captureFile, generateFrames } from "../properties/classic/frames.ts";
import { tcpdumpVersion } from "../properties/classic/tcpdump.ts";

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
