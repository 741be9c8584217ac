/** The score: for each version and each instrument what came of a number of seeds. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { InputError } from "../../semantics/errors.ts";
import type { Edit } from "./bug.ts";
import { type Code, modulesOf } from "./copy.ts";
import {
  INSTRUMENT_NAMES,
  INSTRUMENT_VERSIONS,
  type InstrumentName,
  MADE_OF,
  WITHOUT_SEED,
} from "./instruments/names.ts";
import { type Answer, tryOut } from "./trial.ts";

const cellSchema = z.strictObject({
  instrument: z.enum(INSTRUMENT_NAMES),
  /** What was tried: see `markOf`. */
  mark: z.string(),
  /** The seeds that were asked for, and seconds of processor time for each trial. */
  seeds: z.number(),
  budget: z.number(),
  /** The instrument runs none of the code that the bug is in: there was nothing to try. */
  apart: z.literal(true).optional(),
  /** Trials, and those of them that found something. */
  trials: z.number(),
  found: z.number(),
  /** Medians over the trials, if most of them found something: what was tried up to then, seconds of processor time, and seconds by the clock on the wall. */
  tried: z.number().optional(),
  seconds: z.number().optional(),
  wall: z.number().optional(),
  /** Of the first trial that found something: what, and the program made small. */
  evidence: z.string().optional(),
  instructions: z.number().optional(),
  text: z.string().optional(),
  refuted: z.string().optional(),
  /** Theorems whose terms the version changes. */
  affected: z.number().optional(),
  /** Theorems that cannot be put to a version that is made like this. */
  unwritten: z.number().optional(),
  /** Where nothing was found: what was tried in all, and seconds. */
  silent: z.strictObject({ tried: z.number(), seconds: z.number() }).optional(),
  broken: z.string().optional(),
});

/** What one instrument came to on one version. */
export type Cell = Readonly<z.infer<typeof cellSchema>>;

/** Whether an instrument counts as finding the bug: most of its trials did. */
export const finds = ({ trials, found }: Cell): boolean => 2 * found > trials;

/** Stands for the bug's text and the instrument as it is: a cell with another mark is of something else. */
export function markOf(
  instrument: InstrumentName,
  edits: readonly Edit[],
  theorems: readonly string[] = [],
): string {
  const named = instrument === "theorem" ? [...theorems].sort() : [];
  const text = JSON.stringify([edits, named, instrument, INSTRUMENT_VERSIONS[instrument]]);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Whether a cell need not be measured again: it is of the same, of as many seeds, more time would not have come to anything else, and no process broke off, for whatever reason. */
export const isMeasured = (cell: Cell, mark: string, seeds: number, budget: number): boolean =>
  cell.mark === mark &&
  (cell.apart === true ||
    (cell.seeds >= seeds && (finds(cell) || (cell.broken === undefined && cell.budget >= budget))));

const rowSchema = z.strictObject({
  /** The bug's name, or `sound`. */
  id: z.string(),
  cells: z.array(cellSchema),
});

export type Row = Readonly<z.infer<typeof rowSchema>>;

/** A row as a line of JSON. @param place  where the line is, for errors @throws InputError  for anything else */
export function readRow(line: string, place: string): Row {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new InputError(`${place}: not JSON`, { cause: error });
  }
  const parsed = rowSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new InputError(`${place}: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
}

export const SOUND = "sound";

export interface ScoreOptions {
  /** The sound version's code. */
  readonly code: Code;
  readonly seeds: number;
  /** Seconds of processor time of each trial. */
  readonly seconds: number;
  /** Theorems that the sound version has to prove: those that were refuted of others. */
  readonly theorems?: readonly string[];
}

function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.POSITIVE_INFINITY;
}

type Shown = Extract<Answer, { readonly kind: "found" | "silent" }>;

type Asked = Pick<Cell, "instrument" | "mark" | "seeds" | "budget">;

function cellOf(asked: Asked, answers: readonly Answer[]): Cell {
  const shown = answers.filter((answer): answer is Shown => answer.kind !== "broken");
  const found = shown.filter(({ kind }) => kind === "found");
  const broken = answers.find((answer) => answer.kind === "broken");
  const never = answers.map(() => Number.POSITIVE_INFINITY).slice(found.length);
  const median = (of: (answer: Shown) => number): number => medianOf([...found.map(of), ...never]);
  const [tried, seconds, wall] = [
    median((each) => each.tried),
    median((each) => each.seconds),
    median((each) => each.wall),
  ];
  const [first] = found;
  const sum = (of: (answer: Shown) => number): number => shown.reduce((total, each) => total + of(each), 0);
  return {
    ...asked,
    trials: answers.length,
    found: found.length,
    ...(Number.isFinite(tried) ? { tried, seconds, wall } : {}),
    ...(first?.evidence === undefined ? {} : { evidence: first.evidence }),
    ...(first?.instructions === undefined ? {} : { instructions: first.instructions }),
    ...(first?.text === undefined ? {} : { text: first.text }),
    ...(first?.refuted === undefined ? {} : { refuted: first.refuted }),
    ...(shown[0]?.affected === undefined ? {} : { affected: shown[0].affected }),
    ...(shown[0]?.unwritten === undefined || shown[0].unwritten === 0
      ? {}
      : { unwritten: shown[0].unwritten }),
    ...(found.length > 0
      ? {}
      : { silent: { tried: sum((each) => each.tried), seconds: Math.round(sum((each) => each.seconds)) } }),
    ...(broken === undefined ? {} : { broken: broken.message }),
  };
}

/**
 * What an instrument comes to on a version with these edits; on the sound one, if there are none. Trials end once most of them have found nothing.
 *
 * @param version  the code with the edits made
 * @param edits  those of the bug; none of the sound version
 * @param place  runs a trial when there is a place for it
 */
export async function cellFor(
  version: Code,
  edits: readonly Edit[],
  instrument: InstrumentName,
  { code, seeds, seconds, theorems }: ScoreOptions,
  place: Place,
): Promise<Cell> {
  const asked = { instrument, mark: markOf(instrument, edits, theorems), seeds, budget: seconds };
  const madeOf = MADE_OF[instrument];
  if (madeOf !== undefined && edits.length > 0) {
    const modules = modulesOf(code, madeOf);
    if (edits.every(({ file }) => !modules.has(file))) return { ...asked, apart: true, trials: 0, found: 0 };
  }
  const answers: Answer[] = [];
  const trials = WITHOUT_SEED.has(instrument) ? 1 : seeds;
  const silent = (): number => answers.filter(({ kind }) => kind !== "found").length;
  const most = edits.length === 0 ? trials : trials / 2;
  for (let seed = 1; seed <= trials && silent() < most; seed += 1) {
    const job = {
      instrument,
      seed,
      seconds,
      reduce: seed === 1,
      ...(theorems === undefined ? {} : { theorems: [...theorems] }),
    };
    answers.push(await place(() => tryOut(version, code, job)));
  }
  return cellOf(asked, answers);
}

/** Runs work when it is its turn. */
export type Place = <T>(work: () => Promise<T>) => Promise<T>;

/** A number of places in which trials run side by side. */
export function places(count: number): Place {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
