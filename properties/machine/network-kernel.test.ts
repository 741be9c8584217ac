/**
 * Claim: look-ups of routes and sockets give in the machine what they give in the running kernel, in a network namespace with the same devices, routes, neighbours and
 * sockets; the former are drawn by chance. Skipped with the reason where there cannot be one.
 */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { ownNetworkProblem, within } from "./own-network.ts";
import { compareLookups, lookups, networks } from "./route-lookups.ts";
import { compareSocketLookup, socketLookups, withSockets } from "./socket-lookups.ts";

const kernel = kernelAvailable();
const problem = kernel.ok ? ownNetworkProblem() : kernel.reason;
if (problem !== undefined) console.warn(`skipped: ${problem}`);

describe.skipIf(problem !== undefined)("look-ups", () => {
  test.prop([networks, fc.array(lookups, { minLength: 30, maxLength: 60 })], { numRuns: 12 })(
    "of routes",
    (network, list) => {
      expect(within(network, () => compareLookups(network, list))).toBeUndefined();
    },
  );

  test.prop([fc.array(socketLookups, { minLength: 20, maxLength: 30 })], { numRuns: 3 })(
    "of sockets",
    (list) => {
      const compare = (): readonly (string | undefined)[] => list.map(compareSocketLookup);
      expect(within({}, () => withSockets(compare)).find((problem) => problem !== undefined)).toBeUndefined();
    },
  );
});
