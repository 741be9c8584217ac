/**
 * Every state that the running kernel prints while it verifies the corpus can be read, and stands at its instruction: on the way there is
 * always one before it, and one after it unless the path ends.
 */
import { describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { parseStateLog } from "../../src/oracle/linux/state-log.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { verify } from "../../src/verifier/verify.ts";
import { casePrograms, compiledPrograms } from "./corpus.ts";

/** Whether the kernel would follow a loop until it gives up: its log has the same lines again and again. */
function isEndless(program: Program): boolean {
  const verdict = verify(program, undefined, undefined, 20_000);
  return verdict.verdict === "accept"
    ? verdict.longestRun > 100_000n
    : verdict.verdict === "reject" && verdict.errno === "E2BIG";
}

const kernel = kernelAvailable();
/** Loops that are gone round write more, and nothing new. */
const LOG_BYTES = 1 << 18;
/** A log from its first line on: of the program's functions, its first source line or its first state. */
const WHOLE = /^(?:func#0|0: )/;
const programs = kernel.ok
  ? [...casePrograms(), ...compiledPrograms(1), ...compiledPrograms(3)].filter(
      (p) => p.privileges === undefined,
    )
  : [];

describe.skipIf(!kernel.ok)(`the kernel's states${kernel.ok ? "" : ` (skipped: ${kernel.reason})`}`, () => {
  test("are all read", () => {
    let instructions = 0;
    for (const program of programs) {
      if (isEndless(program)) continue;
      const result = loadProgram(program, { logLevel: 2, logSize: LOG_BYTES });
      if (result.verdict === "accept") result.close();
      // Of a log that is too long the kernel keeps the end: a state is only missing there because it was cut off.
      if (!WHOLE.test(result.log)) continue;
      const { paths } = parseStateLog(result.log);
      const lines = result.log.split("\n").filter((line) => /^\d+: \(/.test(line));
      expect(paths.flatMap(({ steps }) => steps).length, program.name).toBe(lines.length);
      instructions += lines.length;
      for (const { steps } of paths) {
        const inside = steps.slice(0, -1);
        expect(
          steps.filter(({ before }) => before === undefined),
          program.name,
        ).toEqual([]);
        expect(
          inside.filter(({ after }) => after === undefined),
          program.name,
        ).toEqual([]);
      }
    }
    expect(instructions).toBeGreaterThan(15_000);
    console.log(`${instructions} instructions of ${programs.length} programs with their states`);
  });
});
