/** The score as a page. */
import { html } from "../html.ts";
import { CLASSES, type PARTS, type SeededBug } from "./bug.ts";
import { INSTRUMENT_TITLES, type InstrumentName } from "./instruments/names.ts";
import { type Cell, finds, type Row } from "./score.ts";

export interface ScoreSetting {
  readonly instruments: readonly InstrumentName[];
  readonly seconds: number;
  readonly seeds: number;
  readonly parts: typeof PARTS;
}

const STYLE = `body{font:15px/1.4 system-ui,sans-serif;margin:2rem;color:#222}table{border-collapse:collapse}
td,th{border-bottom:1px solid #ddd;padding:.25rem .6rem;text-align:left;vertical-align:top}
.found{background:#d8f0d8}.some{background:#fbf3cf}.silent{color:#999}pre{margin:0;font-size:12px}`;

function cellHtml(cell: Cell | undefined) {
  if (cell === undefined) return html`<td></td>`;
  if (cell.apart === true)
    return html`<td class="silent" title="runs none of the code that the bug is in">·</td>`;
  if (!finds(cell)) {
    if (cell.found === 0) return html`<td class="silent">${cell.broken ?? "–"}</td>`;
    return html`<td class="some">${cell.found} of ${cell.trials}</td>`;
  }
  const { tried = 0, seconds = 0, evidence = "", text = "" } = cell;
  return html`<td class="found"><details><summary>${tried} in ${seconds.toFixed(1)} s</summary>${evidence}<pre>${text}</pre></details></td>`;
}

/** One page with the matrix; what showed a bug opens in its cell. */
export function scoreHtml(rows: readonly Row[], bugs: readonly SeededBug[], setting: ScoreSetting): string {
  const { instruments, seconds, seeds, parts } = setting;
  const bugOf = (id: string): SeededBug | undefined => bugs.find((each) => each.id === id);
  const lines = rows.map(({ id, cells }) => {
    const bug = bugOf(id);
    const about = bug === undefined ? "the code as it is" : `${bug.fault} (${bug.stands})`;
    return html`<tr><td><b>${id}</b><br>${about}</td><td>${bug?.class}</td><td title="${bug === undefined ? "" : parts[bug.part]}">${bug?.part}</td>${instruments.map((name) => cellHtml(cells.find(({ instrument }) => instrument === name)))}</tr>\n`;
  });
  const page = html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Seeded bugs</title><style>${{ html: STYLE }}</style>
<h1>Seeded bugs</h1>
<p>Each cell says how much an instrument tried until it found the bug, and how long that took: medians of ${seeds} seeds, of at most ${seconds} seconds of processor time each.</p>
<p>${instruments.map((name) => html`<b>${name}</b>: ${INSTRUMENT_TITLES[name]}. `)}</p>
<p>${Object.entries(CLASSES).map(([name, title]) => html`<b>${name}</b> ${title}. `)}</p>
<table><tr><th>bug</th><th>class</th><th>part</th>${instruments.map((name) => html`<th>${name}</th>`)}</tr>
${lines}</table></html>`;
  return page.html;
}
