/** The main job on all processors: each file's programs are checked in one of several processes, and told in the order of the files. */
import { Tinypool } from "tinypool";
import { objectOptionsFor } from "../oracle/linux/object-options.ts";
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

export interface PoolOptions extends CheckSettings {
  readonly workers: number;
  readonly knowledge: CorpusKnowledge;
  readonly now: () => number;
  readonly progress?: (event: CheckProgress) => void;
}

/** As `checkFiles`, with the same answers. */
export async function checkInPool(files: readonly InputFile[], options: PoolOptions): Promise<CheckSummary> {
  const { workers, knowledge, now, progress, ...settings } = options;
  const start = now();
  const object = objectOptionsFor();
  const read = files.map((file) => ({ file, ...readTasks([file], { knowledge, object }) }));
  const processes = {
    runtime: "child_process",
    filename: WORKER,
    minThreads: workers,
    maxThreads: workers,
    // Bytes and large numbers go between processes as they are.
    serialization: "advanced",
  } as const;
  const pool = new Tinypool(processes);
  const reports: ProgramReport[] = [];
  const faults: FaultReport[] = read.flatMap((each) => each.faults);
  const total = read.reduce((sum, { tasks }) => sum + tasks.length, 0);
  let done = 0;
  try {
    const jobs = read
      .filter(({ tasks }) => tasks.length > 0)
      .map(({ file, tasks }) => ({
        tasks,
        outcomes: outcomesOf(pool, jobOf(file, tasks, options, settings)),
      }));
    for (const { tasks, outcomes } of jobs) {
      const ended = await outcomes;
      for (const [index, { file, program }] of tasks.entries()) {
        const outcome = ended[index] ?? { error: new Error("the process has not answered") };
        const report = "report" in outcome ? { ...outcome.report, program } : undefined;
        if ("error" in outcome) faults.push({ file, program: program.name, error: outcome.error });
        if (report !== undefined) reports.push(report);
        done += 1;
        progress?.({ total, done, file, program: program.name, ...(report === undefined ? {} : { report }) });
      }
    }
  } finally {
    await pool.destroy();
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
  { knowledge }: PoolOptions,
  settings: CheckSettings,
): Job {
  const names = new Set(tasks.map(({ program }) => program.name));
  return {
    file,
    expected: tasks.map(({ program, expected }) => [program.name, expected]),
    differences: knowledge.differences.filter(({ program }) => names.has(program)),
    settings,
  };
}

/** What becomes of a file's programs. A process that dies takes no more than them with it. */
async function outcomesOf(pool: Tinypool, job: Job): Promise<readonly Outcome[]> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the worker's function returns
    return (await pool.run(job)) as readonly Outcome[];
  } catch (error) {
    return job.expected.map(() => ({ error }));
  }
}
