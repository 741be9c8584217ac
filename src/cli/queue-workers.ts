/** How many workers a queue has, told whenever it is another number; where there is none, how to start one. */
import type { QueueAddress } from "../campaign/queue/address.ts";

export function workersTold(
  { shown }: QueueAddress,
  tell: (line: string) => void,
): (workers: number) => void {
  let told: number | undefined;
  return (workers) => {
    if (workers === told) return;
    told = workers;
    const start = workers === 0 ? `; start one with: soundcheck worker --queue ${shown}` : "";
    tell(`${workers} worker${workers === 1 ? "" : "s"} at ${shown}${start}`);
  };
}
