/**
 * Claim: fib_lookup gives in the machine what it gives in the running kernel, in a network namespace with the same devices, routes and neighbours, which are drawn
 * by chance. Skipped with the reason where there cannot be one.
 */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { ownNetworkProblem, within } from "./own-network.ts";
import { compareLookups, lookups, networks } from "./route-lookups.ts";

const kernel = kernelAvailable();
const problem = kernel.ok ? ownNetworkProblem() : kernel.reason;
if (problem !== undefined) console.warn(`skipped: ${problem}`);

describe.skipIf(problem !== undefined)("look-ups of routes", () => {
  test.prop([networks, fc.array(lookups, { minLength: 30, maxLength: 60 })], { numRuns: 12 })(
    "the same on both",
    (network, list) => {
      expect(within(network, () => compareLookups(network, list))).toBeUndefined();
    },
  );
});
