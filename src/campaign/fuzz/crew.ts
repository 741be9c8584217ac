/** Who does the jobs of a campaign: processes of this machine, or others that a queue leads to (`campaign/queue/crew.ts`). */
import { Tinypool } from "tinypool";
import type { BatchResult, Job, Reduced } from "./worker.ts";

export interface Crew {
  /** Jobs at a time that leave nobody without work. */
  readonly width: number;
  /** The job's answer; undefined if nobody came to do it before the campaign was over: it is as if it had not been asked for. */
  readonly run: (job: Job) => Promise<BatchResult | Reduced | undefined>;
  readonly close: () => Promise<void>;
}

const WORKER = import.meta.url.replace(/crew(\.[jt]s)$/, "worker$1");

/** So many processes of this machine, with two jobs for each, so that none waits. */
export function localCrew(workers: number): Crew {
  const pool = new Tinypool({
    runtime: "child_process",
    filename: WORKER,
    minThreads: workers,
    maxThreads: workers,
    serialization: "advanced",
  });
  return {
    width: 2 * workers,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the worker's function returns
    run: async (job) => (await pool.run(job)) as BatchResult | Reduced,
    close: () => pool.destroy(),
  };
}
