/** A campaign's dashboard: one HTML file with everything in it, which needs neither network nor script. */
import type { Stats } from "../fuzz/stats.ts";
import type { Finding } from "../fuzz/store.ts";
import { type Html, html } from "../html.ts";
import { STYLE } from "../html-style.ts";
import { type Chart, chartHtml, duration, type Line, short } from "./chart.ts";
import { PAGE_STYLE } from "./page-style.ts";
import type { Point } from "./plot.ts";

export interface DashboardOptions {
  readonly stats: Stats;
  readonly points: readonly Point[];
  readonly findings: readonly Finding[];
  readonly version: string;
  /** Whether the campaign still works: the page then looks for a newer one every so many seconds. */
  readonly refresh?: number;
}

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`;

const line = (
  name: string,
  colour: string,
  points: readonly Point[],
  value: (point: Point) => number,
): Line => ({ name, colour, at: points.map((point) => [point.seconds, value(point)]) });

/** Colours of oracles: there are more oracles than colours, but few have anything to say. */
const COLOURS = ["--bad", "--note", "--warn", "--good", "--source", "--mute"];

/** A line for each oracle that has had something to say, and one for all others together. */
function oracleLines(points: readonly Point[], oracles: readonly string[]): readonly Line[] {
  const speaks = (name: string): boolean => (points.at(-1)?.violations[name] ?? 0) > 0;
  const speaking = oracles.filter(speaks);
  const silent = oracles.filter((name) => !speaks(name));
  const named = speaking.map((name, i) =>
    line(name, COLOURS[i % COLOURS.length] ?? "--bad", points, ({ violations }) => violations[name] ?? 0),
  );
  return silent.length === 0 ? named : [...named, line(silent.join(", "), "--mute", points, () => 0)];
}

function charts(points: readonly Point[], oracles: readonly string[]): readonly Chart[] {
  const some = points.filter(({ programs }) => programs > 0);
  const share = (name: string, colour: string, part: "accepted" | "rejected" | "unsupported"): Line =>
    line(name, colour, some, (each) => (100 * each[part]) / each.programs);
  return [
    { title: "Rate", unit: "programs a second", lines: [line("rate", "--note", points, ({ rate }) => rate)] },
    {
      title: "Coverage",
      unit: "blocks; entries of the semantic map",
      lines: [
        line("blocks", "--note", points, ({ blocks }) => blocks),
        line("semantic map", "--good", points, ({ semantic }) => semantic),
      ],
    },
    {
      title: "Acceptance",
      unit: "% of programs",
      most: 100,
      lines: [
        share("accepted", "--good", "accepted"),
        share("rejected", "--warn", "rejected"),
        share("not modelled", "--mute", "unsupported"),
      ],
    },
    {
      title: "Verifier states",
      unit: "states kept",
      lines: [line("states", "--source", points, ({ states }) => states)],
    },
    {
      title: "Corpus",
      unit: "recipes kept for what they reached first",
      lines: [line("corpus", "--good", points, ({ corpus }) => corpus)],
    },
    {
      title: "Findings",
      unit: "causes",
      lines: [line("findings", "--bad", points, ({ findings }) => findings)],
    },
    {
      title: "Oracles",
      unit: "programs that failed",
      lines: oracleLines(points, oracles),
    },
  ];
}

const tile = (name: string, value: string, more: string, kind = ""): Html =>
  html`<div class="tile ${kind}"><span class="mute">${name}</span><strong>${value}</strong><small>${more}</small></div>`;

function tiles({ tally, rate, coverage, corpus, findings, seconds, sessions }: Stats): Html {
  const found = findings.total === 0 ? "holds" : "fails";
  return html`<section class="tiles">
${tile("Run time", duration(seconds), sessions === 1 ? "one session" : `${sessions} sessions`)}
${tile("Programs", short(tally.programs), `${short(rate.session)} a second`)}
${tile("Accepted", percent(tally.accepted, tally.programs), `${short(tally.rejected)} rejected, ${short(tally.faulted)} of them fault`)}
${tile("Runs", short(tally.runs), `${short(tally.steps)} steps`)}
${tile("Coverage", short(coverage.semantic), `semantic map; ${short(coverage.blocks)} of ${short(coverage.blocksKnown)} blocks`)}
${tile("Corpus", short(corpus.size), `${short(corpus.favoured)} favoured`)}
${tile("Findings", `${findings.total}`, findings.total === 0 ? "every oracle holds" : `met ${findings.repeated} times more`, found)}
</section>`;
}

const bars = (counts: Readonly<Record<string, number>>): Html => {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const most = entries[0]?.[1] ?? 1;
  const rows = entries
    .slice(0, 12)
    .map(
      ([name, count]) =>
        html`<tr><td class="num">${count}</td><td><span class="share" style="--part: ${((100 * count) / most).toFixed(1)}%"></span></td><td>${name}</td></tr>`,
    );
  return html`<div class="scroll"><table class="counts">${rows}</table></div>`;
};

const counted = (title: string, counts: Readonly<Record<string, number>>): Html =>
  Object.keys(counts).length === 0 ? html`` : html`<h2>${title}</h2>${bars(counts)}`;

function findingRows(findings: readonly Finding[]): Html {
  if (findings.length === 0) return html`<p class="mute">None so far.</p>`;
  const rows = findings.map(
    ({ oracle, key, message, instructions, seed, replay }) =>
      html`<tr><td>${oracle}</td><td>${message}<br><span class="mute">${key}</span></td><td class="num">${instructions}</td><td class="num">${seed}</td><td><code class="command">${replay}</code></td></tr>`,
  );
  return html`<div class="scroll"><table><thead><tr><th>Oracle</th><th>What was seen, and its cause</th><th class="num">Instructions</th><th class="num">Seed</th><th>Replay with</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** The page's text. */
export function dashboard({ stats, points, findings, version, refresh }: DashboardOptions): string {
  const { findings: found, target, oracles, seed } = stats;
  const verdict =
    found.total === 0 ? "Nothing found" : `${found.total} finding${found.total === 1 ? "" : "s"}`;
  const facts = [
    `verifier under test: ${target}`,
    `oracles: ${oracles.join(", ")}`,
    `seed ${seed}`,
    `soundcheck ${version}`,
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
${refresh === undefined ? undefined : html`<meta http-equiv="refresh" content="${refresh}">`}
<title>${verdict}: a campaign of soundcheck</title>
<style>${{ html: STYLE + PAGE_STYLE }}</style>
</head>
<body>
<main>
<header><p class="brand">soundcheck fuzz</p><h1>${verdict}</h1><p class="mute">${facts.join(" · ")}</p></header>
${tiles(stats)}
<h2>Over time</h2>
<section class="charts">${charts(points, oracles).map(chartHtml)}</section>
<h2>Findings</h2>
${findingRows(findings)}
${found.total === 0 ? undefined : bars(found.byOracle)}
${counted("Rejected because", stats.reasons)}
${counted("Runs that the machine does not model", stats.unmodelled)}
${counted(`Rejected, and not shown to fault by more runs (${stats.tally.harmless} of ${stats.tally.searched})`, stats.harmless)}
${counted("Other verdicts: ours / its", stats.verdicts)}
</main>
</body>
</html>
`;
  return page.html;
}
