/**
 * `plot.csv`: how a campaign went, a line every few seconds of its time. Lines are only ever added; after a kill the last may be half written, or later than what the
 * statistics say, and goes when the campaign goes on.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { InputError } from "../../semantics/errors.ts";
import type { Stats } from "../fuzz/stats.ts";

export const PLOT_COLUMNS = [
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
export type Point = Readonly<Record<(typeof PLOT_COLUMNS)[number], number>>;

const HEADER = `${PLOT_COLUMNS.join(",")}\n`;
/** Seconds between lines. */
const EVERY_S = 5;

/** Seconds as lines have them. */
const rounded = (seconds: number): number => Number(seconds.toFixed(1));

export const pointOf = ({ seconds, tally, rate, coverage, corpus, findings }: Stats): Point => ({
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
});

const lineOf = (point: Point): string => `${PLOT_COLUMNS.map((name) => point[name]).join(",")}\n`;

/** The lines of a text that are whole. @throws InputError where its columns are others */
export function readPlot(name: string, text: string): readonly Point[] {
  if (!text.startsWith(HEADER)) throw new InputError(`${name}: is no plot of a campaign`);
  const whole = text.slice(HEADER.length, text.lastIndexOf("\n") + 1);
  return whole.split("\n").flatMap((line) => {
    const numbers = line.split(",").map(Number);
    if (numbers.length !== PLOT_COLUMNS.length || numbers.some((each) => !Number.isFinite(each))) return [];
    const [seconds = 0, programs = 0, accepted = 0, rejected = 0, unsupported = 0, rate = 0, ...more] =
      numbers;
    const [blocks = 0, semantic = 0, states = 0, corpus = 0, findings = 0] = more;
    const sums = { programs, accepted, rejected, unsupported };
    return [{ seconds, ...sums, rate, blocks, semantic, states, corpus, findings }];
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
