/**
 * Claim: records for perf events that are open arrive, or are refused, in the machine as in the running kernel: on the processor that the program runs on, and on others. Skipped with
 * the reason where bpf(2) cannot be used.
 */
import { closeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Argument } from "../../src/oracle/linux/calls.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, possibleCpus, word } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import { Machine } from "../../src/vm/machine.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const PERF_EVENT_OPEN = 298;
const MMAP = 9;
const MUNMAP = 11;
const READ_WRITE = 3;
const MAP_SHARED = 1;
/** A page for the kernel's notes, and one for records. */
const BUFFER = 2 * 4096;
const ATTRIBUTE = 112;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_BPF_OUTPUT = 10;
const PERF_SAMPLE_RAW = 1 << 10;

function call(number: number, ...values: readonly Argument[]): number {
  const [outcome] = THIS_MACHINE.calls([{ number, arguments: values }]);
  if (outcome === undefined || outcome.errno !== 0)
    throw new Error(`system call ${number}: error ${outcome?.errno}`);
  return outcome.result;
}

interface Opened {
  readonly event: number;
  readonly buffer: number;
}

/** Opens an event of a processor that programs may send records to, with room for some. */
function openEvent(cpu: number): Opened {
  const bytes = new Uint8Array(ATTRIBUTE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, PERF_TYPE_SOFTWARE, true);
  view.setUint32(4, ATTRIBUTE, true);
  view.setUint32(8, PERF_COUNT_SW_BPF_OUTPUT, true);
  view.setUint32(16, 1, true);
  view.setUint32(24, PERF_SAMPLE_RAW, true);
  const event = call(PERF_EVENT_OPEN, { bytes, back: "nothing" }, -1, cpu, -1, 0);
  return { event, buffer: call(MMAP, 0, BUFFER, READ_WRITE, MAP_SHARED, event, 0) };
}

const CURRENT = 0xffff_ffff;
/** As many events as there are processors, and one place more. */
const FLAGS = [0, 1, 2, 3, CURRENT];
const OUT: MapDefinition = { name: "out", type: "array", keySize: 4, valueSize: 64, maxEntries: 1, flags: 0 };

describe.skipIf(!kernel.ok || process.arch !== "x64")("perf events", () => {
  it("take records of their own processor", () => {
    const cpus = possibleCpus();
    const events: MapDefinition = {
      name: "events",
      type: "perf_event_array",
      keySize: 4,
      valueSize: 4,
      maxEntries: cpus + 1,
      flags: 0,
    };
    const asm = [
      "r6 = r1\nr9 = map_value[out]+0\ncall bpf_get_smp_processor_id\n*(u64 *)(r9 +0) = r0",
      ...FLAGS.map(
        (flags, i) =>
          `r1 = r6\nr2 = map[events]\nw3 = ${flags | 0}\nr4 = r9\nr5 = 8\ncall bpf_perf_event_output\n*(u64 *)(r9 +${8 * i + 8}) = r0`,
      ),
      "r0 = 0\nexit",
    ].join("\n");
    const maps = [OUT, events];
    const program = {
      name: "events",
      type: "raw_tracepoint",
      license: "GPL",
      flags: [],
      insns: assemble(asm, { maps }),
      maps,
      lines: [],
      functions: [],
    } as const;
    const kernelMaps = maps.map((map) => createMap(map));
    const opened = Array.from({ length: cpus }, (_, cpu) => openEvent(cpu));
    const loaded = loadProgram(program, { maps: kernelMaps });
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    try {
      for (const [cpu, { event }] of opened.entries()) kernelMaps[1]?.update(word(cpu), word(event));
      expect(testRun(loaded.fd, { contextBack: false }).ran).toBe(true);
      const expected = Buffer.from(kernelMaps[0]?.lookup(word(0)) ?? []);

      const machine = new Machine(program, { cpus });
      const own = machine.map("events");
      if (own.kind === "events") for (const cpu of opened.keys()) own.attach(cpu);
      const cpu = Number(expected.readBigUInt64LE(0));
      expect(machine.run({ cpu })).toMatchObject({ outcome: "exit" });
      const map = machine.map("out");
      const found = map.kind === "values" ? map.find(word(0), 0)?.bytes : undefined;
      expect(Buffer.from(found ?? []).toString("hex")).toBe(expected.toString("hex"));
    } finally {
      loaded.close();
      for (const map of kernelMaps) map.close();
      for (const { event, buffer } of opened) {
        call(MUNMAP, buffer, BUFFER);
        closeSync(event);
      }
    }
  });
});
