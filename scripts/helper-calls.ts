/**
 * Calls of helpers on packets and look-ups of routes and sockets, drawn by chance, on the machine and on the running kernel: more of them than the tests make time for. Prints each program
 * about which the two disagree, and a table by helper; exit status 1 if there is one.
 *
 *     npx tsx scripts/helper-calls.ts [CALLS] [SEED]
 */
import fc from "fast-check";
import { type Calls, calls, cloning, NETWORK } from "../properties/machine/helper-calls.ts";
import { compareCalls, Tally } from "../properties/machine/helper-tally.ts";
import { ownNetworkProblem, within } from "../properties/machine/own-network.ts";
import { compareLookups, lookups, networks } from "../properties/machine/route-lookups.ts";
import { compareSocketLookup, socketLookups, withSockets } from "../properties/machine/socket-lookups.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";

const wanted = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? 1);
const LOT = 100;
/** So many disagreements are printed. */
const SHOWN = 10;

const kernel = kernelAvailable();
if (!kernel.ok) throw new Error(kernel.reason);

const tally = new Tally();

function compare(drawn: Calls): void {
  const problem = compareCalls(drawn, tally);
  if (problem === undefined || tally.different > SHOWN) return;
  console.log(`${drawn.program.type}:\n${drawn.asm}\n${problem}\n`);
}

for (let lot = 0; tally.compared < wanted; lot += 1) {
  for (const drawn of fc.sample(calls, { seed: seed * 100_000 + lot, numRuns: LOT })) compare(drawn);
}
const networkProblem = ownNetworkProblem();
if (networkProblem !== undefined) console.log(networkProblem);
const LOOKUPS = 100;
const networksWanted = networkProblem === undefined ? wanted / (20 * LOOKUPS) : 0;
for (let drawn = 0; drawn < networksWanted; drawn += 1) {
  const [network = {}] = fc.sample(networks, { seed: seed * 100_000 + drawn, numRuns: 1 });
  const list = fc.sample(lookups, { seed: seed * 100_000 + drawn, numRuns: LOOKUPS });
  const problem = within(network, () => compareLookups(network, list));
  tally.add(
    Array.from(list, () => "fib_lookup"),
    problem === undefined,
  );
  if (problem !== undefined) console.log(`${JSON.stringify(network)}:\n${problem}\n`);
}
if (networkProblem === undefined) {
  within(NETWORK, () => {
    for (const drawn of fc.sample(cloning, { seed, numRuns: Math.ceil(wanted / 50) })) compare(drawn);
  });
  within({}, () =>
    withSockets(() => {
      for (const lookup of fc.sample(socketLookups, { seed, numRuns: Math.ceil(wanted / 20) })) {
        const problem = compareSocketLookup(lookup);
        tally.add([lookup.helper], problem === undefined);
        if (problem !== undefined) console.log(`${lookup.helper}: ${problem}\n`);
      }
    }),
  );
}
console.log(tally.table());
if (tally.different > 0) process.exitCode = 1;
