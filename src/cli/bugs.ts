/** `soundcheck bugs`: how well the instruments find bugs that are put in on purpose. */
import { appendFileSync, writeFileSync } from "node:fs";
import { CLASSES, type Edit, PARTS, type SeededBug } from "../campaign/bugs/bug.ts";
import { BUGS } from "../campaign/bugs/catalogue/index.ts";
import { ownCode } from "../campaign/bugs/copy.ts";
import { INSTRUMENT_NAMES, type InstrumentName } from "../campaign/bugs/instruments/names.ts";
import { type Row, SOUND, scoreOf } from "../campaign/bugs/score.ts";
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
  const known = rowsIn(results);
  const common = { code: ownCode(), seeds, seconds, jobs };
  const shown: Row[] = [];
  /** Tries what is not known yet. */
  const score = async (id: string, edits: readonly Edit[], theorems?: readonly string[]): Promise<Row> => {
    const before = known.get(id);
    const missing = instruments.filter(
      (name) => before?.cells.every(({ instrument }) => instrument !== name) ?? true,
    );
    let row = before ?? { id, cells: [] };
    if (missing.length > 0) {
      const made = await scoreOf(id, edits, {
        ...common,
        instruments: missing,
        ...(theorems === undefined ? {} : { theorems }),
      });
      if (results !== undefined) appendFileSync(results, `${JSON.stringify(made)}\n`);
      row = joined(before, made);
    }
    shown.push(row);
    if (json === true) outJson(row);
    return row;
  };
  for (const [index, { id, edits }] of chosen.entries()) {
    note(`${index + 1} of ${chosen.length}: ${id}`);
    await score(id, edits);
  }
  // The pair: the same instruments, with the same seeds and budget, on the code as it is.
  const refuted = shown.flatMap(({ cells }) => cells.flatMap((cell) => cell.refuted ?? []));
  note("the sound version");
  const sound = await score(SOUND, [], [...new Set(refuted)]);
  if (json !== true) out(`${matrix(shown, instruments)}\n${totals(shown)}`);
  if (html !== undefined)
    writeFileSync(html, scoreHtml(shown, BUGS, { instruments, seconds, seeds, parts: PARTS }));
  return sound.cells.some(({ found, broken }) => found > 0 || broken !== undefined)
    ? STATUS.found
    : STATUS.held;
}
