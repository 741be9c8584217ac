/**
 * One process of those that work on an element at the same time, each on a processor of its own: it runs a program in the kernel, or makes calls of bpf(2), and tells
 * what it did and when, by the clock that programs and user space share (CLOCK_MONOTONIC).
 *
 * Messages come from the process that made it: first what to do, then for each round the moment at which to begin.
 */
import { bpf } from "../../src/oracle/linux/bpf.ts";
import { call } from "../../src/oracle/linux/calls.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { RECORD_BYTES, type Record, type Task } from "./task.ts";

const SCHED_SETAFFINITY = 203;
const PACKET = new Uint8Array(64);

function opened(command: "map_get_fd_by_id" | "prog_get_fd_by_id", id: number): number {
  const { result, errno } = bpf(THIS_MACHINE, command, { id });
  if (errno !== undefined) throw new Error(`${command}: ${errno}`);
  return result;
}

function stayOn(cpu: number): void {
  const mask = new Uint8Array(8);
  mask[0] = 1 << cpu;
  const { errno } = call(THIS_MACHINE, SCHED_SETAFFINITY, [0, mask.length, { bytes: mask, back: "nothing" }]);
  if (errno !== 0) throw new Error(`processor ${cpu}: error ${errno}`);
}

function waitUntil(moment: bigint): void {
  while (process.hrtime.bigint() < moment);
}

const key = (index: number): Uint8Array => new Uint8Array(new Uint32Array([index]).buffer);

/** The value of 16 bytes whose words, at 0 and 12, are the number. */
function valueOf(number: number): Uint8Array {
  const value = new Uint8Array(16);
  const view = new DataView(value.buffer);
  view.setBigUint64(0, BigInt(number), true);
  view.setUint32(12, number, true);
  return value;
}

function updates(
  fd: number,
  { flags, times }: Extract<Task, { do: "update" }>,
  from: number,
): readonly Record[] {
  const records: Record[] = [];
  for (let number = from + 1; number <= from + times; number += 1) {
    const fields = { map_fd: fd, key: key(0), value: valueOf(number), flags };
    const begin = process.hrtime.bigint();
    const { errno } = bpf(THIS_MACHINE, "map_update_elem", fields);
    const end = process.hrtime.bigint();
    if (errno !== undefined) throw new Error(`update: ${errno}`);
    records.push([String(begin), String(end), String(number), String(number)]);
  }
  return records;
}

function logged(program: number, log: number, count: number): readonly Record[] {
  const ran = testRun(program, { packet: PACKET });
  if (!ran.ran) throw new Error(ran.message);
  if (ran.retval !== count) throw new Error(`the program wrote ${ran.retval} records`);
  return Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(RECORD_BYTES);
    const { errno } = bpf(THIS_MACHINE, "map_lookup_elem", { map_fd: log, key: key(index), value: bytes });
    if (errno !== undefined) throw new Error(`record ${index}: ${errno}`);
    const view = new DataView(bytes.buffer);
    const word = (at: number): string => String(view.getBigUint64(at, true));
    return [word(0), word(8), word(16), word(24)];
  });
}

/** The rounds of a task. */
function worker(task: Task): (moment: bigint) => readonly Record[] {
  stayOn(task.cpu);
  if (task.do === "run") {
    const [program, log] = [opened("prog_get_fd_by_id", task.program), opened("map_get_fd_by_id", task.log)];
    return (moment) => {
      waitUntil(moment);
      return logged(program, log, task.records);
    };
  }
  const map = opened("map_get_fd_by_id", task.map);
  let written = 0;
  return (moment) => {
    waitUntil(moment);
    const records = updates(map, task, written);
    written += task.times;
    return records;
  };
}

let round: ReturnType<typeof worker> | undefined;
process.on("message", (message: Task | string) => {
  if (typeof message === "string") process.send?.(round?.(BigInt(message)));
  else {
    round = worker(message);
    process.send?.("ready");
  }
});
