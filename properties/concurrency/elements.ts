/** Elements of real maps, worked on by two processes on processors of their own; each round gives a history. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { readBundle } from "../../src/object/bundle.ts";
import { bpf } from "../../src/oracle/linux/bpf.ts";
import { loadBtf } from "../../src/oracle/linux/btf-records.ts";
import { type Accepted, loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, type KernelMap } from "../../src/oracle/linux/maps.ts";
import { KEY_TYPE, LOCK_VALUE, TYPES } from "../../src/oracle/linux/probe/types.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { MAP_FLAGS, type MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Call, Value } from "./history.ts";
import { RECORD_BYTES, type Task } from "./task.ts";

/** What a program does with the element's address in r6, with what it found in r7 and r8. */
const READ = ["r7 = *(u64 *)(r6 + 0)", "r8 = *(u32 *)(r6 + 12)"];
const READ_LOCKED = [
  "r1 = r6",
  "r1 += 8",
  "call bpf_spin_lock",
  ...READ,
  "r1 = r6",
  "r1 += 8",
  "call bpf_spin_unlock",
];
const ADD: readonly string[] = ["r7 = 1", "r7 = atomic64_fetch_add((u64 *)(r6 + 0), r7)", "r8 = 0"];

const ELEMENT: MapDefinition = {
  name: "element",
  type: "array",
  keySize: 4,
  valueSize: 16,
  maxEntries: 1,
  flags: 0,
  fields: [{ kind: "spin_lock", offset: 8 }],
  btfKey: KEY_TYPE,
  btfValue: LOCK_VALUE,
};
const BPF_F_LOCK = 4;

interface Scenario {
  readonly element: MapDefinition;
  readonly does: readonly string[];
  /** Flags of user space's updates; without them a second program does the same as the first. */
  readonly updates?: number;
  /** Whether a history must be linearisable. */
  readonly promised: boolean;
}

const hash = (flags: number): MapDefinition => ({ ...ELEMENT, type: "hash", flags });

export const SCENARIOS = {
  "an array, with its lock": { element: ELEMENT, does: READ_LOCKED, updates: BPF_F_LOCK, promised: true },
  "a hash table without preallocation": {
    element: hash(MAP_FLAGS.no_prealloc),
    does: READ,
    updates: 0,
    promised: true,
  },
  "atomic additions of two programs": { element: ELEMENT, does: ADD, promised: true },
  "an array, without its lock": { element: ELEMENT, does: READ, updates: 0, promised: false },
  "a hash table with preallocation": { element: hash(0), does: READ, updates: 0, promised: false },
} as const satisfies globalThis.Record<string, Scenario>;

/** Operations of a program in one run, and of user space meanwhile. */
const RECORDS = 1024;
const UPDATES = 200;

/** Does the operation `RECORDS` times on element 0; each time writes what it found and when into the log. Returns how many records it wrote. */
function program(does: readonly string[], element: KernelMap, log: KernelMap): Accepted {
  const asm = [
    "r9 = 0",
    "again:",
    "*(u32 *)(r10 - 4) = 0",
    "r2 = r10",
    "r2 += -4",
    "r1 = map[element]",
    "call bpf_map_lookup_elem",
    "if r0 == 0 goto out",
    "r6 = r0",
    "call bpf_ktime_get_ns",
    "*(u64 *)(r10 - 16) = r0",
    ...does,
    "*(u64 *)(r10 - 24) = r7",
    "*(u64 *)(r10 - 32) = r8",
    "call bpf_ktime_get_ns",
    "*(u64 *)(r10 - 40) = r0",
    "*(u32 *)(r10 - 4) = r9",
    "r2 = r10",
    "r2 += -4",
    "r1 = map[log]",
    "call bpf_map_lookup_elem",
    "if r0 == 0 goto out",
    "r1 = *(u64 *)(r10 - 16)",
    "*(u64 *)(r0 + 0) = r1",
    "r1 = *(u64 *)(r10 - 40)",
    "*(u64 *)(r0 + 8) = r1",
    "r1 = *(u64 *)(r10 - 24)",
    "*(u64 *)(r0 + 16) = r1",
    "r1 = *(u64 *)(r10 - 32)",
    "*(u64 *)(r0 + 24) = r1",
    "r9 += 1",
    `if r9 < ${RECORDS} goto again`,
    "out:",
    "r0 = r9",
    "exit",
  ];
  const maps = [element, log].map(
    ({ definition: { name, type, keySize, valueSize, maxEntries, flags } }) => ({
      name,
      type,
      key_size: keySize,
      value_size: valueSize,
      max_entries: maxEntries,
      flags,
    }),
  );
  const bundle = { name: "element", type: "sched_cls", license: "GPL", asm, maps };
  const loaded = loadProgram(readBundle(JSON.stringify(bundle)).program, { maps: [element, log] });
  if (loaded.verdict !== "accept") throw new Error(loaded.message);
  return loaded;
}

function idOf(descriptor: number): number {
  const info = new Uint8Array(256);
  const { errno } = bpf(THIS_MACHINE, "obj_get_info_by_fd", {
    bpf_fd: descriptor,
    info_len: info.length,
    info,
  });
  if (errno !== undefined) throw new Error(`information of a descriptor: ${errno}`);
  return new DataView(info.buffer).getUint32(4, true);
}

const recordsSchema = z.array(z.tuple([z.string(), z.string(), z.string(), z.string()]));

/** A process's records as calls: the first process's are what a program did, the second one's too where it added. */
function callsOf(records: z.infer<typeof recordsSchema>, thread: number, adds: boolean): readonly Call[] {
  return records.map(([begin, end, first, second]): Call => {
    const moments = { thread, begin: BigInt(begin), end: BigInt(end) };
    const value = [BigInt(first), BigInt(second)];
    if (adds) return { ...moments, operation: { do: "add", by: 1n }, result: value.slice(0, 1) };
    return thread === 0
      ? { ...moments, operation: { do: "lookup" }, result: value }
      : { ...moments, operation: { do: "update", value, flags: "any" }, result: 0 };
  });
}

/** The element's value after all calls of a round. */
function last(calls: readonly Call[], start: Value): Value {
  const [first = 0n] = start;
  const additions = calls.filter(({ operation }) => operation.do === "add").length;
  if (additions > 0) return [first + BigInt(additions), 0n];
  const writes = calls.flatMap(({ operation }) => (operation.do === "update" ? [operation.value] : []));
  return writes.at(-1) ?? start;
}

async function answer(child: ChildProcess): Promise<unknown> {
  const [message]: readonly unknown[] = await once(child, "message");
  return message;
}

/** What comes of a number of rounds: a history each, with the element's value before it. */
export async function rounds(
  { element: definition, does, updates }: Scenario,
  count: number,
): Promise<readonly { readonly calls: readonly Call[]; readonly start: Value }[]> {
  const btf = loadBtf(THIS_MACHINE, TYPES);
  const element = createMap(definition, btf);
  THIS_MACHINE.close(btf);
  element.update(new Uint8Array(4), new Uint8Array(16));
  const log: MapDefinition = {
    name: "log",
    type: "array",
    keySize: 4,
    valueSize: RECORD_BYTES,
    maxEntries: RECORDS,
    flags: 0,
  };
  const logs = [createMap(log), createMap(log)];
  const programs = logs.map((one) => program(does, element, one));
  const runs = programs.map(
    ({ fd }, cpu): Task => ({
      do: "run",
      cpu,
      program: idOf(fd),
      log: idOf(logs[cpu]?.fd ?? 0),
      records: RECORDS,
    }),
  );
  const update: Task | undefined =
    updates === undefined
      ? undefined
      : { do: "update", cpu: 1, map: idOf(element.fd), flags: updates, times: UPDATES };
  const tasks = update === undefined ? runs : [...runs.slice(0, 1), update];
  const children = tasks.map(() =>
    fork(fileURLToPath(new URL("processors.ts", import.meta.url)), { execArgv: ["--import", "tsx"] }),
  );
  try {
    await Promise.all(
      children.map((child, index) => {
        child.send(tasks[index] ?? "");
        return answer(child);
      }),
    );
    const histories: { calls: readonly Call[]; start: Value }[] = [];
    let start: Value = [0n, 0n];
    for (let round = 0; round < count; round += 1) {
      const moment = String(process.hrtime.bigint() + 3_000_000n);
      const records = await Promise.all(
        children.map((child) => {
          child.send(moment);
          return answer(child);
        }),
      );
      const calls = records.flatMap((list, thread) =>
        callsOf(recordsSchema.parse(list), thread, does === ADD),
      );
      histories.push({ calls, start });
      start = last(calls, start);
    }
    return histories;
  } finally {
    for (const child of children) child.disconnect();
    for (const one of programs) one.close();
    for (const map of [element, ...logs]) map.close();
  }
}
