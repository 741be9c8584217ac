/** `soundcheck fuzz`: a campaign of generated programs. */
import type { KernelSource } from "../campaign/fuzz/batch.ts";
import type { Crew } from "../campaign/fuzz/crew.ts";
import { campaign } from "../campaign/fuzz/engine.ts";
import { type OracleName, oraclesFor } from "../campaign/fuzz/oracle-names.ts";
import type { Stats } from "../campaign/fuzz/stats.ts";
import { type Finding, Store } from "../campaign/fuzz/store.ts";
import { OURS, restOf } from "../campaign/fuzz/targets/named.ts";
import { InputError } from "../semantics/errors.ts";
import { type FuzzDisplay, fuzzDisplay } from "./fuzz-display.ts";
import { FuzzPages } from "./fuzz-pages.ts";
import { STATUS, type Status } from "./status.ts";
import { note, out, outJson, printable } from "./terminal.ts";

/** What asks a campaign to stop. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

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
  readonly without: readonly OracleName[];
  /** As `targetNamed` knows it. */
  readonly target: string;
  /** A kernel that is asked too about what the one under test accepts. */
  readonly beside?: string;
  /** How many of a hundred programs are mutants of the corpus. */
  readonly mutants: number;
  /** What a kernel under test gets. */
  readonly source?: KernelSource;
  readonly guidance: "none" | "semantic" | "code";
  readonly profile?: string;
  /** A finding to look at again, and nothing else. */
  readonly replay?: string;
}

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`;
const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function report(stats: Stats, findings: readonly Finding[]): string {
  const { tally, target, seconds, reasons, unmodelled, verdicts, harmless, next } = stats;
  const { programs, accepted, rejected, unsupported, faulted, instructions, processed, states, runs, steps } =
    tally;
  const rows = [
    [
      "programs",
      `${programs}`,
      `${(programs / Math.max(seconds, 0.001)).toFixed(0)} a second; ${(instructions / Math.max(programs, 1)).toFixed(1)} instructions each`,
    ],
    ["accepted", `${accepted}`, percent(accepted, programs)],
    ...(tally.spliced === 0 ? [] : [["mutants", `${tally.spliced}`, "of the corpus"]]),
    ["rejected", `${rejected}`, `${faulted} shown to fault`],
    ["not modelled", `${unsupported}`, ""],
    ...(target === OURS ? [] : [["restarts", `${tally.restarts}`, `of ${printable(target)}`]]),
    ["processed", `${processed}`, `instructions; ${states} states`],
    ["runs", `${runs}`, `${steps} steps`],
    ...(tally.compared === 0 && tally.kernelRuns === 0
      ? []
      : [
          ["numbers", `${tally.compared}`, "held against the kernel's bounds"],
          ["its runs", `${tally.kernelRuns}`, "held against the machine's"],
        ]),
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
  return `${lines.join("\n")}\n${most(reasons, "Rejected because")}${most(unmodelled, "Runs that the machine does not model")}${most(harmless, `Rejected, and not shown to fault by 128 runs more (${tally.harmless} of ${tally.searched})`)}${most(verdicts, "Other verdicts: ours / its")}${findings.map(findingText).join("")}\n${plural(findings.length, "finding")}\n`;
}

const findingText = ({ key, message, instructions, replay }: Finding, index: number): string =>
  `\nFinding ${index + 1} ${printable(key)}\n  ${printable(message)}\n  ${plural(instructions, "instruction")}\n  Replay with: ${printable(replay)}\n`;

/** What the system says of a file is about the campaign's directory, and no bug. */
function aboutDirectory(error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error) || !("path" in error)) return error;
  return new InputError(`${String(error.path)}: cannot be written: ${error.message}`, { cause: error });
}

export async function fuzz(options: FuzzOptions, version: string): Promise<Status> {
  if (options.replay !== undefined)
    return await (await import("./fuzz-replay.ts")).replayFinding(options.replay, options);
  const now = (): number => performance.now();
  const { oracle, without, json, out: directory, queue, replay: _, ...rest } = options;
  const oracles = oraclesFor(rest.target, oracle, without);
  const store = new Store(directory);
  const before = store.stats();
  const stop = new AbortController();
  let display: FuzzDisplay | undefined;
  const interrupt = (): void => {
    // Asked twice, it does not wait for the last ranges.
    if (stop.signal.aborted) process.exit(STATUS.interrupted);
    stop.abort();
    display?.stopping();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    const over = AbortSignal.any([stop.signal, AbortSignal.timeout(1000 * options.seconds)]);
    const tell = (line: string): void => (display === undefined ? note(line) : display.say(line));
    const seeded = restOf("seeded", rest.target);
    if (seeded !== undefined && queue !== undefined)
      throw new InputError(
        `--target ${rest.target}: such a verifier is made on this machine, and not with --queue`,
      );
    let crew: Crew | undefined;
    if (seeded !== undefined) crew = (await import("./fuzz-seeded.ts")).seededCrew(seeded, rest.workers);
    else if (queue !== undefined)
      crew = await (await import("./fuzz-queue.ts")).queueCrew(queue, store, version, over, tell);
    const pages = new FuzzPages({ directory, version, before: before?.seconds ?? 0, now });
    display = fuzzDisplay(now, { version, directory });
    const { stats, findings } = await campaign(
      {
        ...rest,
        ...(crew === undefined ? {} : { crew }),
        oracles,
        store,
        version,
        now,
        progress(sofar, found) {
          display?.show(sofar, found);
          pages.add(sofar, found);
        },
        onFinding: (finding) => {
          display?.found(finding);
          if (json === true) outJson({ finding });
        },
      },
      stop.signal,
    );
    pages.end(stats, findings);
    display.close();
    if (json === true) outJson({ summary: { ...stats } });
    else out(report(stats, findings));
    note(`Dashboard: ${printable(pages.page)}`);
    if (stop.signal.aborted) return STATUS.interrupted;
    return findings.length === 0 ? STATUS.held : STATUS.found;
  } catch (error) {
    throw aboutDirectory(error);
  } finally {
    display?.close();
    for (const signal of SIGNALS) process.removeListener(signal, interrupt);
  }
}
