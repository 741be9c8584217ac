/** A thread that runs a program in the kernel, so often that it takes a while, by a descriptor that all threads of the process share. Says when it is about to, and when it has. */
import { parentPort, workerData } from "node:worker_threads";
import { testRun } from "../../src/oracle/linux/test-run.ts";

function tell(message: string | number): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
  parentPort?.postMessage(message);
}

const { fd, repeat }: { readonly fd: number; readonly repeat: number } = workerData;
tell("running");
const begin = process.hrtime.bigint();
const run = testRun(fd, { packet: new Uint8Array(64), repeat });
const milliseconds = Number((process.hrtime.bigint() - begin) / 1_000_000n);
tell(run.ran ? milliseconds : run.errno);
