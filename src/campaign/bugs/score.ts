/** The score: for each version and each instrument what came of a number of seeds. */
import { z } from "zod";
import { InputError } from "../../semantics/errors.ts";
import type { Edit } from "./bug.ts";
import { type Code, patchedCopy } from "./copy.ts";
import { INSTRUMENT_NAMES, type InstrumentName, WITHOUT_SEED } from "./instruments/names.ts";
import { type Answer, tryOut } from "./trial.ts";

const cellSchema = z.strictObject({
  instrument: z.enum(INSTRUMENT_NAMES),
  /** Trials, and those of them that found something. */
  trials: z.number(),
  found: z.number(),
  /** Medians over the trials, if most of them found something: what was tried up to then, and seconds. */
  tried: z.number().optional(),
  seconds: z.number().optional(),
  /** Of the first trial that found something: what, and the program made small. */
  evidence: z.string().optional(),
  instructions: z.number().optional(),
  text: z.string().optional(),
  refuted: z.string().optional(),
  /** Theorems whose terms the version changes. */
  affected: z.number().optional(),
  /** Where nothing was found: what was tried in all, and seconds. */
  silent: z.strictObject({ tried: z.number(), seconds: z.number() }).optional(),
  broken: z.string().optional(),
});

/** What one instrument came to on one version. */
export type Cell = Readonly<z.infer<typeof cellSchema>>;

/** Whether an instrument counts as finding the bug: most of its trials did. */
export const finds = ({ trials, found }: Cell): boolean => 2 * found > trials;

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
  readonly code: Code;
  readonly instruments: readonly InstrumentName[];
  readonly seeds: number;
  /** CPU seconds of each trial. */
  readonly seconds: number;
  /** Processes at a time. */
  readonly jobs: number;
  /** Theorems that the sound version has to prove: those that were refuted of others. */
  readonly theorems?: readonly string[];
}

function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.POSITIVE_INFINITY;
}

type Shown = Extract<Answer, { readonly kind: "found" | "silent" }>;

function cellOf(instrument: InstrumentName, answers: readonly Answer[]): Cell {
  const shown = answers.filter((answer): answer is Shown => answer.kind !== "broken");
  const found = shown.filter(({ kind }) => kind === "found");
  const broken = answers.find((answer) => answer.kind === "broken");
  const never = answers.map(() => Number.POSITIVE_INFINITY).slice(found.length);
  const [tried, seconds] = [
    medianOf([...found.map((answer) => answer.tried), ...never]),
    medianOf([...found.map((answer) => answer.seconds), ...never]),
  ];
  const [first] = found;
  const sum = (of: (answer: Shown) => number): number => shown.reduce((total, each) => total + of(each), 0);
  return {
    instrument,
    trials: answers.length,
    found: found.length,
    ...(Number.isFinite(tried) ? { tried, seconds } : {}),
    ...(first?.evidence === undefined ? {} : { evidence: first.evidence }),
    ...(first?.instructions === undefined ? {} : { instructions: first.instructions }),
    ...(first?.text === undefined ? {} : { text: first.text }),
    ...(first?.refuted === undefined ? {} : { refuted: first.refuted }),
    ...(shown[0]?.affected === undefined ? {} : { affected: shown[0].affected }),
    ...(found.length > 0
      ? {}
      : { silent: { tried: sum((each) => each.tried), seconds: Math.round(sum((each) => each.seconds)) } }),
    ...(broken === undefined ? {} : { broken: broken.message }),
  };
}

/** A number of places in which trials run side by side. */
function places(count: number): <T>(work: () => Promise<T>) => Promise<T> {
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

/** What all instruments come to on the code with these edits; on the sound code, if there are none. Trials end once most of them have found nothing. */
export async function scoreOf(
  id: string,
  edits: readonly Edit[],
  { code, instruments, seeds, seconds, jobs, theorems }: ScoreOptions,
): Promise<Row> {
  const { code: version, remove } = patchedCopy(code, edits);
  const place = places(jobs);
  try {
    const cells = await Promise.all(
      instruments.map(async (instrument) => {
        const answers: Answer[] = [];
        const trials = WITHOUT_SEED.has(instrument) ? 1 : seeds;
        const silent = (): number => answers.filter(({ kind }) => kind !== "found").length;
        const most = id === SOUND ? trials : trials / 2;
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
        return cellOf(instrument, answers);
      }),
    );
    return { id, cells };
  } finally {
    remove();
  }
}
