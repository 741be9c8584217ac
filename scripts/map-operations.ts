/**
 * Compares maps of all types with the running kernel's at length, and prints a table for docs/machine.md:
 *
 *     npx tsx scripts/map-operations.ts --operations 100000 --seed 1
 *
 * A difference ends it with status 1, with the operations that show it.
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { creation, kernelsAnswer } from "../properties/machine/map-creations.ts";
import { compare, sequence, type Tally, TRIED } from "../properties/machine/map-operations.ts";
import { closeReferences, openReferences } from "../properties/machine/map-references.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";
import type { MapType } from "../src/semantics/program/map-types.ts";
import { creationError } from "../src/vm/maps/creation.ts";

const LENGTH = 40;
/** Maps that are created, for each hundred operations. */
const CREATIONS = 10;

const { values } = parseArgs({
  options: { operations: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
});
const wanted = Number(values.operations);
const seed = Number(values.seed);
const kernel = kernelAvailable();
if (!kernel.ok) throw new Error(kernel.reason);

const references = openReferences();

function compareType(type: MapType): Tally {
  const tally = { compared: 0, succeeded: 0 };
  const property = fc.property(sequence(type, LENGTH), ([definition, operations]) => {
    compare(definition, operations, references, tally);
  });
  fc.assert(property, { numRuns: Math.ceil(wanted / TRIED.length / LENGTH), seed });
  return tally;
}

const total = { compared: 0, succeeded: 0 };
const row = (name: string, { compared, succeeded }: Tally, differences: string): string =>
  `| ${name} | ${compared.toLocaleString("en")} | ${succeeded.toLocaleString("en")} | ${differences} |`;
let different = false;
console.log("| map type | operations | without an error | differences |\n| --- | --- | --- | --- |");
for (const type of TRIED) {
  try {
    const tally = compareType(type);
    total.compared += tally.compared;
    total.succeeded += tally.succeeded;
    console.log(row(type, tally, "none"));
  } catch (error) {
    different = true;
    console.log(`| ${type} | | | ${String(error)} ${error instanceof Error ? String(error.cause) : ""} |`);
  }
}
const created = Math.ceil((wanted / 100) * CREATIONS);
fc.assert(
  fc.property(creation, (definition) => creationError(definition) === kernelsAnswer(definition)),
  { numRuns: created, seed },
);
console.log(row("all", total, different ? "see above" : "none"));
console.log(`\n${created.toLocaleString("en")} creations, right and wrong: all answered alike.`);
closeReferences(references);
process.exitCode = different ? 1 : 0;
