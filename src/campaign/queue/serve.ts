/**
 * A worker's side of a queue: takes jobs and answers them. While it works on one it renews its hold on it; a worker that is killed does not, and after some seconds
 * the job is another's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "../../semantics/errors.ts";
import { fromJson, toJson } from "./codec.ts";
import { answers, leave, PATIENCE_MS, queueName, ready, reason, type Server } from "./server.ts";

/** Milliseconds for which a worker holds a job without renewing that, and between looks for jobs that nobody holds. */
const HOLD_MS = 4000;
const STALLED_MS = 2000;
/** How often a job may be lost with its worker before it is given up. */
const MOST_LOST = 5;
/** Milliseconds between looks at whether the server is there, and whether to leave. */
const LOOK_MS = 500;

export interface ServeOptions {
  readonly version: string;
  /** Jobs at a time. */
  readonly jobs: number;
  /** Leaves when nothing has come for as long (milliseconds). */
  readonly idleMs: number;
  /** Milliseconds from any start. */
  readonly now: () => number;
  readonly work: (job: unknown) => Promise<unknown>;
  readonly onReady?: () => void;
  readonly onDone?: (done: number) => void;
}

/** Works until told to stop, or nothing comes any more. Gives the number of jobs done. @throws InputError where the server is not there, or no more */
export async function serve(server: Server, options: ServeOptions, signal: AbortSignal): Promise<number> {
  const { version, jobs, idleMs, now, work, onReady, onDone } = options;
  const { bull, connection, address } = server;
  let lastError: Error | undefined;
  const state = { answeredAt: now(), busyAt: now(), busy: 0, done: 0 };
  const queue = new bull.Queue(queueName(version), { connection });
  const worker = new bull.Worker(
    queueName(version),
    async ({ data }: { data: { readonly value: unknown } }) => {
      state.busy += 1;
      try {
        const answer = toJson(await work(fromJson(data.value)));
        state.done += 1;
        onDone?.(state.done);
        return answer;
      } finally {
        state.busy -= 1;
        state.busyAt = now();
      }
    },
    {
      connection,
      concurrency: jobs,
      lockDuration: HOLD_MS,
      stalledInterval: STALLED_MS,
      maxStalledCount: MOST_LOST,
    },
  );
  const noticed = (error: Error): void => {
    lastError = error;
  };
  queue.on("error", noticed);
  worker.on("error", noticed);
  try {
    await ready(server, queue, () => lastError);
    onReady?.();
    while (!signal.aborted && (state.busy > 0 || now() - state.busyAt < idleMs)) {
      if (await answers(queue)) state.answeredAt = now();
      else if (now() - state.answeredAt > PATIENCE_MS) {
        throw new InputError(
          `--queue ${address.shown}: the server has gone away (${reason(lastError ?? "no answer")})`,
        );
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    // What has been begun is finished, unless there is nobody to tell.
    await worker.close(!signal.aborted && state.busy > 0);
  } finally {
    await leave(server, [worker, queue], await answers(queue));
  }
  return state.done;
}
