/** `soundcheck fuzz`: a campaign of generated programs. */
import { campaign } from "../campaign/fuzz/engine.ts";
import { ORACLE_NAMES, type OracleName } from "../campaign/fuzz/oracle-names.ts";
import type { Stats } from "../campaign/fuzz/stats.ts";
import { type Finding, Store } from "../campaign/fuzz/store.ts";
import { ERASE_LINE } from "./bar.ts";
import { STATUS, type Status } from "./status.ts";
import { canRedraw, note, out, outJson, paintNote, printable } from "./terminal.ts";

export interface FuzzOptions {
  readonly json?: true;
  readonly seed: number;
  readonly seconds: number;
  readonly programs: number;
  readonly workers: number;
  readonly runs: number;
  readonly out: string;
  /** The server of a queue whose workers do the jobs. */
  readonly queue?: string;
  /** All, if none is named. */
  readonly oracle: readonly OracleName[];
  readonly profile?: string;
}

/** Milliseconds between plain lines. */
const PLAIN_MS = 10_000;

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`;
const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function line({ tally, seconds }: Stats, findings: readonly Finding[]): string {
  const { programs, accepted, runs } = tally;
  const rate = (programs / Math.max(seconds, 0.001)).toFixed(0);
  return `${seconds.toFixed(0)} s: ${programs} programs (${rate}/s), ${percent(accepted, programs)} accepted, ${runs} runs, ${plural(findings.length, "finding")}`;
}

function display(now: () => number): {
  readonly show: (stats: Stats, findings: readonly Finding[]) => void;
  readonly clear: () => void;
} {
  const redraw = canRedraw();
  let shown = now();
  return {
    show(stats, findings) {
      if (redraw) process.stderr.write(`${ERASE_LINE}${line(stats, findings)}`);
      else if (now() - shown >= PLAIN_MS) {
        shown = now();
        note(line(stats, findings));
      }
    },
    clear: () => {
      if (redraw) process.stderr.write(ERASE_LINE);
    },
  };
}

function report({ tally, seconds, reasons, unmodelled, next }: Stats, findings: readonly Finding[]): string {
  const { programs, accepted, rejected, unsupported, faulted, instructions, processed, states, runs, steps } =
    tally;
  const rows = [
    [
      "programs",
      `${programs}`,
      `${(programs / Math.max(seconds, 0.001)).toFixed(0)} a second; ${(instructions / Math.max(programs, 1)).toFixed(1)} instructions each`,
    ],
    ["accepted", `${accepted}`, percent(accepted, programs)],
    ["rejected", `${rejected}`, `${faulted} shown to fault`],
    ["not modelled", `${unsupported}`, ""],
    ["processed", `${processed}`, `instructions; ${states} states`],
    ["runs", `${runs}`, `${steps} steps`],
    ["next seed", `${next}`, ""],
  ];
  const most = (counts: Readonly<Record<string, number>>, title: string): string => {
    const entries = Object.entries(counts).slice(0, 8);
    if (entries.length === 0) return "";
    return `\n${title}\n${entries.map(([what, times]) => `${String(times).padStart(8)}  ${printable(what)}\n`).join("")}`;
  };
  const lines = rows.map(([what = "", count = "", more = ""]) =>
    `${what.padEnd(12)}  ${count.padStart(10)}  ${more}`.trimEnd(),
  );
  return `${lines.join("\n")}\n${most(reasons, "Rejected because")}${most(unmodelled, "Runs that the machine does not model")}${findings.map(findingText).join("")}\n${plural(findings.length, "finding")}\n`;
}

const findingText = ({ key, message, instructions, replay }: Finding, index: number): string =>
  `\nFinding ${index + 1} ${printable(key)}\n  ${printable(message)}\n  ${plural(instructions, "instruction")}\n  Replay with: ${printable(replay)}\n`;

export async function fuzz(options: FuzzOptions, version: string): Promise<Status> {
  const store = new Store(options.out);
  const now = (): number => performance.now();
  const { show, clear } = display(now);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once("SIGINT", interrupt);
  const { oracle, json, out: _, queue, ...rest } = options;
  try {
    const over = AbortSignal.any([stop.signal, AbortSignal.timeout(1000 * options.seconds)]);
    const crew =
      queue === undefined
        ? undefined
        : await (await import("./fuzz-queue.ts")).queueCrew(queue, store, version, over);
    const { stats, findings } = await campaign(
      {
        ...rest,
        ...(crew === undefined ? {} : { crew }),
        oracles: oracle.length === 0 ? ORACLE_NAMES : oracle,
        store,
        version,
        now,
        progress: show,
        onFinding: (finding) => {
          clear();
          note(`${paintNote(["red", "bold"], "finding")} ${printable(finding.key)}`);
          if (json === true) outJson({ finding });
        },
      },
      stop.signal,
    );
    clear();
    if (json === true) outJson({ summary: { ...stats } });
    else out(report(stats, findings));
    if (stop.signal.aborted) return STATUS.interrupted;
    return findings.length === 0 ? STATUS.held : STATUS.found;
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}
