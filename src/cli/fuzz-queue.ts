/** `soundcheck fuzz --queue`: the campaign's jobs go to workers elsewhere. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Crew } from "../campaign/fuzz/crew.ts";
import type { Store } from "../campaign/fuzz/store.ts";
import { queueAddress } from "../campaign/queue/address.ts";
import { QueueCrew } from "../campaign/queue/crew.ts";
import { openServer } from "../campaign/queue/server.ts";
import { workersTold } from "./queue-workers.ts";

/** Jobs that are in the queue at a time: enough for many workers. */
const WIDTH = 32;

/** What the campaign in a directory is called on every server; a campaign that goes on finds the answers that it asked for. */
function campaignId({ directory }: Store): string {
  const path = join(directory, "queue-id");
  if (!existsSync(path)) writeFileSync(path, `${randomUUID()}\n`);
  return readFileSync(path, "utf8").trim();
}

/** @throws InputError where there is no such server */
export async function queueCrew(
  url: string,
  store: Store,
  version: string,
  over: AbortSignal,
  tell: (line: string) => void,
): Promise<Crew> {
  const address = queueAddress(url);
  const crew = await QueueCrew.open(await openServer(address), {
    version,
    campaign: campaignId(store),
    over,
    now: () => performance.now(),
    onWorkers: workersTold(address, tell),
  });
  return {
    width: WIDTH,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what workers of this version answer
    run: async (job) => (await crew.run(job)) as Awaited<ReturnType<Crew["run"]>>,
    close: () => crew.close(),
  };
}
