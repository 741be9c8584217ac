/** A table in text: columns as wide as they need to be, within a total width. */

export interface Cell {
  readonly text: string;
  /** How the cell is shown, without changing its width. */
  readonly paint?: (text: string) => string;
}

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

const GAP = "  ";

/** Cuts a text that is too wide in its middle: both ends of a name tell names apart. */
export function shorten(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  if (width < 2) return characters.slice(0, Math.max(0, width)).join("");
  const tail = Math.floor((width - 1) / 2);
  return [...characters.slice(0, width - 1 - tail), "…", ...characters.slice(characters.length - tail)].join(
    "",
  );
}

/**
 * The table's text, a line for each row after one of titles. Rows have a cell for each column; the first column gives way if all
 * together are wider than `width`.
 */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): string {
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((row) => Array.from(row[i]?.text ?? "").length)),
  );
  const total = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1);
  widths[0] = Math.max((columns[0]?.title ?? "").length, (widths[0] ?? 0) - Math.max(0, total - width));
  const line = (cells: readonly Cell[]): string =>
    columns
      .map(({ align }, i) => {
        const { text = "", paint = (same: string) => same } = cells[i] ?? {};
        const fitted = shorten(text, widths[i] ?? 0);
        const space = " ".repeat((widths[i] ?? 0) - Array.from(fitted).length);
        return align === "right" ? space + paint(fitted) : paint(fitted) + space;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => ({ text: title }));
  return [titles, ...rows].map((row) => `${line(row)}\n`).join("");
}
