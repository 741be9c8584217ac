/** `soundcheck corpus run --queue`: the entries go to workers elsewhere. */
import { randomUUID } from "node:crypto";
import type { Checker } from "../campaign/check-pool.ts";
import checkFile, { type Job, type Outcome } from "../campaign/check-worker.ts";
import { queueAddress } from "../campaign/queue/address.ts";
import { QueueCrew } from "../campaign/queue/crew.ts";
import { openServer } from "../campaign/queue/server.ts";
import { type EntryAnswer, fingerprintOf } from "../campaign/regression/entry.ts";
import { profileNames } from "../oracle/profiles.ts";
import { InputError } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import { workersTold } from "./queue-workers.ts";

/** Files that are in the queue at a time: enough for many workers. */
const WIDTH = 32;

export interface Elsewhere {
  readonly checker: Checker;
  readonly close: () => Promise<void>;
}

/** Workers have the profiles that come with soundcheck, and no file of this machine. @throws InputError for others */
export function mustBeElsewhere(profile: string): void {
  const names = profileNames();
  if (names.some((name) => name === profile || name === `linux-${profile}`)) return;
  throw new InputError(`--profile ${profile}: with --queue it is one of ${names.join(", ")}`);
}

/** Lets so many do something at a time; the others wait for their turn. */
function turns(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
}

/**
 * A checker whose work is done by the workers of a queue. Each use of it has a name of its own on the server: what another run was answered, perhaps by other code of
 * the same version, is no answer.
 *
 * @param over  nothing more is wanted: the checker throws an InputError then
 * @throws InputError where there is no such server
 */
export async function checkerElsewhere(
  url: string,
  version: string,
  over: AbortSignal,
  tell: (line: string) => void,
): Promise<Elsewhere> {
  const address = queueAddress(url);
  const crew = await QueueCrew.open(await openServer(address), {
    version,
    campaign: randomUUID(),
    over,
    now: () => performance.now(),
    onWorkers: workersTold(address, tell),
  });
  const inTurn = turns(WIDTH);
  const asked: Promise<unknown>[] = [];
  let lost: InputError | undefined;
  const ask = async (job: Job, programs: readonly Program[]): Promise<readonly Outcome[]> => {
    if (lost !== undefined) throw lost;
    const fingerprint = fingerprintOf(programs);
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what workers of this version answer
      const answer = (await crew.run({ kind: "entry", ...job, programs: fingerprint })) as
        | EntryAnswer
        | undefined;
      if (answer === undefined) throw new InputError("interrupted");
      const outcomes = answer.outcomes?.map((each) =>
        "message" in each ? { error: new Error(each.message) } : each,
      );
      // The worker's kernel has other types than this one: what was read here is checked here.
      return outcomes ?? checkFile(job);
    } catch (error) {
      if (error instanceof InputError) lost = error;
      throw error;
    }
  };
  return {
    checker(job, programs) {
      const outcomes = inTurn(() => ask(job, programs));
      asked.push(outcomes);
      return outcomes;
    },
    async close() {
      await Promise.allSettled(asked);
      await crew.close();
    },
  };
}
