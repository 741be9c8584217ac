/**
 * Claim: what Linux promises of elements that several processors work on at once, it keeps: histories of a program's operations and user space's, or another program's, are
 * linearisable. Skipped with the reason where bpf(2) cannot be used, or where there is one processor.
 */
import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { rounds, SCENARIOS } from "./elements.ts";
import { isTorn, linearisation } from "./history.ts";

const kernel = kernelAvailable();
const isHere = kernel.ok && process.arch === "x64" && availableParallelism() > 1;
if (!isHere) console.warn(`skipped: ${kernel.ok ? "one processor, or not x86-64" : kernel.reason}`);

const ROUNDS = Number(process.env["SOUNDCHECK_ROUNDS"] ?? 5);

describe.skipIf(!isHere)("elements that two processors work on", () => {
  it.each(Object.entries(SCENARIOS))(
    "%s",
    async (name, scenario) => {
      const histories = await rounds(scenario, ROUNDS);
      const wrong = histories.filter(({ calls, start }) => linearisation(calls, start) === undefined);
      const torn = histories.flatMap(({ calls, start }) => {
        const written = [
          start,
          ...calls.flatMap(({ operation }) => (operation.do === "update" ? [operation.value] : [])),
        ];
        return calls.filter(
          ({ operation, result }) =>
            operation.do === "lookup" && Array.isArray(result) && isTorn(result, written),
        );
      });
      const overlaps = histories.flatMap(({ calls }) =>
        calls.filter((one) =>
          calls.some(
            (other) => other.thread !== one.thread && other.begin < one.end && one.begin < other.end,
          ),
        ),
      ).length;
      const all = histories.flatMap(({ calls }) => calls).length;
      console.log(
        `${name}: ${all} operations, ${overlaps} of them while the other processor worked, ${torn.length} torn, ${wrong.length} of ${ROUNDS} histories not linearisable`,
      );
      expect(all).toBeGreaterThan(200 * ROUNDS);
      if (scenario.promised) expect([wrong.length, torn.length]).toEqual([0, 0]);
    },
    120_000,
  );
});
