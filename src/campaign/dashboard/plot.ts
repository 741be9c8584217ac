/**
 * `plot.csv`: how a campaign went, a line every few seconds of its time. Lines are only ever added; after a kill the last may be half written, or later than what the
 * statistics say, and goes when the campaign goes on.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { InputError } from "../../semantics/errors.ts";
import { ORACLE_NAMES } from "../fuzz/oracle-names.ts";
import type { Stats } from "../fuzz/stats.ts";

const SUMS = [
  "seconds",
  "programs",
  "accepted",
  "rejected",
  "unsupported",
  "rate",
  "blocks",
  "semantic",
  "states",
  "corpus",
  "findings",
] as const;

/** One line: seconds of the campaign, sums up to then, and programs a second at that moment. */
export interface Point extends Readonly<Record<(typeof SUMS)[number], number>> {
  /** How often each oracle had something to say. */
  readonly violations: Readonly<Record<string, number>>;
}

const HEADER = `${[...SUMS, ...ORACLE_NAMES].join(",")}\n`;
/** Seconds between lines. */
const EVERY_S = 5;

/** Seconds as lines have them. */
const rounded = (seconds: number): number => Number(seconds.toFixed(1));

export const pointOf = ({ seconds, tally, rate, coverage, corpus, findings, violations }: Stats): Point => ({
  seconds: rounded(seconds),
  programs: tally.programs,
  accepted: tally.accepted,
  rejected: tally.rejected,
  unsupported: tally.unsupported,
  rate: Number(rate.now.toFixed(1)),
  blocks: coverage.blocks,
  semantic: coverage.semantic,
  states: tally.states,
  corpus: corpus.size,
  findings: findings.total,
  violations: Object.fromEntries(Object.entries(violations).filter(([, times]) => times > 0)),
});

function lineOf(point: Point): string {
  const sums = SUMS.map((name) => point[name]);
  const violations = ORACLE_NAMES.map((name) => point.violations[name] ?? 0);
  return `${[...sums, ...violations].join(",")}\n`;
}

/** The lines of a text that are whole; there may be other oracles than now. @throws InputError where its columns are others */
export function readPlot(name: string, text: string): readonly Point[] {
  const [header = "", ...lines] = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  const columns = header.split(",");
  if (SUMS.some((sum, i) => columns[i] !== sum)) throw new InputError(`${name}: is no plot of a campaign`);
  return lines.flatMap((line) => {
    const numbers = line.split(",").map(Number);
    if (numbers.length !== columns.length || numbers.some((each) => !Number.isFinite(each))) return [];
    const oracles = columns.map((column, i) => [column, numbers[i] ?? 0] as const).slice(SUMS.length);
    const violations = Object.fromEntries(oracles.filter(([, times]) => times > 0));
    const [seconds = 0, programs = 0, accepted = 0, rejected = 0, unsupported = 0, rate = 0, ...more] =
      numbers;
    const [blocks = 0, semantic = 0, states = 0, corpus = 0, findings = 0] = more;
    const sums = { programs, accepted, rejected, unsupported };
    return [{ seconds, ...sums, rate, blocks, semantic, states, corpus, findings, violations }];
  });
}

export class Plot {
  readonly #path: string;
  readonly #points: Point[];

  /** @param before  seconds of the campaign that goes on; 0 for a new one */
  constructor(path: string, before: number) {
    this.#path = path;
    const known = existsSync(path) ? readPlot(path, readFileSync(path, "utf8")) : [];
    this.#points = known.filter(({ seconds }) => seconds <= rounded(before));
    writeFileSync(path, HEADER + this.#points.map(lineOf).join(""));
  }

  get points(): readonly Point[] {
    return this.#points;
  }

  /** Adds a line, if it is time, or if this is the `last` one. */
  add(stats: Stats, last = false): void {
    const since = stats.seconds - (this.#points.at(-1)?.seconds ?? Number.NEGATIVE_INFINITY);
    if (since < EVERY_S && !(last && since > 0)) return;
    const point = pointOf(stats);
    this.#points.push(point);
    appendFileSync(this.#path, lineOf(point));
  }
}
