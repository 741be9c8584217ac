/** `soundcheck corpus run`: whether every entry of the corpus still is what is expected of it. */

import type { CheckProgress } from "../campaign/check.ts";
import type { Checker } from "../campaign/check-pool.ts";
import { isFinding } from "../campaign/check-report.ts";
import { checkAll, findingsText, readAll, reportJson } from "./check.ts";
import { ProgressDisplay } from "./check-progress.ts";
import { entryFiles, matcher } from "./corpus-entries.ts";
import { report, STATUS, type Status, worse } from "./status.ts";
import { complain, note, out, outJson } from "./terminal.ts";

/** What asks a run to stop. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface CorpusRunOptions {
  readonly json?: true;
  readonly in?: string;
  readonly runs: number;
  readonly seed: number;
  readonly workers: number;
  /** The server of a queue whose workers check the entries. */
  readonly queue?: string;
  readonly profile?: string;
}

/** Lets work be done by a queue's workers; undefined if it was interrupted. */
async function elsewhere<T>(
  { queue, profile }: CorpusRunOptions,
  version: string,
  tell: (line: string) => void,
  work: (checker?: Checker) => Promise<T>,
): Promise<T | undefined> {
  if (queue === undefined) return await work();
  const { checkerElsewhere, mustBeElsewhere } = await import("./corpus-queue.ts");
  if (profile !== undefined) mustBeElsewhere(profile);
  const stop = new AbortController();
  // Entries that nobody has begun are taken back from the queue. Asked twice, it does not wait for the others.
  const interrupt = (): void => (stop.signal.aborted ? process.exit(STATUS.interrupted) : stop.abort());
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    const { checker, close } = await checkerElsewhere(queue, version, stop.signal, tell);
    try {
      return await work(checker);
    } finally {
      await close();
    }
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupt);
  }
}

/** Checks the entries that match the patterns by their files: verdict, message and runs, the certificate, and generated runs along it. */
export async function corpusRun(
  patterns: readonly string[],
  options: CorpusRunOptions,
  version: string,
): Promise<Status> {
  const { json } = options;
  const names = entryFiles(options.in).filter((file) => matcher(patterns)(file));
  const { files, unreadable } = await readAll(names);
  const display = new ProgressDisplay(() => performance.now());
  const progress = (event: CheckProgress): void => {
    display.show(event);
    if (json === true && event.report !== undefined) outJson(reportJson(event.report));
  };
  const tell = (line: string): void => {
    display.clear();
    note(line);
  };
  const summary = await elsewhere(options, version, tell, (checker) =>
    checkAll(files, names, { ...options, kernel: false }, progress, checker),
  );
  display.clear();
  if (summary === undefined) return STATUS.interrupted;
  const broken = [...unreadable, ...summary.unreadable];
  for (const { file, program, message } of broken) {
    complain(program === undefined ? message : `${file}: ${program}: ${message}`);
  }
  let status: Status = broken.length === 0 ? STATUS.held : STATUS.impossible;
  const findings = summary.reports.filter(isFinding).length;
  if (findings > 0) status = worse(status, STATUS.found);
  for (const { file, program, error } of summary.faults) {
    status = worse(status, report(error, program === undefined ? file : `${file}: ${program}`));
  }
  const entries = summary.reports.length;
  const without = summary.reports.filter(({ expectation }) => expectation === undefined).length;
  const runs = summary.reports.reduce((sum, each) => sum + each.runs.length, 0);
  if (json === true) {
    outJson({ summary: { entries, findings, withoutExpectation: without, runs, seconds: summary.seconds } });
  } else {
    out(findingsText(summary));
    const nothing = without === 0 ? "" : `, ${without} of which nothing is expected`;
    out(
      `${entries} entr${entries === 1 ? "y" : "ies"}${nothing}: ${entries - findings} hold, ${findings} do not; ${runs} runs; ${summary.seconds.toFixed(1)} s\n`,
    );
  }
  return status;
}
