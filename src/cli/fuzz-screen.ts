/** What a campaign's status screen says: boxes of figures, as lines of text for a terminal of a given size. */
import { duration } from "../campaign/dashboard/chart.ts";
import type { Stats } from "../campaign/fuzz/stats.ts";
import type { Finding } from "../campaign/fuzz/store.ts";
import { shorten } from "./table.ts";
import { type Paint, printable } from "./terminal.ts";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** What the screen says beside the statistics. */
export interface ScreenFacts {
  readonly version: string;
  readonly directory: string;
  /** The last that was told, such as how many workers there are. */
  readonly told?: string;
  readonly stopping: boolean;
}

type Style = Parameters<Paint>[0];

interface Row {
  readonly name: string;
  readonly value: string;
  readonly style?: Style;
}

interface Box {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Columns below which there is one box beside the other no more. */
const NARROW = 76;
/** Columns that are used at most. */
const WIDE = 110;

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`;
const grouped = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, " ");
const row = (name: string, value: string, style?: Style): Row =>
  style === undefined ? { name, value } : { name, value, style };

function boxes({ tally, rate, coverage, corpus, findings, workers, ...stats }: Stats): readonly Box[] {
  const each = (count: number): string => (count / Math.max(1, tally.programs)).toFixed(1);
  const oracles = Object.entries(findings.byOracle).map(([name, count]) => row(name, `${count}`, "red"));
  return [
    {
      title: "time",
      rows: [
        row("run time", duration(stats.seconds)),
        row("session", `${stats.sessions}, for ${duration(stats.sessionSeconds)}`),
        row("last new", coverage.lastNew === 0 ? "–" : `${duration(stats.seconds - coverage.lastNew)} ago`),
        row("next seed", grouped(stats.next)),
      ],
    },
    {
      title: "findings",
      rows: [
        row("causes", `${findings.total}`, findings.total === 0 ? "green" : ["red", "bold"]),
        row("met again", grouped(findings.repeated)),
        ...oracles,
      ],
    },
    {
      title: "programs",
      rows: [
        row("all", grouped(tally.programs)),
        row("accepted", `${grouped(tally.accepted)} (${percent(tally.accepted, tally.programs)})`),
        row("rejected", `${grouped(tally.rejected)}, ${grouped(tally.faulted)} fault`),
        row("not modelled", grouped(tally.unsupported)),
        row("mutated", percent(tally.mutated, tally.programs)),
        ...(tally.restarts === 0 ? [] : [row("restarts", `${tally.restarts} of the target`, "red")]),
      ],
    },
    {
      title: "speed",
      rows: [
        row("now", `${rate.now.toFixed(0)} programs/s`, "bold"),
        row("session", `${rate.session.toFixed(0)} programs/s`),
        row("length", `${each(tally.instructions)} instructions`),
        row("runs", `${grouped(tally.runs)} (${each(tally.runs)} each)`),
        row("steps", grouped(tally.steps)),
      ],
    },
    {
      title: "coverage",
      rows: [
        row("semantic map", `${grouped(coverage.semantic)} entries`),
        row("blocks", `${grouped(coverage.blocks)} of ${grouped(coverage.blocksKnown)}`),
        row("states", `${grouped(tally.states)} (${each(tally.states)} each)`),
        row("corpus", `${grouped(corpus.size)}, ${grouped(corpus.favoured)} favoured`),
      ],
    },
    {
      title: "workers",
      rows: workers.map(({ pid, doing, programs, restarts }) =>
        row(
          pid === undefined ? "–" : `${pid}`,
          `${doing}, ${grouped(programs)} programs${restarts === 0 ? "" : `, ${restarts} restarts`}`,
        ),
      ),
    },
  ];
}

/** A box's lines between its edges, filled up to a height; what does not fit is cut. */
function boxLines({ title, rows }: Box, width: number, height: number, paint: Paint): readonly string[] {
  const inner = width - 4;
  const names = Math.min(16, Math.max(8, ...rows.map(({ name }) => name.length)));
  const top = `┌─ ${title} ${"─".repeat(Math.max(0, width - title.length - 5))}┐`;
  const body = Array.from({ length: height }, (_, i) => {
    const { name, value, style } = rows[i] ?? { name: "", value: "" };
    const label = shorten(printable(name), names).padStart(names);
    const text = shorten(printable(value), Math.max(0, inner - names - 3));
    const space = " ".repeat(Math.max(0, inner - names - 3 - Array.from(text).length));
    const shown = style === undefined ? text : paint(style, text);
    const between = name === "" && value === "" ? "   " : " : ";
    return `${paint("gray", "│")} ${paint("gray", `${label}${between}`)}${shown}${space} ${paint("gray", "│")}`;
  });
  const edge = top.slice(0, 3) + paint(["cyan", "bold"], title) + top.slice(3 + title.length);
  return [edge, ...body, paint("gray", `└${"─".repeat(width - 2)}┘`)];
}

function wide(title: string, lines: readonly string[], width: number, paint: Paint): readonly string[] {
  const top = "─".repeat(Math.max(0, width - title.length - 5));
  return [
    `┌─ ${paint(["cyan", "bold"], title)} ${top}┐`,
    ...lines.map((line) => {
      const text = shorten(printable(line), width - 4);
      return `${paint("gray", "│")} ${text}${" ".repeat(width - 4 - Array.from(text).length)} ${paint("gray", "│")}`;
    }),
    paint("gray", `└${"─".repeat(width - 2)}┘`),
  ];
}

function paired(all: readonly Box[], columns: number, paint: Paint): readonly string[] {
  const width = columns >> 1;
  const lines: string[] = [];
  for (let i = 0; i < all.length; i += 2) {
    const [left, right] = [all[i], all[i + 1]];
    if (left === undefined || right === undefined) continue;
    const height = Math.min(8, Math.max(left.rows.length, right.rows.length));
    const second = boxLines(right, columns - width, height, paint);
    lines.push(...boxLines(left, width, height, paint).map((line, at) => line + (second[at] ?? "")));
  }
  return lines;
}

/** The screen's lines, no wider and no more than the terminal has. */
export function screenLines(
  stats: Stats,
  findings: readonly Finding[],
  { version, directory, told, stopping }: ScreenFacts,
  { columns, rows }: ScreenSize,
  paint: Paint,
): readonly string[] {
  const width = Math.min(columns, WIDE);
  const head = shorten(
    `soundcheck ${version}: ${stats.target}, seed ${stats.seed}, in ${printable(directory)}`,
    width,
  );
  const all = boxes(stats);
  const body =
    width >= NARROW
      ? paired(all, width, paint)
      : all.flatMap((box) => boxLines(box, width, Math.min(8, box.rows.length), paint));
  const reasons = Object.entries(stats.reasons)
    .slice(0, 4)
    .map(([what, times]) => `${grouped(times).padStart(11)}  ${what}`);
  const lines = [
    paint("bold", head),
    ...body,
    ...(findings.length === 0
      ? []
      : wide(
          "last findings",
          findings.slice(-3).map(({ key, program }) => `${key}: ${program}`),
          width,
          paint,
        )),
    ...(reasons.length === 0 ? [] : wide("rejected because", reasons, width, paint)),
  ];
  const last = stopping
    ? "stopping: the last ranges are finished"
    : (told ?? "Ctrl-C stops; the same command goes on");
  return [...lines.slice(0, Math.max(1, rows - 2)), paint("gray", shorten(printable(last), width))];
}
