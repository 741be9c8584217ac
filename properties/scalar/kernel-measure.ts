/** Many programs measured against the kernel: how often ours is as precise, more, or less; and what was outside of anyone's bounds. */
import { loadRaw } from "../../src/oracle/linux/load.ts";
import { parseStateLog } from "../../src/oracle/linux/state-log.ts";
import { encode } from "../../src/semantics/isa/codec.ts";
import { verify } from "../../src/verifier/verify.ts";
import {
  COMPARED,
  type Compared,
  type Comparison,
  compareOperator,
  precisionOf,
  witness,
} from "./kernel-bounds.ts";
import { comparePath, type PathComparison } from "./kernel-paths.ts";
import type { BoundsProgram } from "./kernel-programs.ts";
import { type Finding, runAll } from "./kernel-runs.ts";

/** Results of one row of the instruction table; for jumps each operand on each edge is one. */
export interface RowCounts {
  results: number;
  equal: number;
  more: number;
  less: number;
  /** More in one component, less in another. */
  incomparable: number;
  /** Of the last two, those where a number was found that ours holds and the kernel's does not. */
  holdsMore: number;
}

/** A result in which ours is less precise in some component. */
export interface Loss {
  readonly bounds: BoundsProgram;
  readonly comparison: Comparison;
  /** `edge` if the kernel knows that it is not taken. */
  readonly components: readonly (Compared | "edge")[];
  readonly holds: bigint | undefined;
}

export interface Measured {
  readonly rows: Map<string, RowCounts>;
  programs: number;
  /** Programs whose instruction under test the kernel reached. */
  reached: number;
  readonly losses: Loss[];
  /** Whole programs, each side with its own bounds from the start. */
  readonly paths: { compared: number; more: number; impossible: number };
  readonly pathLosses: {
    readonly bounds: BoundsProgram;
    readonly loss: NonNullable<PathComparison["loss"]>;
  }[];
  runs: number;
  /** Numbers in registers that were held against the kernel's bounds. */
  compared: number;
  readonly findings: { readonly bounds: BoundsProgram; readonly finding: Finding }[];
  /** Programs that ours does not accept, with why. */
  readonly refused: { readonly bounds: BoundsProgram; readonly verdict: string }[];
}

export const nothingMeasured = (): Measured => ({
  rows: new Map(),
  programs: 0,
  reached: 0,
  losses: [],
  paths: { compared: 0, more: 0, impossible: 0 },
  pathLosses: [],
  runs: 0,
  compared: 0,
  findings: [],
  refused: [],
});

function countsOf(measured: Measured, row: string): RowCounts {
  const found = measured.rows.get(row) ?? {
    results: 0,
    equal: 0,
    more: 0,
    less: 0,
    incomparable: 0,
    holdsMore: 0,
  };
  measured.rows.set(row, found);
  return found;
}

function count(measured: Measured, bounds: BoundsProgram, comparison: Comparison): void {
  const { ours, kernel } = comparison;
  if (ours === undefined && kernel === undefined) return;
  const counts = countsOf(measured, bounds.row.name);
  counts.results += 1;
  if (ours === undefined) {
    counts.more += 1;
    return;
  }
  const lose = (components: Loss["components"], holds: bigint | undefined): void => {
    if (holds !== undefined) counts.holdsMore += 1;
    measured.losses.push({ bounds, comparison, components, holds });
  };
  if (kernel === undefined) {
    counts.less += 1;
    return lose(["edge"], undefined);
  }
  const verdicts = COMPARED.map((component) => ({
    component,
    verdict: precisionOf(component, ours, kernel),
  }));
  const worse = verdicts.filter(({ verdict }) => verdict === "less" || verdict === "incomparable");
  const better = verdicts.some(({ verdict }) => verdict === "more" || verdict === "incomparable");
  if (worse.length === 0) counts[better ? "more" : "equal"] += 1;
  else {
    counts[better ? "incomparable" : "less"] += 1;
    lose(
      worse.map(({ component }) => component),
      witness(ours, kernel),
    );
  }
}

/** Loads a program, compares, runs, and adds what comes of it to `measured`. @throws if the kernel refuses it: these programs are safe */
export function measure(measured: Measured, bounds: BoundsProgram): void {
  const { program } = bounds;
  const loaded = loadRaw({ type: program.type, insns: encode(program.insns) }, { logLevel: 2 });
  if (loaded.verdict === "reject") throw new Error(`the kernel refuses ${program.name}: ${loaded.log}`);
  try {
    const log = parseStateLog(loaded.log);
    const comparisons = compareOperator(bounds, log);
    for (const comparison of comparisons) count(measured, bounds, comparison);
    measured.programs += 1;
    if (comparisons.length > 0) measured.reached += 1;

    const path = comparePath(bounds, log);
    measured.paths.compared += path.compared;
    measured.paths.more += path.more;
    if (path.impossible) measured.paths.impossible += 1;
    if (path.loss !== undefined) measured.pathLosses.push({ bounds, loss: path.loss });

    const verdict = verify(program);
    if (verdict.verdict !== "accept") {
      const why = verdict.verdict === "reject" ? verdict.message : verdict.feature;
      measured.refused.push({ bounds, verdict: `${verdict.verdict}: ${why}` });
    }
    const { runs, compared, findings } = runAll(bounds, loaded.fd, log, verdict);
    measured.runs += runs;
    measured.compared += compared;
    for (const finding of findings) measured.findings.push({ bounds, finding });
  } finally {
    loaded.close();
  }
}
