/**
 * Claim: what programs read of a writable tracepoint's record, and what they leave in it, is the same in the machine and in the running kernel. The tracepoint is that at the end of
 * BPF_PROG_TEST_RUN, whose record is the call's result. Skipped with the reason where bpf(2) cannot be used.
 */
import { closeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bpf } from "../../src/oracle/linux/bpf.ts";
import { errnoName } from "../../src/oracle/linux/errno.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { type Accepted, loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, type KernelMap } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import { Machine, type MachineOptions } from "../../src/vm/machine.ts";
import { Chance } from "./chance.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const TRACEPOINT = new TextEncoder().encode("bpf_test_finish\0");
/** The record is an int. */
const RECORD = 4;
const PROGRAMS = 40;
const OUT: MapDefinition = {
  name: "out",
  type: "array",
  keySize: 4,
  valueSize: 128,
  maxEntries: 1,
  flags: 0,
};
const KEY = new Uint8Array(4);
const ENOSPC = 28;
/** Results of a system call from here on are errors. */
const LEAST_ERROR = -4095;

function program(type: ProgramType, asm: string): Program {
  const insns = assemble(asm, { maps: [OUT] });
  return { name: "record", type, flags: [], license: "GPL", insns, maps: [OUT], lines: [], functions: [] };
}

/** One access to the record at r7, of what it can hold; what it gives goes to the map's value at r9. */
function step(chance: Chance, at: number): string {
  const size = chance.pick([1, 2, 4]);
  const from = chance.below(RECORD - size + 1);
  const type = `${8 * size}`;
  const out = `*(u64 *)(r9 +${8 * at}) = r1`;
  const value = `r1 = ${chance.below(2 ** 32) | 0}`;
  switch (chance.below(7)) {
    case 0:
      return `r1 = *(u${type} *)(r7 +${from})\n${out}`;
    case 1:
      return size === 4
        ? `r1 = load_acquire((u32 *)(r7 +0))\n${out}`
        : `r1 = *(s${type} *)(r7 +${from})\n${out}`;
    case 2:
      return `${value}\n*(u${type} *)(r7 +${from}) = r1`;
    case 3:
      return `*(u${type} *)(r7 +${from}) = ${chance.below(256)}`;
    case 4: {
      const op = chance.pick(["+", "&", "|", "^"]);
      return `${value}\nlock *(u32 *)(r7 +0) ${op}= r1`;
    }
    case 5:
      return `${value}\nr1 = atomic_fetch_add((u32 *)(r7 +0), r1)\n${out}`;
    default:
      // From a copy that was moved to the byte.
      return `r2 = r7\nr2 += ${from + 8}\nr1 = *(u8 *)(r2 -8)\n${out}`;
  }
}

/** For the running thread alone: test runs of others go through the same tracepoint. */
function recorder(thread: bigint, steps: readonly string[]): Program {
  return program(
    "raw_tracepoint_writable",
    [
      "r6 = r1",
      "call bpf_get_current_pid_tgid",
      `r1 = 0x${thread.toString(16)} ll`,
      "if r0 != r1 goto out",
      "r9 = map_value[out]+0",
      "r7 = *(u64 *)(r6 +0)",
      ...steps,
      "out:",
      "r0 = 0",
      "exit",
    ].join("\n"),
  );
}

function accepted(tested: Program, map: KernelMap): Accepted {
  const loaded = loadProgram(tested, { maps: [map] });
  if (loaded.verdict === "reject") throw new Error(loaded.log);
  return loaded;
}

/** What bpf_get_current_pid_tgid gives for this thread. */
function thisThread(): bigint {
  const map = createMap(OUT);
  const asm = "call bpf_get_current_pid_tgid\nr1 = map_value[out]+0\n*(u64 *)(r1 +0) = r0\nr0 = 0\nexit";
  const loaded = accepted(program("raw_tracepoint", asm), map);
  try {
    testRun(loaded.fd, { context: new Uint8Array(8), contextBack: false });
    return new DataView((map.lookup(KEY) ?? new Uint8Array(8)).slice().buffer).getBigUint64(0, true);
  } finally {
    loaded.close();
    map.close();
  }
}

/** What is left: the call's result or its error, and the map's value. */
interface Left {
  readonly result: number | string;
  readonly out: string;
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** Lets the traced program run with room for its packet, or with too little: the record is then an error. */
function onKernel(traced: Accepted, tested: Program, room: number): Left {
  const map = createMap(OUT);
  const loaded = accepted(tested, map);
  try {
    const attached = bpf(THIS_MACHINE, "raw_tracepoint_open", { prog_fd: loaded.fd, name: TRACEPOINT });
    if (attached.errno !== undefined) return { result: `attach: ${attached.errno}`, out: "" };
    try {
      const packet = new Uint8Array(14);
      const { result, errno } = bpf(THIS_MACHINE, "prog_test_run", {
        prog_fd: traced.fd,
        data_in: packet,
        data_size_in: packet.length,
        data_out: new Uint8Array(room),
        data_size_out: room,
      });
      return { result: errno ?? result, out: hex(map.lookup(KEY)) };
    } finally {
      closeSync(attached.result);
    }
  } finally {
    loaded.close();
    map.close();
  }
}

function onMachine(tested: Program, thread: bigint, given: number, options: MachineOptions = {}): Left {
  const record = new Uint8Array(RECORD);
  new DataView(record.buffer).setInt32(0, given, true);
  const task = { pid: Number(thread & 0xffff_ffffn), tgid: Number(thread >> 32n) };
  const machine = new Machine(tested, options);
  const ended = machine.run({ tracepointRecord: record, task });
  if (ended.outcome === "fault") throw new Error(ended.fault.message);
  const left = ended.tracepointRecord ?? new Uint8Array(RECORD);
  const value = new DataView(left.buffer, left.byteOffset).getInt32(0, true);
  const map = machine.map("out");
  const out = map.kind === "values" ? map.find(KEY, 0)?.bytes : undefined;
  return { result: value < 0 && value >= LEAST_ERROR ? errnoName(-value) : value, out: hex(out) };
}

describe.skipIf(!kernel.ok || process.arch !== "x64")("the records of writable tracepoints", () => {
  it("are read and changed alike", () => {
    const chance = new Chance(1);
    const thread = thisThread();
    const map = createMap(OUT);
    const traced = accepted(program("xdp", "r0 = 2\nexit"), map);
    try {
      for (let drawn = 0; drawn < PROGRAMS; drawn += 1) {
        const steps = Array.from({ length: 1 + chance.below(12) }, (_, at) => step(chance, at));
        const tested = recorder(thread, steps);
        const [room, given] = drawn % 2 === 0 ? [14, 0] : [1, -ENOSPC];
        const left = onMachine(tested, thread, given);
        expect(left, steps.join("\n")).toEqual(onKernel(traced, tested, room));
        expect(onMachine(tested, thread, given, { jit: {} }), steps.join("\n")).toEqual(left);
      }
    } finally {
      traced.close();
      map.close();
    }
  });

  it("whoever reaches beyond them is not attached", () => {
    const thread = thisThread();
    const map = createMap(OUT);
    const traced = accepted(program("xdp", "r0 = 2\nexit"), map);
    try {
      const within = recorder(thread, ["r1 = *(u8 *)(r7 +3)"]);
      const beyond = recorder(thread, ["r1 = *(u8 *)(r7 +4)"]);
      expect(onKernel(traced, within, 14).result).toBe(0);
      expect(onMachine(within, thread, 0).result).toBe(0);
      expect(onKernel(traced, beyond, 14).result).toBe("attach: EINVAL");
      expect(() => onMachine(beyond, thread, 0)).toThrow(Unsupported);
    } finally {
      traced.close();
      map.close();
    }
  });
});
