/** Every program of the corpus that is rejected is told what was needed, what was known, and what mends it, in a few lines. */
import { expect, test } from "vitest";
import { explain } from "../../src/verifier/explain/explain.ts";
import { verify } from "../../src/verifier/verify.ts";
import { casePrograms, compiledPrograms } from "./corpus.ts";

/** Instructions processed: some loops of the corpus go round until the kernel's limit is reached. */
const LIMIT = 50_000;

test("every rejection of the corpus is explained; its path can be executed again", () => {
  const unexplained: string[] = [];
  for (const p of [...casePrograms(), ...compiledPrograms(3)]) {
    const { name } = p;
    const verdict = verify(p, undefined, undefined, LIMIT);
    if (verdict.verdict !== "reject") continue;
    const { needed, suggestion, slice, known } = explain(p, verdict);
    if (needed === undefined || suggestion === undefined) unexplained.push(`${name}: ${verdict.message}`);
    // What names a register says what was known of it.
    if (/^[^\n]*\bR\d+\b/.test(verdict.message) && known === undefined)
      unexplained.push(`${name}: nothing known`);
    if (slice.length > 12) unexplained.push(`${name}: ${slice.length} lines`);
  }
  expect(unexplained).toEqual([]);
});
