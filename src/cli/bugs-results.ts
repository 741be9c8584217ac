/** Results of `soundcheck bugs` in a file: a line for each bug and run. */
import { existsSync, readFileSync } from "node:fs";
import { type Row, readRow } from "../campaign/bugs/score.ts";

/** The rows of a file, by bug; none if there is no file. Several lines may be about the same bug. @throws InputError  for lines that are no rows */
export function rowsIn(file: string | undefined): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  if (file === undefined || !existsSync(file)) return rows;
  for (const [index, line] of readFileSync(file, "utf8").trim().split("\n").entries()) {
    if (line === "") continue;
    const row = readRow(line, `${file}:${index + 1}`);
    rows.set(row.id, joined(rows.get(row.id), row));
  }
  return rows;
}

/** The cells of both; of an instrument that both have, the later one's. */
export function joined(before: Row | undefined, { id, cells }: Row): Row {
  const others = (before?.cells ?? []).filter((each) =>
    cells.every(({ instrument }) => instrument !== each.instrument),
  );
  return { id, cells: [...others, ...cells] };
}
