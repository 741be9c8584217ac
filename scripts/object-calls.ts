/**
 * Programs that hold objects, drawn by chance, on the machine and on the running kernel: more of them than the tests make time for. Prints each program about which the two
 * disagree, and a table of the functions that were called; exit status 1 if there is one.
 *
 *     npx tsx scripts/object-calls.ts [PROGRAMS] [SEED] [FAMILY]
 */
import { compareObjects, ObjectTally } from "../properties/machine/object-pair.ts";
import { FAMILIES, objectProgram } from "../properties/machine/object-programs.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";

const wanted = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? 1);
const families = FAMILIES.filter((family) => process.argv[4] === undefined || process.argv[4] === family);
/** So many disagreements are printed. */
const SHOWN = 5;

const kernel = kernelAvailable();
if (!kernel.ok) throw new Error(kernel.reason);

const tally = new ObjectTally();
for (let i = 0; i < wanted; i += 1) {
  const family = families[i % families.length] ?? FAMILIES[0];
  const drawn = objectProgram(family, seed * 1_000_000 + i);
  const problem = compareObjects(drawn, tally);
  if (problem === undefined) continue;
  tally.different += 1;
  if (tally.different <= SHOWN) console.log(`${drawn.program.name}: ${problem}\n${drawn.asm}\n`);
}
console.log(tally.table());
console.log(
  `${tally.programs} programs, ${tally.compared} calls, ${tally.different} programs with differences`,
);
if (tally.different > 0) process.exitCode = 1;
