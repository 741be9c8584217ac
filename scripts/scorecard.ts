/**
 * The tables of docs/scorecard.md, made of what `soundcheck bugs --results docs/scorecard.ndjson` has left there.
 *
 *     npx tsx scripts/scorecard.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { CLASSES } from "../src/campaign/bugs/bug.ts";
import { ABSENT } from "../src/campaign/bugs/catalogue/absent.ts";
import { BUGS } from "../src/campaign/bugs/catalogue/index.ts";
import { INSTRUMENT_NAMES, type InstrumentName } from "../src/campaign/bugs/instruments/names.ts";
import { type Cell, finds, type Row, SOUND } from "../src/campaign/bugs/score.ts";
import { rowsIn } from "../src/cli/bugs-results.ts";
import { cellText, smallest } from "../src/cli/bugs-table.ts";

const home = new URL("../docs/", import.meta.url);
const page = new URL("scorecard.md", home);
const MARK = "<!-- What follows is made by scripts/scorecard.ts. -->\n";

const rows = rowsIn(new URL("scorecard.ndjson", home).pathname);
const cellOf = (row: Row | undefined, name: InstrumentName): Cell | undefined =>
  row?.cells.find(({ instrument }) => instrument === name);
/** Not tried is nothing; tried in vain is a dash, with how much was tried. */
const shown = (cell: Cell | undefined): string => {
  const silent = cell?.silent === undefined ? "" : ` (${cell.silent.tried})`;
  return `${cellText(cell)}${cell !== undefined && finds(cell) ? "" : silent}`;
};
const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
const head = (titles: readonly string[]): string => line(titles) + line(titles.map(() => "---"));
const escaped = (text: string): string => text.replaceAll("|", "\\|");

function summary(): string {
  const titles = ["class", "bugs", "found", ...INSTRUMENT_NAMES];
  const total = { bugs: 0, found: 0 };
  const lines = Object.entries(CLASSES).map(([name, title]) => {
    const ids = BUGS.filter((bug) => bug.class === name).map(({ id }) => id);
    const found = ids.filter((id) => rows.get(id)?.cells.some(finds) === true);
    total.bugs += ids.length;
    total.found += found.length;
    const by = INSTRUMENT_NAMES.map((instrument) => {
      const cells = ids.flatMap((id) => cellOf(rows.get(id), instrument) ?? []);
      return cells.length === 0 ? "" : `${cells.filter(finds).length} of ${cells.length}`;
    });
    return line([`${name}: ${title}`, `${ids.length}`, `${found.length}`, ...by]);
  });
  return `${head(titles)}${lines.join("")}${line(["all", `${total.bugs}`, `${total.found}`, ...INSTRUMENT_NAMES.map(() => "")])}`;
}

function tables(): string {
  const titles = ["bug", "stands for", ...INSTRUMENT_NAMES, "minimum"];
  return Object.entries(CLASSES)
    .map(([name, title]) => {
      const lines = BUGS.filter((bug) => bug.class === name).map(({ id, fault, stands }) => {
        const row = rows.get(id);
        const cells = INSTRUMENT_NAMES.map((instrument) => shown(cellOf(row, instrument)));
        return line([`**${id}**: ${escaped(fault)}`, escaped(stands), ...cells, smallest(row?.cells ?? [])]);
      });
      return `### ${name}: ${title}\n\n${head(titles)}${lines.join("")}`;
    })
    .join("\n");
}

function soundText(): string {
  const cells = rows.get(SOUND)?.cells ?? [];
  const told = cells.map(({ instrument, found, silent }) =>
    found > 0
      ? `${instrument} found something`
      : `${instrument} nothing in ${silent?.tried ?? 0} (${silent?.seconds ?? 0} s)`,
  );
  return `The sound version: ${told.join(", ")}.\n`;
}

const absent = `## Bugs that are not among them\n\n${head(["bug", "why"])}${ABSENT.map(({ stands, reason }) => line([stands, reason])).join("")}`;
const [before = ""] = readFileSync(page, "utf8").split(MARK);
writeFileSync(page, `${before}${MARK}\n${summary()}\n${soundText()}\n${tables()}\n${absent}`);
