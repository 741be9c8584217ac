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
import { type Cell, finds, markOf, type Row, SOUND } from "../src/campaign/bugs/score.ts";
import { rowsIn } from "../src/cli/bugs-results.ts";
import { cellText, smallest } from "../src/cli/bugs-table.ts";

const home = new URL("../docs/", import.meta.url);
const page = new URL("scorecard.md", home);
const MARK = "<!-- What follows is made by scripts/scorecard.ts. -->\n";

const measured = rowsIn(new URL("scorecard.ndjson", home).pathname);
/** Of each bug the cells that are of it as it is now. */
const rows = new Map<string, Row>(
  BUGS.flatMap(({ id, edits }): readonly [string, Row][] => {
    const cells = (measured.get(id)?.cells ?? []).filter(
      ({ instrument, mark }) => mark === markOf(instrument, edits),
    );
    return cells.length === 0 ? [] : [[id, { id, cells }]];
  }),
);
const cellOf = (row: Row | undefined, name: InstrumentName): Cell | undefined =>
  row?.cells.find(({ instrument }) => instrument === name);
/** Not tried is nothing; tried in vain is a dash, with how much was tried. */
const shown = (cell: Cell | undefined): string => {
  const unput = cell?.unwritten === undefined ? "" : `; ${cell.unwritten} cannot be put`;
  const silent = cell?.silent === undefined ? "" : ` (${cell.silent.tried}${unput})`;
  return `${cellText(cell)}${cell !== undefined && finds(cell) ? "" : silent}`;
};
const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
const head = (titles: readonly string[]): string => line(titles) + line(titles.map(() => "---"));
const escaped = (text: string): string => text.replaceAll("|", "\\|");

const cellsOf = (id: string): readonly Cell[] => rows.get(id)?.cells ?? [];
/** Seconds until the first instrument found a bug; undefined if none did. */
function soonest(id: string): number | undefined {
  const times = cellsOf(id).flatMap((cell) => (finds(cell) ? (cell.seconds ?? []) : []));
  return times.length === 0 ? undefined : Math.min(...times);
}
/** What was looked with: an instrument that runs none of the bug's code was not. */
const looked = (cell: Cell): boolean => cell.apart !== true;

function summary(): string {
  const titles = ["class", "bugs", "found", "tried in vain", "not tried", ...INSTRUMENT_NAMES];
  const counted = (title: string, ids: readonly string[]): string => {
    const found = ids.filter((id) => soonest(id) !== undefined);
    const tried = ids.filter((id) => cellsOf(id).some(looked));
    const by = INSTRUMENT_NAMES.map((instrument) => {
      const cells = ids.flatMap((id) => cellOf(rows.get(id), instrument) ?? []).filter(looked);
      return cells.length === 0 ? "" : `${cells.filter(finds).length} of ${cells.length}`;
    });
    const numbers = [ids.length, found.length, tried.length - found.length, ids.length - tried.length];
    return line([title, ...numbers.map(String), ...by]);
  };
  const lines = Object.entries(CLASSES).map(([name, title]) =>
    counted(
      `${name}: ${title}`,
      BUGS.filter((bug) => bug.class === name).map(({ id }) => id),
    ),
  );
  return `${head(titles)}${lines.join("")}${counted(
    "all",
    BUGS.map(({ id }) => id),
  )}`;
}

/** What was asked for: each goal, and how far it is reached. */
function goals(): string {
  const times = BUGS.flatMap(({ id }) => soonest(id) ?? []);
  const within = (seconds: number): number => times.filter((time) => time <= seconds).length;
  const share = (count: number): string =>
    `${count} of ${BUGS.length} (${((100 * count) / BUGS.length).toFixed(0)} %)`;
  const cells = measured.get(SOUND)?.cells ?? [];
  const silent = cells.map(
    ({ instrument, found, silent: none }) =>
      `${instrument} ${found > 0 ? "fires" : `silent in ${none?.tried ?? 0} (${none?.seconds ?? 0} s)`}`,
  );
  return [
    head(["goal", "now"]),
    line(["each bug is found by an instrument within 10 minutes of two processors", share(within(1200))]),
    line(["90 % are found within 60 s", `${share(within(60))}; within 10 s ${share(within(10))}`]),
    line(["no instrument fires on the sound version in an hour", silent.join("; ")]),
  ].join("");
}

/** What was looked for and not found, and what was not looked for. */
function missing(): string {
  const ids = BUGS.map(({ id }) => id).filter((id) => soonest(id) === undefined);
  const vain = ids.filter((id) => cellsOf(id).some(looked));
  const told = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
  return `Tried in vain: ${told(vain)}.\n\nNot tried: ${told(ids.filter((id) => !vain.includes(id)))}.\n`;
}

/** With how many seeds and seconds the cells were measured. */
function settings(): string {
  const counts = new Map<string, number>();
  for (const { id } of BUGS)
    for (const { seeds, budget } of cellsOf(id).filter(looked)) {
      const key = `${seeds} ${seeds === 1 ? "seed" : "seeds"} of ${budget} s`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  const told = [...counts].map(([key, count]) => `${count} with ${key}`).join(", ");
  const cited = BUGS.filter(({ stands }) => /CVE-|\b[0-9a-f]{12}\b/.test(stands)).length;
  return `Cells measured: ${told}. Of the bugs ${cited} stand for a CVE or a commit of Linux, the others for what their second column says.\n`;
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

const absent = `## Bugs that are not among them\n\n${head(["bug", "why"])}${ABSENT.map(({ stands, reason }) => line([stands, reason])).join("")}`;
const [before = ""] = readFileSync(page, "utf8").split(MARK);
writeFileSync(
  page,
  `${before}${MARK}\n${goals()}\n${settings()}\n${summary()}\n${missing()}\n${tables()}\n${absent}`,
);
