/** A chart of lines over time as SVG, with no script: what the dashboard is made of. */
import { type Html, html } from "../html.ts";

export interface Line {
  readonly name: string;
  /** A colour of the page's style: a custom property. */
  readonly colour: string;
  readonly at: readonly (readonly [seconds: number, value: number])[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  /** The end of the vertical axis (default: a round number above all values). */
  readonly most?: number;
}

const [WIDTH, HEIGHT] = [560, 230];
const EDGE = { left: 58, right: 12, top: 12, bottom: 28 };
/** Points of a line that are drawn at most. */
const MOST_POINTS = 400;

/** The steps of an axis: about `count` round ones up to `most`. */
export function ticks(most: number, count: number): readonly number[] {
  if (most <= 0) return [0];
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** From where on, by how much, in what. */
const UNITS = [
  [1e9, 1e9, "G"],
  [1e6, 1e6, "M"],
  [1e4, 1e3, "k"],
] as const;

/** A number in little room. */
export function short(value: number): string {
  const [, by, letter] = UNITS.find(([from]) => value >= from) ?? [0, 1, ""];
  return `${Number((value / by).toPrecision(3))}${letter}`;
}

/** Steps of time that people read, in seconds. */
const TIMES = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400];

export function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [Math.floor(seconds) % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return "0 s";
  const shown = parts.slice(first, first + 2).filter(([count], i) => i === 0 || count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** Every so manieth point, and the last. */
function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

/** The chart, with its title and, for several lines, what they are. */
export function chartHtml({ title, unit, lines, most }: Chart): Html {
  const all = lines.flatMap(({ at }) => at);
  const until = Math.max(1, ...all.map(([seconds]) => seconds));
  const top = most ?? Math.max(1, ...all.map(([, value]) => value)) * 1.08;
  const x = (seconds: number): number => EDGE.left + (seconds / until) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value: number): number =>
    HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const step = TIMES.find((each) => until / each <= 6) ?? Math.ceil(until / 6 / 86_400) * 86_400;
  const across = ticks(top, 4).map(
    (value) =>
      html`<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/><text class="y" x="${EDGE.left - 8}" y="${(y(value) + 4).toFixed(1)}">${short(value)}</text>`,
  );
  const down = Array.from({ length: Math.floor(until / step) + 1 }, (_, i) => i * step).map(
    (seconds) =>
      html`<text class="x" x="${x(seconds).toFixed(1)}" y="${HEIGHT - 8}">${duration(seconds)}</text>`,
  );
  const drawn = lines.map(({ name, colour, at }) => {
    const points = thinned(at).map(([seconds, value]) => `${x(seconds).toFixed(1)},${y(value).toFixed(1)}`);
    const last = at.at(-1);
    const end =
      last === undefined
        ? undefined
        : html`<circle cx="${x(last[0]).toFixed(1)}" cy="${y(last[1]).toFixed(1)}" r="3" style="fill: var(${colour})"><title>${name}: ${short(last[1])} ${unit}</title></circle>`;
    return html`<polyline points="${points.join(" ")}" style="stroke: var(${colour})"/>${end}`;
  });
  const names = lines.map(
    ({ name, colour, at }) =>
      html`<span><i style="background: var(${colour})"></i>${name} <b>${short(at.at(-1)?.[1] ?? 0)}</b></span>`,
  );
  return html`<figure class="chart"><figcaption><h3>${title}</h3><p class="mute">${unit}</p></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${across}${down}${drawn}</svg>
<p class="names">${names}</p></figure>
`;
}
