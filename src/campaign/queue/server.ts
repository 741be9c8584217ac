/**
 * The server of a queue, and BullMQ, which speaks to it. BullMQ is an optional dependency and loaded here alone, when a queue is used. Nothing below waits for
 * ever: a server that is not there, or goes away and does not come back in time, is an `InputError` of one line.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Queue, QueueBaseOptions } from "bullmq";
import { InputError } from "../../semantics/errors.ts";
import type { QueueAddress } from "./address.ts";

type Bull = typeof import("bullmq");

/** Milliseconds in which a server has to answer at first. */
const FIRST_ANSWER_MS = 5000;
/** Milliseconds for which a server may be away. */
export const PATIENCE_MS = 20_000;

/** Milliseconds in which connections are closed. */
const LEAVING_MS = 2000;

/** What all parts of a queue are made with. */
export interface Server {
  readonly bull: Bull;
  readonly address: QueueAddress;
  readonly connection: QueueBaseOptions["connection"];
  /** Clients that have lost the server try no more. */
  readonly giveUp: () => void;
}

/** The name of the queue: workers of another version would give other answers, so they have another queue. */
export const queueName = (version: string): string => `soundcheck-${version}`;

/** Some errors of the network have a code and no message. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message !== "" || !("code" in error) ? error.message : String(error.code);
}

async function loadBull({ shown }: QueueAddress): Promise<Bull> {
  try {
    return await import("bullmq");
  } catch (error) {
    throw new InputError(`--queue ${shown}: the optional package bullmq is not installed`, { cause: error });
  }
}

/** Asks once, without trying again, whether somebody is there who lets us in. */
async function knock(bull: Bull, { kind, url }: QueueAddress): Promise<void> {
  if (kind === "postgres") {
    const client = new bull.PostgresConnection({
      connectionString: url,
      connectionTimeoutMillis: FIRST_ANSWER_MS,
    });
    try {
      await client.pool.query("select 1");
    } finally {
      await client.close();
    }
    return;
  }
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: FIRST_ANSWER_MS,
    commandTimeout: FIRST_ANSWER_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let refused: Error | undefined;
  client.on("error", (error) => {
    refused = error;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    // What closed the connection says more than that it is closed.
    throw refused ?? error;
  } finally {
    client.disconnect();
  }
}

/**
 * A process uses the queue of one server.
 *
 * @throws InputError where the package is not installed or no such server lets us in
 */
export async function openServer(address: QueueAddress): Promise<Server> {
  const bull = await loadBull(address);
  const { kind, url, shown } = address;
  try {
    await knock(bull, address);
  } catch (error) {
    throw new InputError(`--queue ${shown}: no server answers: ${reason(error)}`, { cause: error });
  }
  const given = new AbortController();
  const giveUp = (): void => given.abort();
  if (kind === "postgres") {
    bull.setDefaultBackendFactory(bull.createPostgresBackend);
    return { bull, address, connection: { connectionString: url, migrate: true }, giveUp };
  }
  const retryStrategy = (times: number): number | null =>
    given.signal.aborted ? null : Math.min(100 * times, 2000);
  return { bull, address, connection: { url, maxRetriesPerRequest: null, retryStrategy }, giveUp };
}

/** Waits until a part of a queue can be used. @throws InputError if that is not soon */
export async function ready(
  { address }: Server,
  part: { readonly waitUntilReady: () => Promise<unknown> },
  lastError: () => Error | undefined,
): Promise<void> {
  const cancel = new AbortController();
  const late = sleep(FIRST_ANSWER_MS, "late" as const, { signal: cancel.signal });
  try {
    const first = await Promise.race([part.waitUntilReady(), late]);
    if (first === "late") throw lastError() ?? new Error(`not within ${FIRST_ANSWER_MS / 1000} s`);
  } catch (error) {
    throw new InputError(`--queue ${address.shown}: the server does not serve: ${reason(error)}`, {
      cause: error,
    });
  } finally {
    cancel.abort();
    late.catch(() => undefined);
  }
}

/** Says whether the server answers a question within some seconds. */
export async function answers(queue: Queue): Promise<boolean> {
  const cancel = new AbortController();
  const late = sleep(FIRST_ANSWER_MS, false, { signal: cancel.signal }).catch(() => false);
  const count = queue.getJobCountByTypes("waiting").then(
    () => true,
    () => false,
  );
  const answered = await Promise.race([count, late]);
  cancel.abort();
  return answered;
}

/** Leaves, whether or not the server is still there. */
export async function leave(
  { giveUp }: Server,
  parts: readonly { readonly close: () => Promise<void>; readonly disconnect: () => Promise<void> }[],
  there: boolean,
): Promise<void> {
  giveUp();
  const left = Promise.all(parts.map((part) => (there ? part.close() : part.disconnect())));
  await Promise.race([left, sleep(LEAVING_MS)]);
  // Clients of a server that is gone may keep the process for ever; what it says is said by then.
  if (!there) setTimeout(() => process.exit(), LEAVING_MS).unref();
}
