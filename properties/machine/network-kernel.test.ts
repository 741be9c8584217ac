/**
 * Claim: look-ups of routes and sockets give in the machine what they give in the running kernel, in a network namespace with the same devices, routes, neighbours and
 * sockets; the former are drawn by chance. Skipped with the reason where there cannot be one.
 */
import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { cloning, NETWORK } from "./helper-calls.ts";
import { compareCalls, Tally } from "./helper-tally.ts";
import { ownNetworkProblem, within } from "./own-network.ts";
import { compareLookups, lookups, networks } from "./route-lookups.ts";
import { compareSocketLookup, socketLookups, withSockets } from "./socket-lookups.ts";

const kernel = kernelAvailable();
const problem = kernel.ok ? ownNetworkProblem() : kernel.reason;
if (problem !== undefined) console.warn(`skipped: ${problem}`);

describe.skipIf(problem !== undefined)("the network around a packet", () => {
  test.prop([networks, fc.array(lookups, { minLength: 30, maxLength: 60 })], { numRuns: 12 })(
    "look-ups of routes",
    (network, list) => {
      expect(within(network, () => compareLookups(network, list))).toBeUndefined();
    },
  );

  test.prop([fc.array(cloning, { minLength: 20, maxLength: 30 })], { numRuns: 1 })(
    "what becomes of clones",
    (list) => {
      const compare = (): readonly (string | undefined)[] =>
        list.map((drawn) => compareCalls(drawn, new Tally()));
      expect(within(NETWORK, compare).find((problem) => problem !== undefined)).toBeUndefined();
    },
  );

  test.prop([fc.array(socketLookups, { minLength: 20, maxLength: 30 })], { numRuns: 1 })(
    "of sockets",
    (list) => {
      const compare = (): readonly (string | undefined)[] => list.map(compareSocketLookup);
      expect(within({}, () => withSockets(compare)).find((problem) => problem !== undefined)).toBeUndefined();
    },
  );
});
