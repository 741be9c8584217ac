/** The score as text. */
import { CLASSES, type SeededBug } from "../campaign/bugs/bug.ts";
import type { InstrumentName } from "../campaign/bugs/instruments/names.ts";
import { type Cell, finds, type Row, SOUND } from "../campaign/bugs/score.ts";
import { type Column, table } from "./table.ts";

const left = (title: string): Column => ({ title, align: "left" });
const right = (title: string): Column => ({ title, align: "right" });

const WIDTH = 160;

/** The bugs, a line each. */
export function bugList(bugs: readonly SeededBug[]): string {
  const rows = bugs.map(({ id, class: kind, part, stands, fault }) =>
    [id, kind, part, stands, fault].map((text) => ({ text })),
  );
  const classes = Object.entries(CLASSES).map(([name, title]) => `${name} ${title}`);
  const columns = [left("bug"), left("class"), left("part"), left("stands for"), left("fault")];
  return `${table(columns, rows, 400)}\n${bugs.length} bugs. Classes: ${classes.join("; ")}.\n`;
}

/** What a cell of the matrix says: how much was tried and the seconds, or how many trials found something where few did. */
export function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  if (cell.apart === true) return "·";
  if (finds(cell)) return `${cell.tried} / ${cell.seconds?.toFixed(1)} s`;
  if (cell.found > 0) return `${cell.found} of ${cell.trials}`;
  return cell.broken === undefined ? "–" : "broken";
}

/** A line for each version, a column for each instrument: programs until found, and seconds. */
export function matrix(rows: readonly Row[], instruments: readonly InstrumentName[]): string {
  const lines = rows.map(({ id, cells }) => [
    { text: id },
    ...instruments.map((name) => ({ text: cellText(cells.find(({ instrument }) => instrument === name)) })),
    { text: smallest(cells) },
  ]);
  return table([left("bug"), ...instruments.map(right), right("minimum")], lines, WIDTH);
}

/** The fewest instructions with which the bug was shown. */
export function smallest(cells: readonly Cell[]): string {
  const counts = cells.flatMap(({ instructions }) => instructions ?? []);
  return counts.length === 0 ? "" : `${Math.min(...counts)}`;
}

/** How many were found, and by what. */
export function totals(rows: readonly Row[]): string {
  const bugs = rows.filter(({ id }) => id !== SOUND);
  const found = bugs.filter(({ cells }) => cells.some(finds));
  const fast = found.filter(({ cells }) => cells.some((cell) => finds(cell) && (cell.seconds ?? 61) <= 60));
  const missed = bugs.filter((row) => !found.includes(row)).map(({ id }) => id);
  return [
    `${found.length} of ${bugs.length} bugs found, ${fast.length} of them within a minute.\n`,
    missed.length === 0 ? "" : `Not found: ${missed.join(", ")}.\n`,
  ].join("");
}
