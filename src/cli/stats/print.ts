/** Rows as a table, as comma-separated values and as JSON. */
import { csvText } from "../csv.ts";
import { type Cell, type Column, table } from "../table.ts";
import { paint, printable } from "../terminal.ts";
import { type Entry, type Selector, type Value, type Variant, valueOf } from "./entry.ts";
import { isNumberColumn, type StatColumn, TITLES } from "./figures.ts";

/** Wide enough for all columns with the names of most files. */
const WIDTH = 200;

const SUFFIXES: Readonly<Record<Variant, string>> = { a: " (A)", b: " (B)", diff: " (DIFF)", pct: " (%)" };

const isName = (column: StatColumn): boolean => column === "file_name" || column === "prog_name";

/** What a comparison has of a column. Names are the same on both sides; verdicts differ or not, by no number. */
function variantsOf(column: StatColumn): readonly Variant[] {
  if (isName(column)) return ["b"];
  return isNumberColumn(column) ? ["a", "b", "diff", "pct"] : ["a", "b", "diff"];
}

/** The columns of a table: as they are, or in a comparison with their variants. */
export const selectorsOf = (columns: readonly StatColumn[], comparing: boolean): readonly Selector[] =>
  columns.flatMap((column): readonly Selector[] =>
    comparing ? variantsOf(column).map((variant) => ({ column, variant })) : [{ column, variant: "b" }],
  );

const nameOf = ({ column, variant }: Selector, comparing: boolean): string =>
  comparing && !isName(column) ? `${column}_${variant}` : column;

const STYLES: ReadonlyMap<string, "green" | "red" | "yellow"> = new Map([
  ["accept", "green"],
  ["reject", "red"],
  ["unsupported", "yellow"],
  ["mismatch", "red"],
]);

function cellOf(entry: Entry, { column, variant }: Selector): Cell {
  const value = valueOf(entry, { column, variant });
  const text = cellText(value, variant);
  const style = typeof value === "string" && !isName(column) ? STYLES.get(value) : undefined;
  return style === undefined ? { text } : { text, paint: (shown) => paint(style, shown) };
}

function cellText(value: Value, variant: Variant): string {
  if (value === undefined) return "N/A";
  if (typeof value === "string") return variant === "diff" ? value.toUpperCase() : printable(value);
  const sign = variant !== "a" && variant !== "b" && value > 0 ? "+" : "";
  return variant === "pct" ? `${sign}${value.toFixed(2)} %` : `${sign}${value}`;
}

/** A row an entry, under titles. */
export function tableText(
  entries: readonly Entry[],
  selectors: readonly Selector[],
  comparing: boolean,
): string {
  const columns = selectors.map(
    ({ column, variant }): Column => ({
      title: TITLES[column] + (comparing && !isName(column) ? SUFFIXES[variant] : ""),
      align: isNumberColumn(column) ? "right" : "left",
    }),
  );
  return table(
    columns,
    entries.map((entry) => selectors.map((selector) => cellOf(entry, selector))),
    WIDTH,
  );
}

/** A record an entry; empty where there is nothing. */
export const entriesToCsv = (
  entries: readonly Entry[],
  selectors: readonly Selector[],
  comparing: boolean,
): string =>
  csvText([
    selectors.map((selector) => nameOf(selector, comparing)),
    ...entries.map((entry) => selectors.map((selector) => `${valueOf(entry, selector) ?? ""}`)),
  ]);

/** An object an entry; `null` where there is nothing. */
export const entryJson = (
  entry: Entry,
  selectors: readonly Selector[],
  comparing: boolean,
): Readonly<Record<string, number | string | null>> =>
  Object.fromEntries(
    selectors.map((selector) => [nameOf(selector, comparing), valueOf(entry, selector) ?? null]),
  );
