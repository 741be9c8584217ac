/** `soundcheck corpus run`: whether every entry of the corpus still is what is expected of it. */
import { isFinding } from "../campaign/check-report.ts";
import { checkAll, findingsText, readAll, reportJson } from "./check.ts";
import { ProgressDisplay } from "./check-progress.ts";
import { entryFiles, matcher } from "./corpus-entries.ts";
import { report, STATUS, type Status, worse } from "./status.ts";
import { complain, out, outJson } from "./terminal.ts";

export interface CorpusRunOptions {
  readonly json?: true;
  readonly in?: string;
  readonly runs: number;
  readonly seed: number;
  readonly workers: number;
  readonly profile?: string;
}

/** Checks the entries that match the patterns by their files: verdict, message and runs, the certificate, and generated runs along it. */
export async function corpusRun(patterns: readonly string[], options: CorpusRunOptions): Promise<Status> {
  const { json } = options;
  const names = entryFiles(options.in).filter((file) => matcher(patterns)(file));
  const { files, unreadable } = await readAll(names);
  const display = new ProgressDisplay(() => performance.now());
  const summary = await checkAll(files, names, { ...options, kernel: false }, (event) => {
    display.show(event);
    if (json === true && event.report !== undefined) outJson(reportJson(event.report));
  });
  display.clear();
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
