/** Who does the jobs of a campaign: processes of this machine, or others that a queue leads to (`campaign/queue/crew.ts`). */
import { type ChildProcess, fork } from "node:child_process";
import type { Job, JobAnswer } from "./batch.ts";
import type { WorkerStats } from "./stats.ts";
import type { Reply } from "./worker-process.ts";

export interface Crew {
  /** Jobs at a time that leave nobody without work. */
  readonly width: number;
  /**
   * The job's answer; undefined if nobody came to do it before the campaign was over: it is as if it had not been asked for.
   *
   * @throws Error  if the job fails, or who does it dies of it again and again
   */
  readonly run: (job: Job) => Promise<JobAnswer | undefined>;
  readonly close: () => Promise<void>;
  /** What each process is doing, where that is known. */
  readonly workers?: () => readonly WorkerStats[];
}

const WORKER = new URL(import.meta.url.replace(/crew(\.[jt]s)$/, "worker-process$1"));
/**
 * Megabytes that V8 has for what is new. Most of what a cross-check makes is gone with it; with the usual 16 the rest is copied every few dozen programs, which takes a tenth of the processor
 * time.
 */
const ROOM_FOR_NEW = ["--min-semi-space-size=32", "--max-semi-space-size=64"];
/** How often a job is given to a process before it counts as one that kills them. */
const ATTEMPTS = 2;
/** Milliseconds after which a process that has not answered is taken to hang. */
const PATIENCE_MS = 600_000;

interface Waiting {
  readonly job: Job;
  readonly resolve: (answer: JobAnswer | undefined) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

/** Whether the job counts which code runs. That slows all down that its process does from then on, so one process does all of these. */
function counts(job: Job): boolean {
  return job.kind === "locate" || (job.kind === "batch" && job.settings.coverage === "code");
}

/** One process at a time: another takes its place when it dies. */
class Worker {
  readonly #next: () => Waiting | undefined;
  readonly #again: (waiting: Waiting) => void;
  readonly #code: URL;
  #process: ChildProcess | undefined;
  #busy: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #programs = 0;
  #restarts = -1;
  #closed = false;

  /**
   * @param next  takes the job that has waited longest
   * @param again  gives one back
   * @param code  what the process is made of
   */
  constructor(next: () => Waiting | undefined, again: (waiting: Waiting) => void, code: URL) {
    this.#next = next;
    this.#again = again;
    this.#code = code;
  }

  get stats(): WorkerStats {
    const pid = this.#process?.pid;
    const kind = this.#busy?.job.kind;
    return {
      ...(pid === undefined ? {} : { pid }),
      doing: kind === undefined ? "waits" : kind === "batch" ? "batch" : "reduces",
      programs: this.#programs,
      restarts: Math.max(0, this.#restarts),
    };
  }

  /** Takes a job, if it has none and there is one. */
  take(): void {
    if (this.#busy !== undefined || this.#closed) return;
    const waiting = this.#next();
    if (waiting === undefined) return;
    this.#busy = waiting;
    waiting.attempts += 1;
    this.#process ??= this.#start();
    this.#timer = setTimeout(() => this.#process?.kill("SIGKILL"), PATIENCE_MS);
    // What cannot be sent is lost with the process, whose end is told as well.
    this.#process.send(waiting.job, () => undefined);
  }

  #start(): ChildProcess {
    this.#restarts += 1;
    const child = fork(this.#code, {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [...process.execArgv, ...ROOM_FOR_NEW],
    });
    child.on("message", (reply: Reply) => this.#answered(reply));
    child.once("exit", (code, signal) => this.#died(child, signal ?? `status ${code}`));
    child.once("error", () => child.kill("SIGKILL"));
    return child;
  }

  #free(): Waiting | undefined {
    clearTimeout(this.#timer);
    const done = this.#busy;
    this.#busy = undefined;
    return done;
  }

  #answered(reply: Reply): void {
    const done = this.#free();
    if (done?.job.kind === "batch") this.#programs += done.job.count;
    if (reply.ok) done?.resolve(reply.answer);
    else done?.reject(new Error(reply.message));
    this.take();
  }

  #died(child: ChildProcess, how: string): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    const lost = this.#free();
    if (this.#closed) lost?.resolve(undefined);
    else if (lost !== undefined && lost.attempts >= ATTEMPTS)
      lost.reject(new Error(`a process that did a ${lost.job.kind} ended by ${how}`));
    else if (lost !== undefined) this.#again(lost);
    this.take();
  }

  close(): Promise<void> {
    this.#closed = true;
    const child = this.#process;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  }
}

/** So many processes of this machine, with two jobs for each, so that none waits. @param code  the module that they are made of: `worker-process` of this code or of another */
export function localCrew(count: number, code: URL = WORKER): Crew {
  const queue: Waiting[] = [];
  const again = (waiting: Waiting): void => {
    queue.unshift(waiting);
  };
  const next = (counter: boolean): Waiting | undefined => {
    const own = queue.findIndex(({ job }) => counter && counts(job));
    const at = own === -1 ? queue.findIndex(({ job }) => counter || !counts(job)) : own;
    return at === -1 ? undefined : queue.splice(at, 1)[0];
  };
  const workers = Array.from({ length: count }, (_, i) => new Worker(() => next(i === 0), again, code));
  return {
    width: 2 * count,
    run: (job) =>
      new Promise((resolve, reject) => {
        queue.push({ job, resolve, reject, attempts: 0 });
        for (const worker of workers) worker.take();
      }),
    async close() {
      for (const { resolve } of queue.splice(0)) resolve(undefined);
      await Promise.all(workers.map((worker) => worker.close()));
    },
    workers: () => workers.map(({ stats }) => stats),
  };
}
