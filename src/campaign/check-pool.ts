/** The main job on all processors: each file's programs are checked by somebody else, and told in the order of the files. */
import { Tinypool } from "tinypool";
import { objectOptionsFor } from "../oracle/linux/object-options.ts";
import { InputError } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import {
  type CheckProgress,
  comparedWith,
  type InputFile,
  kernelToAsk,
  readTasks,
  type Task,
} from "./check.ts";
import type { CheckSummary, FaultReport, ProgramReport } from "./check-report.ts";
import type { CheckSettings, Job, Outcome } from "./check-worker.ts";
import type { CorpusKnowledge } from "./expectations.ts";

const WORKER = import.meta.url.replace(/pool(\.[jt]s)$/, "worker$1");

export interface ElsewhereOptions extends CheckSettings {
  readonly knowledge: CorpusKnowledge;
  readonly now: () => number;
  readonly progress?: (event: CheckProgress) => void;
}

/**
 * Checks the programs of a file, somewhere, and says what becomes of each.
 *
 * @throws InputError where nobody is there who could; any other error is what becomes of the file's programs
 */
export type Checker = (job: Job, programs: readonly Program[]) => Promise<readonly Outcome[]>;

/** As `checkFiles` in so many processes of this machine, with the same answers. */
export async function checkInPool(
  files: readonly InputFile[],
  workers: number,
  options: ElsewhereOptions,
): Promise<CheckSummary> {
  const processes = {
    runtime: "child_process",
    filename: WORKER,
    minThreads: workers,
    maxThreads: workers,
    // Bytes and large numbers go between processes as they are.
    serialization: "advanced",
  } as const;
  const pool = new Tinypool(processes);
  try {
    return await checkElsewhere(
      files,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the worker's function returns
      async (job) => (await pool.run(job)) as readonly Outcome[],
      options,
    );
  } finally {
    await pool.destroy();
  }
}

/** As `checkFiles`, with the same answers, which a checker gives. @throws InputError where it cannot */
export async function checkElsewhere(
  files: readonly InputFile[],
  checker: Checker,
  options: ElsewhereOptions,
): Promise<CheckSummary> {
  const { knowledge, now, progress, ...settings } = options;
  const start = now();
  const object = objectOptionsFor();
  const read = files.map((file) => ({ file, ...readTasks([file], { knowledge, object }) }));
  const reports: ProgramReport[] = [];
  const faults: FaultReport[] = read.flatMap((each) => each.faults);
  const total = read.reduce((sum, { tasks }) => sum + tasks.length, 0);
  let done = 0;
  const jobs = read
    .filter(({ tasks }) => tasks.length > 0)
    .map(({ file, tasks }) => ({
      tasks,
      outcomes: outcomesOf(checker, jobOf(file, tasks, options, settings), tasks),
    }));
  for (const { tasks, outcomes } of jobs) {
    const ended = await outcomes;
    if (ended instanceof InputError) throw ended;
    for (const [index, { file, program }] of tasks.entries()) {
      const outcome = ended[index] ?? { error: new Error("the process has not answered") };
      const report = "report" in outcome ? { ...outcome.report, program } : undefined;
      if ("error" in outcome) faults.push({ file, program: program.name, error: outcome.error });
      if (report !== undefined) reports.push(report);
      done += 1;
      progress?.({ total, done, file, program: program.name, ...(report === undefined ? {} : { report }) });
    }
  }
  return {
    reports,
    unreadable: read.flatMap((each) => each.unreadable),
    faults,
    kernel: comparedWith(kernelToAsk(settings.compare)),
    seed: settings.seed,
    runs: settings.runs,
    seconds: (now() - start) / 1000,
  };
}

function jobOf(
  file: InputFile,
  tasks: readonly Task[],
  { knowledge }: ElsewhereOptions,
  settings: CheckSettings,
): Job {
  const names = new Set(tasks.map(({ program }) => program.name));
  return {
    file,
    expected: tasks.flatMap(({ program, expected }) =>
      expected === undefined ? [] : [[program.name, expected] as const],
    ),
    differences: knowledge.differences.filter(({ program }) => names.has(program)),
    settings,
  };
}

/** What becomes of a file's programs, or why nobody can say. A process that dies takes no more than them with it. */
async function outcomesOf(
  checker: Checker,
  job: Job,
  tasks: readonly Task[],
): Promise<readonly Outcome[] | InputError> {
  const programs = tasks.map(({ program }) => program);
  try {
    return await checker(job, programs);
  } catch (error) {
    return error instanceof InputError ? error : programs.map(() => ({ error }));
  }
}
