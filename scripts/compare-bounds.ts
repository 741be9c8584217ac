/**
 * Our bounds beside the running kernel's, and the kernel's beside the truth, on more programs than the tests make time for. Prints the table by
 * instruction, the kinds of losses and the findings; exit status 1 if there is a finding.
 *
 *     npx tsx scripts/compare-bounds.ts [PROGRAMS] [SEED]
 */
import fc from "fast-check";
import { measure, nothingMeasured } from "../properties/scalar/kernel-measure.ts";
import { boundsPrograms } from "../properties/scalar/kernel-programs.ts";
import {
  findingsText,
  lossesText,
  pathLossesText,
  precisionTable,
  summary,
} from "../properties/scalar/kernel-report.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";

const programs = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? 1);
const LOT = 500;
/** Whole programs that are printed at most. */
const MOST_PATHS = 20;

const kernel = kernelAvailable();
if (!kernel.ok) {
  console.error(kernel.reason);
  process.exit(2);
}
const measured = nothingMeasured();
for (let lot = 0; lot * LOT < programs; lot += 1) {
  const numRuns = Math.min(LOT, programs - lot * LOT);
  for (const bounds of fc.sample(boundsPrograms(), { numRuns, seed: seed * 100_000 + lot }))
    measure(measured, bounds);
}
console.log(`Linux ${kernel.release}, seed ${seed}\n\n${precisionTable(measured)}\n\n${summary(measured)}`);
const losses = lossesText(measured);
if (losses !== "") console.log(`\nLess precise than the kernel:\n\n${losses}`);
const paths = pathLossesText({ ...measured, pathLosses: measured.pathLosses.slice(0, MOST_PATHS) });
if (paths !== "") console.log(`\nLess precise along a whole program:\n\n${paths}`);
for (const { bounds, verdict } of measured.refused.slice(0, MOST_PATHS)) {
  console.log(`\nrefused by ours: ${bounds.program.name}: ${verdict}`);
}
if (measured.findings.length > 0) {
  console.log(`\nFindings:\n\n${findingsText(measured)}`);
  process.exitCode = 1;
}
