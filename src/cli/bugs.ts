/** `soundcheck bugs`: how well the instruments find bugs that are put in on purpose. */
import { appendFileSync, writeFileSync } from "node:fs";
import { CLASSES, type Edit, PARTS, type SeededBug } from "../campaign/bugs/bug.ts";
import { BUGS } from "../campaign/bugs/catalogue/index.ts";
import { ownCode, patchedCopy } from "../campaign/bugs/copy.ts";
import { INSTRUMENT_NAMES, type InstrumentName } from "../campaign/bugs/instruments/names.ts";
import {
  type Cell,
  cellFor,
  finds,
  isMeasured,
  markOf,
  places,
  type Row,
  type ScoreOptions,
  SOUND,
} from "../campaign/bugs/score.ts";
import { scoreHtml } from "../campaign/bugs/score-html.ts";
import { InputError } from "../semantics/errors.ts";
import { joined, rowsIn } from "./bugs-results.ts";
import { bugList, matrix, totals } from "./bugs-table.ts";
import { STATUS, type Status } from "./status.ts";
import { note, out, outJson } from "./terminal.ts";

export interface BugsOptions {
  readonly list?: true;
  /** All, if none is named. */
  readonly bug: readonly string[];
  readonly instrument: readonly InstrumentName[];
  readonly seconds: number;
  readonly seeds: number;
  readonly jobs: number;
  /** A bug that an instrument has found is not tried with those that come later. */
  readonly first?: true;
  /** A file of rows: what was measured and still stands is not tried again. */
  readonly results?: string;
  readonly html?: string;
  readonly json?: true;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function chosenBugs(names: readonly string[]): readonly SeededBug[] {
  for (const name of names) {
    const known = name === SOUND || name in CLASSES || BUGS.some(({ id }) => id === name);
    if (!known) throw new InputError(`no bug is called ${name}; soundcheck bugs --list lists them`);
  }
  return BUGS.filter((bug) => names.length === 0 || names.includes(bug.id) || names.includes(bug.class));
}

/**
 * Measures what is not known of a version yet, one instrument after the other or as many at a time as there are jobs, and tells of each cell.
 *
 * @param before  what is known of it
 */
async function measured(
  { id, cells: before }: Row,
  edits: readonly Edit[],
  instruments: readonly InstrumentName[],
  options: ScoreOptions & Pick<BugsOptions, "jobs" | "first">,
  tell: (row: Row) => void,
): Promise<Row> {
  const mark = (instrument: InstrumentName): string => markOf(instrument, edits, options.theorems);
  const known = before.filter((cell) => cell.mark === mark(cell.instrument));
  const stands = (cell: Cell): boolean =>
    isMeasured(cell, mark(cell.instrument), options.seeds, options.seconds);
  const missing = instruments.filter(
    (name) => !known.some((cell) => cell.instrument === name && stands(cell)),
  );
  let row: Row = { id, cells: known };
  const isEnough = (): boolean => options.first === true && id !== SOUND && row.cells.some(finds);
  if (missing.length === 0 || isEnough()) return row;
  const { code, remove } = patchedCopy(options.code, edits);
  process.once("exit", remove);
  const place = places(options.jobs);
  const measure = async (instrument: InstrumentName): Promise<void> => {
    const made = { id, cells: [await cellFor(code, edits, instrument, options, place)] };
    tell(made);
    row = joined(row, made);
  };
  try {
    if (options.first !== true) await Promise.all(missing.map(measure));
    else
      for (const instrument of missing) {
        if (isEnough()) break;
        await measure(instrument);
      }
  } finally {
    remove();
    process.removeListener("exit", remove);
  }
  return row;
}

/** @throws InputError  for names of nothing, and files that cannot be read or written */
export async function bugs(options: BugsOptions): Promise<Status> {
  const { list, bug: names, instrument, seconds, seeds, jobs, first, results, html, json } = options;
  const chosen = chosenBugs(names);
  if (list === true) {
    if (json === true) for (const each of chosen) outJson(each);
    else out(bugList(chosen));
    return STATUS.held;
  }
  const instruments = instrument.length === 0 ? INSTRUMENT_NAMES : instrument;
  const known = rowsIn(results);
  const common = { code: ownCode(), seeds, seconds, jobs, ...(first === undefined ? {} : { first }) };
  const shown: Row[] = [];
  const tell = (row: Row): void => {
    if (results !== undefined) appendFileSync(results, `${JSON.stringify(row)}\n`);
  };
  const score = async (id: string, edits: readonly Edit[], theorems?: readonly string[]): Promise<Row> => {
    const asked = theorems === undefined ? common : { ...common, theorems };
    const row = await measured(known.get(id) ?? { id, cells: [] }, edits, instruments, asked, tell);
    shown.push(row);
    if (json === true) outJson(row);
    return row;
  };
  // What has been measured is in the file; copies and trials go with this process.
  const interrupt = (): void => process.exit(STATUS.interrupted);
  for (const signal of SIGNALS) process.once(signal, interrupt);
  for (const [index, { id, edits }] of chosen.entries()) {
    note(`${index + 1} of ${chosen.length}: ${id}`);
    await score(id, edits);
  }
  // The pair: the same instruments, with the same seeds and budget, on the code as it is.
  const refuted = shown.flatMap(({ cells }) => cells.flatMap((cell) => cell.refuted ?? []));
  note("the sound version");
  const sound = await score(SOUND, [], [...new Set(refuted)]);
  for (const signal of SIGNALS) process.removeListener(signal, interrupt);
  if (json !== true) out(`${matrix(shown, instruments)}\n${totals(shown)}`);
  if (html !== undefined)
    writeFileSync(html, scoreHtml(shown, BUGS, { instruments, seconds, seeds, parts: PARTS }));
  return sound.cells.some(({ found, broken }) => found > 0 || broken !== undefined)
    ? STATUS.found
    : STATUS.held;
}
