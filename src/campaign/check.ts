/**
 * The main job: each program is verified; if it is accepted, its certificate is checked and generated runs walk it; if it is rejected, runs
 * look for an input that faults. The running kernel's verdict stands beside ours.
 */

import type { ObjectOptions } from "../object/programs.ts";
import { readPrograms } from "../object/read.ts";
import { kernelAvailable } from "../oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../oracle/linux/this-machine.ts";
import { InputError, Unsupported } from "../semantics/errors.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { checkCertificate } from "../verifier/check-certificate.ts";
import { VerifierLog } from "../verifier/log.ts";
import type { Verdict } from "../verifier/verdict.ts";
import { verify } from "../verifier/verify.ts";
import type {
  Agreement,
  CheckedVerdict,
  CheckSummary,
  FaultReport,
  ProgramReport,
  UnreadableReport,
} from "./check-report.ts";
import { checkedVerdict, kernelAnswer } from "./compare/answer.ts";
import { rulesBy, rulesOf } from "./compare/rules.ts";
import {
  type CorpusKnowledge,
  checkExpectation,
  type Expected,
  knownDifference,
  NO_KNOWLEDGE,
} from "./expectations.ts";
import { runProgram } from "./run-program.ts";

export interface CheckOptions {
  readonly seed: number;
  /** Runs of each program. */
  readonly runs: number;
  /** Whether to ask the running kernel, if there is one. */
  readonly compare: boolean;
  /** Milliseconds, from any start. */
  readonly now: () => number;
  readonly progress?: (event: CheckProgress) => void;
  readonly knowledge?: CorpusKnowledge;
  /** How objects are read: the target kernel's BTF. */
  readonly object?: ObjectOptions;
  /** Whose rules hold (default: those of the kernel that is asked). */
  readonly rules?: Rules;
  /** Whose rules hold where neither is given (default: the newest kernel's, with the types of the one here). */
  readonly rulesWithoutKernel?: Rules;
}

export interface CheckProgress {
  readonly done: number;
  readonly total: number;
  readonly file: string;
  readonly program: string;
  /** Present once the program is done, unless a bug of ours came in between. */
  readonly report?: ProgramReport;
}

export interface InputFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Task {
  readonly file: string;
  readonly program: Program;
  /** All programs of the file. */
  readonly together: readonly Program[];
  readonly expected: Expected | undefined;
}

/** Logs longer than this are cut to their end: what a report shows. */
const LONGEST_LOG = 60_000;

/** The programs of the files. A file that cannot be read is reported and does not stop the others. */
export function readTasks(
  files: readonly InputFile[],
  { knowledge = NO_KNOWLEDGE, object }: Pick<CheckOptions, "knowledge" | "object">,
): Pick<CheckSummary, "unreadable" | "faults"> & { readonly tasks: readonly Task[] } {
  const tasks: Task[] = [];
  const unreadable: UnreadableReport[] = [];
  const faults: FaultReport[] = [];
  for (const { name, bytes } of files) {
    try {
      const { programs, failures, expect } = readPrograms(name, bytes, object);
      for (const program of programs) {
        const expected = expect ?? knowledge.expected(name, program.name);
        tasks.push({ file: name, program, together: programs, expected });
      }
      for (const failure of failures)
        unreadable.push({ file: name, program: failure.name, message: failure.message });
    } catch (error) {
      if (error instanceof InputError) unreadable.push({ file: name, message: error.message });
      else if (error instanceof Unsupported)
        unreadable.push({ file: name, message: `${name}: unsupported: ${error.message}` });
      else faults.push({ file: name, error });
    }
  }
  return { tasks, unreadable, faults };
}

/** The kernel to compare with, or why there is none. */
export const kernelToAsk = (compare: boolean): ReturnType<typeof kernelAvailable> =>
  compare ? kernelAvailable() : { ok: false, reason: "not asked for" };

/** What a summary says of it. */
export const comparedWith = (kernel: ReturnType<typeof kernelAvailable>): CheckSummary["kernel"] =>
  kernel.ok ? { compared: true, release: kernel.release } : { compared: false, reason: kernel.reason };

/** Checks every program of the files, one after the other. */
export function checkFiles(files: readonly InputFile[], options: CheckOptions): CheckSummary {
  const start = options.now();
  const { tasks, unreadable, faults: unread } = readTasks(files, options);
  const faults: FaultReport[] = [...unread];
  const kernel = kernelToAsk(options.compare);
  const reports: ProgramReport[] = [];
  for (const [index, task] of tasks.entries()) {
    const event = { total: tasks.length, file: task.file, program: task.program.name };
    options.progress?.({ ...event, done: index });
    let report: ProgramReport | undefined;
    try {
      report = checkProgram(task, options, kernel);
      reports.push(report);
    } catch (error) {
      faults.push({ file: task.file, program: task.program.name, error });
    }
    options.progress?.({ ...event, done: index + 1, ...(report === undefined ? {} : { report }) });
  }
  return {
    reports,
    unreadable,
    faults,
    kernel: comparedWith(kernel),
    seed: options.seed,
    runs: options.runs,
    seconds: (options.now() - start) / 1000,
  };
}

const withoutKernel = ({ rulesWithoutKernel }: CheckOptions): Rules =>
  rulesWithoutKernel ?? rulesBy(DEFAULT_RULES.profile);

/** Everything about one program. Takes over the abstract machine's memory. */
export function checkProgram(
  task: Task,
  options: CheckOptions,
  kernel: ReturnType<typeof kernelAvailable>,
): ProgramReport {
  const { file, program, together, expected } = task;
  const { knowledge = NO_KNOWLEDGE } = options;
  const start = options.now();
  const rules = options.rules ?? (kernel.ok ? rulesOf(THIS_MACHINE) : withoutKernel(options));
  const verdict = verify(program, undefined, rules);
  const ms = options.now() - start;
  const checked =
    verdict.verdict === "accept"
      ? checkCertificate(program, verdict.certificate, undefined, rules)
      : undefined;
  const samples = expected?.runs.flatMap(({ packet }) => packet ?? []) ?? [];
  const ran = runProgram(program, verdict, options.seed, options.runs, samples, rules);
  const ours = checkedVerdict(verdict, ms);
  const theirs = kernel.ok ? kernelAnswer(THIS_MACHINE, program, options.now) : undefined;
  const expectation =
    expected === undefined
      ? undefined
      : checkExpectation(program, together, ours, expected, knowledge, rules);
  return {
    file,
    program,
    verdict: ours,
    log: logOf(program, verdict, rules),
    ...(verdict.verdict === "accept" && checked !== undefined
      ? {
          certificate: {
            nodes: verdict.certificate.nodes.length,
            bytes: verdict.certificate.nodes.reduce((sum, { state }) => sum + state.length, 0),
            confirmed: checked.ok,
            ...(checked.ok ? {} : { reason: `node ${checked.node}: ${checked.reason}` }),
          },
        }
      : {}),
    ...ran,
    ...(theirs === undefined || "incomparable" in theirs ? {} : { kernel: theirs }),
    agreement: !kernel.ok
      ? { kind: "not compared", reason: kernel.reason }
      : theirs !== undefined && "incomparable" in theirs
        ? { kind: "not compared", reason: theirs.incomparable }
        : agreementOf(program, ours, theirs, knowledge),
    ...(expectation === undefined ? {} : { expectation }),
  };
}

/** The log of the refused path; of an accepted program the closing line, and of a short one everything. */
function logOf(program: Program, verdict: Verdict, rules: Rules): string {
  const short = verdict.statistics.processed <= 500;
  const log = new VerifierLog(program, verdict.verdict === "accept" && short ? 2 : 1);
  // The exploration is a function of the program: a second one with the log on takes the same way.
  const text = log.finish(verdict.verdict === "accept" && !short ? verdict : verify(program, log, rules));
  return text.length <= LONGEST_LOG
    ? text
    : `(the first ${text.length - LONGEST_LOG} characters are left out)\n${text.slice(-LONGEST_LOG)}`;
}

function agreementOf(
  program: Program,
  ours: CheckedVerdict,
  theirs: CheckedVerdict | undefined,
  { differences }: CorpusKnowledge,
): Agreement {
  if (theirs === undefined || ours.verdict === theirs.verdict) return { kind: "same" };
  const known = knownDifference(differences, {
    program: program.name,
    ours: ours.verdict,
    kernel: theirs.verdict,
  });
  if (known !== undefined) return { kind: "explained", reason: known.reason };
  if (ours.verdict === "unsupported")
    return { kind: "explained", reason: `not modelled: ${ours.message ?? ""}` };
  return { kind: "different" };
}
