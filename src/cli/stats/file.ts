/** Figures from a file of comma-separated values. */
import { InputError } from "../../semantics/errors.ts";
import { parseCsv } from "../csv.ts";
import { columnNamed, type Figures, type StatColumn, verdictNamed } from "./figures.ts";

/**
 * The figures in a file that `verify --stats -o csv` or veristat wrote. Columns that are not known are left out; an empty value is one that was not
 * measured.
 *
 * @throws InputError  naming the record (the first is 1) and what is wrong with it
 */
export function figuresFromCsv(text: string): readonly Figures[] {
  const [titles, ...records] = parseCsv(text);
  if (titles === undefined) throw new InputError("no record of column names");
  for (const needed of ["file_name", "prog_name"] as const) {
    if (!titles.some((title) => columnNamed(title) === needed))
      throw new InputError(`record 1: no column ${needed}`);
  }
  return records.map((record, i) => figuresOf(titles, record, i + 2));
}

function figuresOf(titles: readonly string[], record: readonly string[], number: number): Figures {
  if (record.length !== titles.length) {
    throw new InputError(`record ${number}: ${record.length} values for ${titles.length} columns`);
  }
  const names = { file_name: "", prog_name: "" };
  let verdict: Figures["verdict"] = "unsupported";
  const numbers: Partial<Record<StatColumn, number>> = {};
  titles.forEach((title, i) => {
    const column = columnNamed(title);
    const text = record[i] ?? "";
    if (column === undefined) return;
    if (column === "file_name" || column === "prog_name") names[column] = text;
    else if (column === "verdict") verdict = requireVerdict(text, number);
    else if (text !== "") numbers[column] = requireNumber(text, title, number);
  });
  return { ...names, verdict, numbers };
}

function requireVerdict(text: string, number: number): Figures["verdict"] {
  const found = verdictNamed(text);
  if (found === undefined) throw new InputError(`record ${number}: no verdict ${text}`);
  return found;
}

function requireNumber(text: string, title: string, number: number): number {
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new InputError(`record ${number}: ${title} is ${text}, which is no number`);
  return value;
}
