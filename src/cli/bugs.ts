/** `soundcheck bugs`: how well the instruments find bugs that are put in on purpose. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { CLASSES, PARTS, type SeededBug } from "../campaign/bugs/bug.ts";
import { BUGS } from "../campaign/bugs/catalogue/index.ts";
import { ownCode } from "../campaign/bugs/copy.ts";
import { INSTRUMENT_NAMES, type InstrumentName } from "../campaign/bugs/instruments/names.ts";
import { type Row, readRow, SOUND, scoreOf } from "../campaign/bugs/score.ts";
import { scoreHtml } from "../campaign/bugs/score-html.ts";
import { InputError } from "../semantics/errors.ts";
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
  /** A file of rows: what is there is not tried again. */
  readonly results?: string;
  readonly html?: string;
  readonly json?: true;
}

function chosenBugs(names: readonly string[]): readonly SeededBug[] {
  for (const name of names) {
    const known = name === SOUND || name in CLASSES || BUGS.some(({ id }) => id === name);
    if (!known) throw new InputError(`no bug is called ${name}; soundcheck bugs --list lists them`);
  }
  return BUGS.filter((bug) => names.length === 0 || names.includes(bug.id) || names.includes(bug.class));
}

function rowsIn(file: string | undefined): readonly Row[] {
  if (file === undefined || !existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.filter((line) => line !== "").map((line, index) => readRow(line, `${file}:${index + 1}`));
}

/** @throws InputError  for names of nothing, and files that cannot be read or written */
export async function bugs(options: BugsOptions): Promise<Status> {
  const { list, bug: names, instrument, seconds, seeds, jobs, results, html, json } = options;
  const chosen = chosenBugs(names);
  if (list === true) {
    if (json === true) for (const each of chosen) outJson(each);
    else out(bugList(chosen));
    return STATUS.held;
  }
  const instruments = instrument.length === 0 ? INSTRUMENT_NAMES : instrument;
  const rows = [...rowsIn(results)];
  const known = new Map(rows.map((row) => [row.id, row]));
  const common = { code: ownCode(), instruments, seeds, seconds, jobs };
  const keep = (row: Row): Row => {
    if (results !== undefined) appendFileSync(results, `${JSON.stringify(row)}\n`);
    return row;
  };
  const shown: Row[] = [];
  const show = (row: Row): void => {
    shown.push(row);
    if (json === true) outJson(row);
  };
  for (const [index, { id, edits }] of chosen.entries()) {
    note(`${index + 1} of ${chosen.length}: ${id}`);
    show(known.get(id) ?? keep(await scoreOf(id, edits, common)));
  }
  // The pair: the same instruments, with the same seeds and budget, on the code as it is.
  const refuted = shown.flatMap(({ cells }) => cells.flatMap((cell) => cell.refuted ?? []));
  note(`the sound version`);
  const sound =
    known.get(SOUND) ?? keep(await scoreOf(SOUND, [], { ...common, theorems: [...new Set(refuted)] }));
  show(sound);
  if (json !== true) out(`${matrix(shown, instruments)}\n${totals(shown)}`);
  if (html !== undefined)
    writeFileSync(html, scoreHtml(shown, BUGS, { instruments, seconds, seeds, parts: PARTS }));
  return sound.cells.some(({ found, broken }) => found > 0 || broken !== undefined)
    ? STATUS.found
    : STATUS.held;
}
