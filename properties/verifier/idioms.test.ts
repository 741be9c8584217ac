/**
 * Idioms of C programs, as clang compiles them with and without 32-bit instructions: all are safe. What the running kernel accepts is accepted, and so
 * is the rest but for what is listed here with the fact that is missing. What is accepted runs along its certificate.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runProgram } from "../../src/campaign/run-program.ts";
import { readObject } from "../../src/object/programs.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { verify } from "../../src/verifier/verify.ts";

const folder = new URL("../../corpus/idioms/", import.meta.url);

/** Safe programs that are refused, here and by Linux 6.18, and what would have to be known. */
const MISSING: Readonly<Record<string, string>> = {
  off_len_sum2: "a sum that did not wrap around is no less than what was added",
  off_len_sum64: "a sum of two numbers that are not negative is no less than either",
  diff_idx: "which of two unknown numbers is the greater",
  diff_idx2: "which of two unknown numbers is the greater",
  tot_len: "how far the packet reaches, when the pointer that was checked is gone",
  tot_len_b: "how far the packet reaches, when the pointer that was checked is gone",
  pkt_range_len: "that the difference of two pointers is the packet's length",
  ports: "bits in the middle of a number that two others have in common",
  round_up12: "that a number and its remainder differ by a multiple of the divisor",
};

const objects = readdirSync(folder).filter((name) => name.endsWith(".o"));
const programs = objects.flatMap((object) =>
  readObject(readFileSync(new URL(object, folder))).programs.map((program) => ({ object, program })),
);
const kernel = kernelAvailable();

describe.each(objects)("%s", (object) => {
  const own = programs.filter((each) => each.object === object).map(({ program }) => program);

  test.each(own)("$name", (program) => {
    const verdict = verify(program);
    if (verdict.verdict !== "accept") expect(Object.keys(MISSING)).toContain(program.name);
    expect(runProgram(program, verdict, 1, 4).violations).toEqual([]);
  });

  test.skipIf(!kernel.ok)("what the kernel accepts is accepted", () => {
    const refused = own.filter((program) => {
      const result = loadProgram(program, { logLevel: 0 });
      if (result.verdict === "accept") result.close();
      return result.verdict === "accept" && verify(program).verdict !== "accept";
    });
    expect(refused.map(({ name }) => name)).toEqual([]);
  });
});

test("what is listed as missing still is", () => {
  const refused = new Set(
    programs.filter(({ program }) => verify(program).verdict !== "accept").map(({ program }) => program.name),
  );
  expect(Object.keys(MISSING).filter((name) => !refused.has(name))).toEqual([]);
});
