/** `soundcheck check`: the main job, on files or on the bundled corpus. */
import { writeFile } from "node:fs/promises";
import { type CheckProgress, checkFiles, type InputFile } from "../campaign/check.ts";
import { type Checker, checkElsewhere, checkInPool } from "../campaign/check-pool.ts";
import {
  type CheckedRun,
  type CheckSummary,
  isFinding,
  type ProgramReport,
  type UnreadableReport,
} from "../campaign/check-report.ts";
import { rulesBy } from "../campaign/compare/rules.ts";
import { allFindings } from "../campaign/findings.ts";
import { htmlReport } from "../campaign/html-report.ts";
import { objectOptionsFor } from "../oracle/linux/object-options.ts";
import { readProfile } from "../oracle/profiles.ts";
import { InputError } from "../semantics/errors.ts";
import { ProgressDisplay } from "./check-progress.ts";
import { programTable, reasons, totals } from "./check-table.ts";
import { CORPUS_PROFILE, corpusFiles, inCorpus, knowledgeOf } from "./corpus.ts";
import { displayName, readBytes } from "./files.ts";
import { hexOf } from "./hex.ts";
import { explain, report, STATUS, type Status, worse } from "./status.ts";
import { complain, note, out, outJson, paint, printable } from "./terminal.ts";

export interface CheckCommandOptions {
  readonly json?: true;
  readonly runs: number;
  readonly seed: number;
  readonly workers: number;
  readonly kernel: boolean;
  /** The report's file, or `false` for none. */
  readonly report: string | false;
  /** Whose rules hold; without it, those of the kernel that is compared with. */
  readonly profile?: string;
}

/** The files' bytes; one that cannot be read does not stop the others. */
export async function readAll(
  names: readonly string[],
): Promise<{ readonly files: readonly InputFile[]; readonly unreadable: readonly UnreadableReport[] }> {
  const files: InputFile[] = [];
  const unreadable: UnreadableReport[] = [];
  for (const name of names) {
    try {
      files.push({ name: displayName(name), bytes: await readBytes(name) });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      unreadable.push({ file: displayName(name), message: error.message });
    }
  }
  return { files, unreadable };
}

function runJson({ packet, context, seed, steps, outcome }: CheckedRun): object {
  return { packet: hexOf(packet), context: hexOf(context), seed, steps, outcome };
}

export function reportJson(report: ProgramReport): object {
  const { file, program, verdict, certificate, runs, coverage, violations, witness } = report;
  const { kernel, agreement, expectation } = report;
  return {
    file,
    name: program.name,
    type: program.type,
    ...verdict,
    certificate: certificate ?? null,
    runs: runs.length,
    coverage,
    violations: violations.map(({ run, ...violation }) => ({ ...violation, run: runJson(run) })),
    witness: witness === undefined ? null : runJson(witness),
    kernel: kernel ?? null,
    agreement,
    expectation: expectation ?? null,
    finding: isFinding(report),
  };
}

function summaryJson(summary: CheckSummary, page: string | undefined): object {
  const { reports, unreadable, faults, kernel, seed, runs, seconds } = summary;
  const counts = {
    programs: reports.length,
    findings: reports.filter(isFinding).length,
    unreadable: unreadable.length,
    faults: faults.length,
  };
  return { summary: { ...counts, kernel, seed, runs, seconds, report: page ?? null } };
}

export function findingsText(summary: CheckSummary): string {
  return allFindings(summary)
    .map(({ report, title, input, reproduce }, index) => {
      const where = `${report.file}: ${report.program.name}`;
      return [
        `${paint(["red", "bold"], `Finding ${index + 1}`)} ${printable(where)}\n`,
        `  ${printable(title)}\n`,
        `  Failing input: ${printable(input)}\n`,
        ...reproduce.map(
          (line, i) => `  ${i === 0 ? "Reproduce with:" : "           or:"} ${printable(line)}\n`,
        ),
        "\n",
      ].join("");
    })
    .join("");
}

async function writeReport(file: string, summary: CheckSummary): Promise<void> {
  try {
    await writeFile(file, htmlReport(summary));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file}: the report cannot be written: ${reason}`, { cause: error });
  }
}

/** Files from which on it pays to start other processes. */
const MANY = 24;

/** Checks the files: by the checker if there is one, otherwise here, in several processes if they are many. */
export async function checkAll(
  files: readonly InputFile[],
  names: readonly string[],
  {
    seed,
    runs,
    kernel,
    profile,
    workers,
  }: Pick<CheckCommandOptions, "seed" | "runs" | "kernel" | "profile" | "workers">,
  progress: (event: CheckProgress) => void,
  checker?: Checker,
): Promise<CheckSummary> {
  const common = {
    seed,
    runs,
    compare: kernel,
    now: () => performance.now(),
    knowledge: knowledgeOf(names),
    progress,
  };
  // A name that is none is said once, and not by every process.
  const rules = profile === undefined ? {} : { rules: rulesBy(readProfile(profile)) };
  const own = names.every(inCorpus);
  const elsewhere = {
    ...common,
    ...(profile === undefined ? {} : { profile }),
    ...(own ? { profileWithoutKernel: CORPUS_PROFILE } : {}),
  };
  if (checker !== undefined) return checkElsewhere(files, checker, elsewhere);
  if (workers > 1 && files.length >= MANY) return checkInPool(files, workers, elsewhere);
  return checkFiles(files, {
    ...common,
    object: objectOptionsFor(),
    ...rules,
    ...(own ? { rulesWithoutKernel: { profile: readProfile(CORPUS_PROFILE) } } : {}),
  });
}

export async function check(names: readonly string[], options: CheckCommandOptions): Promise<Status> {
  const chosen = names.length === 0 ? corpusFiles() : names;
  const { files, unreadable } = await readAll(chosen);
  const display = new ProgressDisplay(() => performance.now());
  const checked = await checkAll(files, chosen, options, (event) => {
    display.show(event);
    if (options.json === true && event.report !== undefined) outJson(reportJson(event.report));
  });
  display.clear();
  const summary = { ...checked, unreadable: [...unreadable, ...checked.unreadable] };
  for (const { file, program, message } of summary.unreadable) {
    const error = program === undefined ? message : `${file}: ${program}: ${message}`;
    complain(error);
    if (options.json === true) outJson({ file, ...(program === undefined ? {} : { name: program }), error });
  }
  let status: Status = summary.unreadable.length === 0 ? STATUS.held : STATUS.impossible;
  if (summary.reports.some(isFinding)) status = worse(status, STATUS.found);
  for (const { file, program, error } of summary.faults) {
    const place = program === undefined ? file : `${file}: ${program}`;
    status = worse(status, report(error, place));
    if (options.json === true) outJson({ file, name: program ?? null, error: explain(error, place).message });
  }
  const page = options.report === false ? undefined : options.report;
  if (page !== undefined) await writeReport(page, summary);
  if (options.json === true) outJson(summaryJson(summary, page));
  else {
    out(`${programTable(summary)}\n${reasons(summary)}${findingsText(summary)}${totals(summary)}`);
    if (page !== undefined) note(`Report: ${page}`);
  }
  return status;
}
