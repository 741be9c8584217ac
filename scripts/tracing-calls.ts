/**
 * Calls of helpers for tracing, text, time and memory in the machine and in the running kernel: a table by helper, and what differs.
 *
 *     npx tsx scripts/tracing-calls.ts [COUNT [FIRST_SEED]]
 */
import { tallyCalls } from "../properties/machine/tracing-tally.ts";

const [count = 5000, first = 1] = process.argv.slice(2).map(Number);
const { tallies, differences } = tallyCalls(first, count);
console.log("| helper | calls | different | not modelled | refused by the kernel | answers |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const [helper, tally] of [...tallies].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const { compared, different, unsupported, refused, answers } = tally;
  const errors = [...answers].sort((a, b) => b - a).join(", ");
  console.log(`| ${helper} | ${compared} | ${different} | ${unsupported} | ${refused} | ${errors} |`);
}
for (const difference of differences.slice(0, 10)) console.log(JSON.stringify(difference));
process.exitCode = differences.length === 0 ? 0 : 1;
