/**
 * A campaign's side of a queue: jobs go to whichever worker takes them, answers come back. A job's name in the queue is made of the campaign and of all that the job
 * is made of, so that the same one put twice is done once and counts once: where a campaign was killed after a job was done, it finds the answer.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Job as BullJob, Queue, QueueEvents } from "bullmq";
import { InputError } from "../../semantics/errors.ts";
import { fromJson, toJson } from "./codec.ts";
import { answers, leave, PATIENCE_MS, queueName, ready, reason, type Server } from "./server.ts";

/** Milliseconds between looks at whether the server is there, and at jobs whose end nobody told of. */
const LOOK_MS = 1000;
/** Seconds for which answers are kept on the server. */
const KEPT_S = 3600;
/** How often a job is tried that ends in an error. */
const ATTEMPTS = 2;

export interface CrewOptions {
  readonly version: string;
  /** Tells campaigns on one server apart. */
  readonly campaign: string;
  /** The campaign is over: jobs that nobody has begun are taken back. */
  readonly over: AbortSignal;
  /** Milliseconds from any start. */
  readonly now: () => number;
  /** Told now and then of how many workers there are. */
  readonly onWorkers?: (workers: number) => void;
}

interface Waiting {
  readonly job: { readonly value: unknown };
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds for which a campaign that is over waits for jobs that a worker has begun. */
const LAST_ANSWERS_MS = 5000;

/** Does jobs through a queue. */
export class QueueCrew {
  readonly #server: Server;
  readonly #options: CrewOptions;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #waiting = new Map<string, Waiting>();
  readonly #closed = new AbortController();
  readonly #noticed = (error: Error): void => {
    this.#lastError = error;
  };
  #lastError: Error | undefined;
  #answeredAt: number;

  /** @throws InputError where there is no such server */
  static async open(server: Server, options: CrewOptions): Promise<QueueCrew> {
    const crew = new QueueCrew(server, options);
    try {
      await ready(server, crew.#queue, () => crew.#lastError);
      await ready(server, crew.#events, () => crew.#lastError);
    } catch (error) {
      await crew.close();
      throw error;
    }
    void crew.#look();
    const leave = (): void => void crew.#leave();
    if (options.over.aborted) leave();
    else options.over.addEventListener("abort", leave, { once: true });
    return crew;
  }

  private constructor(server: Server, options: CrewOptions) {
    const { bull, connection } = server;
    this.#server = server;
    this.#options = options;
    this.#answeredAt = options.now();
    const name = queueName(options.version);
    this.#queue = new bull.Queue(name, {
      connection,
      defaultJobOptions: {
        attempts: ATTEMPTS,
        removeOnComplete: { age: KEPT_S },
        removeOnFail: { age: KEPT_S },
      },
    });
    this.#events = new bull.QueueEvents(name, { connection });
    this.#queue.on("error", this.#noticed);
    this.#events.on("error", this.#noticed);
    this.#events.on("completed", ({ jobId, returnvalue }) => this.#done(jobId, returnvalue));
    this.#events.on("failed", ({ jobId, failedReason }) => this.#failed(jobId, failedReason));
  }

  /**
   * The job's answer; undefined where nobody gave it before the campaign was over.
   *
   * @throws Error where it ends in one, or is lost with its workers too often; InputError where the server is lost
   */
  run(job: object): Promise<unknown> {
    if (this.#options.over.aborted) return Promise.resolve(undefined);
    const value = toJson(job);
    const hash = createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
    const id = `${this.#options.campaign}-${hash}`;
    return new Promise((resolve, reject) => {
      const waiting = { job: { value }, resolve, reject };
      this.#waiting.set(id, waiting);
      this.#put(id, waiting).catch(this.#noticed);
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await leave(this.#server, [this.#events, this.#queue], await answers(this.#queue));
  }

  /** Takes back jobs that nobody has begun, and waits for the others, for some seconds. */
  async #leave(): Promise<void> {
    const until = this.#options.now() + LAST_ANSWERS_MS;
    if (await answers(this.#queue)) {
      await Promise.all([...this.#waiting.keys()].map((id) => this.#takeBack(id)));
    }
    while (this.#waiting.size > 0 && this.#options.now() < until) await sleep(50);
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  /** A job that a worker has begun cannot be taken back: its answer stays on the server for a while, and a campaign that goes on finds it. */
  async #takeBack(id: string): Promise<void> {
    const job: BullJob | undefined = await this.#queue.getJob(id);
    const gone = await job?.remove().then(
      () => true,
      () => false,
    );
    if (gone === false) return;
    this.#waiting.get(id)?.resolve(undefined);
    this.#waiting.delete(id);
  }

  async #put(id: string, { job }: Waiting): Promise<void> {
    const put = await this.#queue.add("job", job, { jobId: id });
    const state = await put.getState();
    // It was here before.
    if (state === "completed" || state === "failed") await this.#settle(id);
  }

  async #settle(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    const job: BullJob | undefined = await this.#queue.getJob(id);
    if (job === undefined) await this.#put(id, waiting);
    else if (await job.isCompleted()) this.#done(id, job.returnvalue);
    else if (await job.isFailed()) this.#failed(id, job.failedReason);
  }

  #done(id: string, answer: unknown): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.resolve(fromJson(answer));
  }

  #failed(id: string, why: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.reject(new Error(why));
  }

  /** Looks now and then whether the server answers, and at jobs whose end was told while nobody listened. */
  async #look(): Promise<void> {
    const { now } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const there = await answers(this.#queue);
      if (there) {
        this.#answeredAt = now();
        this.#options.onWorkers?.(await this.#queue.getWorkersCount().catch(() => 0));
        for (const id of this.#waiting.keys()) await this.#settle(id).catch(() => undefined);
      } else if (now() - this.#answeredAt > PATIENCE_MS) {
        const error = new InputError(
          `--queue ${this.#server.address.shown}: the server has gone away (${reason(this.#lastError ?? "no answer")})`,
        );
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
