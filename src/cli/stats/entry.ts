/**
 * A row of a table: what is known of a program now (`b`), and in a comparison what was known of it before (`a`). A value is named by a column and a
 * variant: either side's, their difference, or the difference in percent of what it was.
 */
import { columnNamed, type Figures, isNumberColumn, type StatColumn } from "./figures.ts";

export interface Entry {
  readonly a?: Figures;
  readonly b?: Figures;
}

const VARIANTS = ["a", "b", "diff", "pct"] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Selector {
  readonly column: StatColumn;
  readonly variant: Variant;
}

/** `insns_diff` and the like; without a variant it is the side of now. */
export function selectorNamed(name: string): Selector | undefined {
  const column = columnNamed(name);
  if (column !== undefined) return { column, variant: "b" };
  const [, stem = "", suffix] = /^(.*)_(a|b|diff|pct)$/.exec(name) ?? [];
  const variant = VARIANTS.find((each) => each === suffix);
  const found = columnNamed(stem);
  return variant === undefined || found === undefined ? undefined : { column: found, variant };
}

/** What stands in a table: a number, a word, or nothing where a side or a measurement is missing. */
export type Value = number | string | undefined;

const sideValue = (figures: Figures | undefined, column: StatColumn): Value =>
  figures === undefined ? undefined : isNumberColumn(column) ? figures.numbers[column] : figures[column];

/** The value of an entry; names are the same on both sides. */
export function valueOf({ a, b }: Entry, { column, variant }: Selector): Value {
  if (column === "file_name" || column === "prog_name") return (b ?? a)?.[column];
  const [before, now] = [sideValue(a, column), sideValue(b, column)];
  switch (variant) {
    case "a":
      return before;
    case "b":
      return now;
    case "diff":
      if (before === undefined || now === undefined) return undefined;
      if (typeof before === "number" && typeof now === "number") return now - before;
      return before === now ? "match" : "mismatch";
    case "pct":
      if (typeof before !== "number" || typeof now !== "number") return undefined;
      if (before === now) return 0;
      // From nothing to something is all of it.
      return before === 0 ? 100 : ((now - before) / before) * 100;
  }
}

/** Pairs figures by file and program; those of the same names pair in their order. */
export function pairUp(before: readonly Figures[], now: readonly Figures[]): readonly Entry[] {
  const key = ({ file_name, prog_name }: Figures): string => JSON.stringify([file_name, prog_name]);
  const waiting = new Map<string, Figures[]>();
  for (const figures of before) waiting.set(key(figures), [...(waiting.get(key(figures)) ?? []), figures]);
  const pairs = now.map((b): Entry => {
    const a = waiting.get(key(b))?.shift();
    return a === undefined ? { b } : { a, b };
  });
  return [...pairs, ...[...waiting.values()].flat().map((a): Entry => ({ a }))];
}
