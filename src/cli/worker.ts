/** `soundcheck worker`: does the jobs of campaigns on other machines, which a queue brings. */
import { type Crew, localCrew } from "../campaign/fuzz/crew.ts";
import { queueAddress } from "../campaign/queue/address.ts";
import { serve } from "../campaign/queue/serve.ts";
import { openServer } from "../campaign/queue/server.ts";
import { STATUS, type Status } from "./status.ts";
import { note, out, outJson } from "./terminal.ts";

export interface WorkerOptions {
  readonly json?: true;
  readonly queue: string;
  readonly workers: number;
  /** Seconds without a job after which it ends. */
  readonly idle?: number;
}

/** Milliseconds between lines of progress. */
const PLAIN_MS = 10_000;

const jobs = (done: number): string => `${done} job${done === 1 ? "" : "s"} done`;

export async function worker(
  { json, queue, workers, idle }: WorkerOptions,
  version: string,
): Promise<Status> {
  const address = queueAddress(queue);
  const now = (): number => performance.now();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupt);
  const server = await openServer(address);
  const crew = localCrew(workers);
  let shown = now();
  try {
    const done = await serve(
      server,
      {
        version,
        jobs: workers,
        idleMs: idle === undefined ? Number.POSITIVE_INFINITY : 1000 * idle,
        now,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what campaigns of this version ask
        work: (job) => crew.run(job as Parameters<Crew["run"]>[0]),
        onReady: () => note(`waiting for jobs at ${address.shown}`),
        onDone(sofar) {
          if (now() - shown < PLAIN_MS) return;
          shown = now();
          note(jobs(sofar));
        },
      },
      stop.signal,
    );
    if (json === true) outJson({ summary: { jobs: done } });
    else out(`${jobs(done)}\n`);
    return stop.signal.aborted ? STATUS.interrupted : STATUS.held;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeListener(signal, interrupt);
    await crew.close();
  }
}
