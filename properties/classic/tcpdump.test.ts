/**
 * Claim: filters that tcpdump compiles keep here what they keep in `tcpdump -r`, and its text in every form reads as the same filter and is printed the same. Some of
 * the expressions on a small capture; `scripts/filter-expressions.ts` compares all on a large one. Skipped where there is no tcpdump.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Agreement, compareExpression } from "./agreement.ts";
import { EXPRESSIONS } from "./expressions.ts";
import { captureFile, generateFrames } from "./frames.ts";
import { tcpdumpVersion } from "./tcpdump.ts";

const version = tcpdumpVersion();
if (version === undefined) console.warn("skipped: there is no tcpdump");

/** Some of every kind. */
const SOME = EXPRESSIONS.filter((_, index) => index % 16 === 0);

const frames = generateFrames(7, 600);
let folder: string;
let capture: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "soundcheck-"));
  capture = join(folder, "frames.pcap");
  writeFileSync(capture, captureFile(frames));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(version === undefined)("tcpdump", () => {
  const found: Agreement[] = [];

  test.each(SOME)("%s", (expression) => {
    const agreement = compareExpression(capture, frames, expression);
    expect(agreement).toMatchObject({ different: [], texts: [] });
    found.push(agreement);
  });

  test("most expressions keep some frames and not others", () => {
    const tell = found.filter(({ kept }) => kept > 0 && kept < frames.length);
    expect(tell.length).toBeGreaterThan(0.75 * SOME.length);
  });
});
