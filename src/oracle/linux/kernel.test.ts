/**
 * Against the running kernel: what it answers to programs whose verdict, result and reason the kernel's documentation gives
 * (Documentation/bpf/verifier.rst). Skipped with the reason where bpf(2) cannot be used.
 */
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assemble } from "../../semantics/isa/assemble.ts";
import { encode } from "../../semantics/isa/codec.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { KernelError } from "./errno.ts";
import { kernelAvailable } from "./kernel.ts";
import {
  type Accepted,
  type LoadOptions,
  type LoadResult,
  loadProgram,
  loadRaw,
  type Refused,
} from "./load.ts";
import { parseKernelLog } from "./log.ts";
import { createMap, type KernelMap, liveIds, possibleCpus, word } from "./maps.ts";
import { testRun } from "./test-run.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

function program(type: ProgramType, asm: string, maps: readonly MapDefinition[] = []): Program {
  const insns = assemble(asm, { maps });
  return { name: "test", type, license: "GPL", flags: [], insns, maps, lines: [], functions: [] };
}

function array(name: string, valueSize: number, rest: Partial<MapDefinition> = {}): MapDefinition {
  return { name, type: "array", keySize: 4, valueSize, maxEntries: 4, flags: 0, ...rest };
}

/** What a test opened and has to close. */
const opened: { close: () => void }[] = [];

function accepted(result: LoadResult): Accepted {
  if (result.verdict === "reject") throw new Error(`rejected: ${result.message}\n${result.log}`);
  opened.push(result);
  return result;
}

function rejected(result: LoadResult): Refused {
  if (result.verdict === "reject") return result;
  result.close();
  throw new Error("accepted");
}

function kept(definition: MapDefinition): KernelMap {
  const map = createMap(definition);
  opened.push(map);
  return map;
}

function load(type: ProgramType, asm: string, options?: LoadOptions): LoadResult {
  return loadProgram(program(type, asm), options);
}

/** Descriptors of this process. */
const descriptors = (): number => readdirSync("/proc/self/fd").length;

const little64 = (bytes: Uint8Array, at = 0): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);

describe.skipIf(!kernel.ok)("the running kernel", () => {
  let before = 0;
  beforeEach(() => {
    before = descriptors();
  });
  afterEach(() => {
    for (const resource of opened.splice(0)) resource.close();
    expect(descriptors()).toBe(before);
  });

  describe("verdicts", () => {
    it("accepts a good program and counts what it processed", () => {
      const result = accepted(load("xdp", "r0 = 2\nexit"));
      expect(result.processed).toBe(2);
      expect(accepted(load("xdp", "r0 = 2\nexit", { logLevel: 0 })).log).toBe("");
    });

    it("rejects with errno and message", () => {
      const cases: [ProgramType, string, string, RegExp][] = [
        ["xdp", "exit", "EACCES", /R0 !read_ok/],
        [
          "xdp",
          "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit",
          "EACCES",
          /R2 offset is outside of the packet/,
        ],
        ["xdp", "r0 = *(u64 *)(r10 +8)\nexit", "EACCES", /invalid (read from )?stack/],
        [
          "socket_filter",
          "call bpf_xdp_adjust_head\nexit",
          "EINVAL",
          /cannot use helper bpf_xdp_adjust_head#44/,
        ],
        ["xdp", "r0 = 0\ngoto pc+7\nexit", "EINVAL", /jump out of range/],
        ["xdp", "r0 = 0\nstart:\nr0 += 1\ngoto start\nexit", "EINVAL", /unreachable insn 3/],
        ["xdp", "r0 = 0\nr1 = 1", "EINVAL", /last insn is not an exit or jmp/],
      ];
      for (const [type, asm, errno, message] of cases) {
        const result = rejected(load(type, asm));
        expect([asm, result.errno, result.stage]).toEqual([asm, errno, "program"]);
        expect(result.message).toMatch(message);
      }
    });

    it("gives the errno in words where the kernel gives no reason", () => {
      const result = rejected(loadRaw({ type: "xdp", insns: new Uint8Array(0) }));
      expect(result).toMatchObject({ errno: "E2BIG", message: "argument list too long (E2BIG)", log: "" });
    });

    it("passes attach type, flags and license", () => {
      const lookup = program("sk_lookup", "r0 = 1\nexit");
      expect(rejected(loadProgram(lookup)).errno).toBe("EINVAL");
      accepted(loadProgram({ ...lookup, attach: "sk_lookup" }));
      const asm = `
        r2 = *(u32 *)(r1 +0)
        r1 = *(u32 *)(r1 +4)
        r3 = r2
        r3 += 14
        r0 = 0
        if r3 > r1 goto out
        r0 = *(u32 *)(r2 +1)
      out:
        exit`;
      const unaligned = program("xdp", asm);
      accepted(loadProgram({ ...unaligned, flags: ["any_alignment"] }));
      expect(rejected(loadProgram({ ...unaligned, flags: ["strict_alignment"] })).message).toMatch(
        /misaligned/,
      );
      const printing = program("kprobe", "r1 = 0\nr2 = 0\ncall bpf_trace_printk\nexit");
      expect(rejected(loadProgram({ ...printing, license: "Proprietary" })).message).toMatch(
        /GPL-restricted/,
      );
    });

    it("says what failed when it is a map or the BTF", () => {
      const bad = program("xdp", "r1 = map[0]\nr0 = 0\nexit", [array("m", 0)]);
      expect(rejected(loadProgram(bad))).toMatchObject({ stage: "map", errno: "EINVAL" });
      const untyped = { ...program("xdp", "r0 = 0\nexit"), btf: new Uint8Array(24) };
      expect(rejected(loadProgram(untyped))).toMatchObject({ stage: "btf", errno: "EINVAL" });
      accepted(loadProgram(untyped, { withBtf: false }));
    });

    it("keeps the verdict when the log is longer than its buffer", () => {
      const asm = `r0 = 0\n${"r0 += 1\n".repeat(3000)}r0 = r9\nexit`;
      const full = rejected(load("xdp", asm, { logLevel: 2 }));
      expect(parseKernelLog(full.log).steps).toHaveLength(3002);
      const short = rejected(load("xdp", asm, { logLevel: 2, logSize: 4096 }));
      expect([short.errno, short.log.length < 4096]).toEqual([full.errno, true]);
      const { length } = accepted(
        load("xdp", asm.replace("r0 = r9", "r0 = 1"), { logLevel: 2, logSize: 4096 }),
      ).log;
      expect(length).toBeLessThan(4096);
    });
  });

  describe("runs", () => {
    it("runs XDP on a packet, and gives the packet back", () => {
      const asm = `
        r2 = *(u32 *)(r1 +4)
        r1 = *(u32 *)(r1 +0)
        r3 = r1
        r3 += 14
        r0 = 1
        if r3 > r2 goto out
        *(u8 *)(r1 +13) = 0x55
        r0 = *(u8 *)(r1 +0)
      out:
        exit`;
      const { fd } = accepted(load("xdp", asm));
      const packet = Uint8Array.from({ length: 64 }, (_, i) => i + 7);
      const run = testRun(fd, { packet });
      expect(run).toMatchObject({ ran: true, retval: 7, packet: packet.with(13, 0x55) });
    });

    it("gives the context back, and runs as often as it is told", () => {
      const maps = [array("m", 8)];
      const asm = `
        *(u32 *)(r1 +8) = 77
        *(u32 *)(r10 -4) = 0
        r2 = r10
        r2 += -4
        r1 = map[0]
        call bpf_map_lookup_elem
        if r0 == 0 goto out
        r1 = 1
        lock *(u64 *)(r0 +0) += r1
      out:
        r0 = -1
        exit`;
      const result = accepted(loadProgram(program("sched_cls", asm, maps)));
      const run = testRun(result.fd, { packet: new Uint8Array(60), context: new Uint8Array(192), repeat: 5 });
      expect(run).toMatchObject({ ran: true, retval: 0xffffffff });
      if (!run.ran) throw new Error(run.message);
      expect(new DataView(run.context.buffer).getUint32(8, true)).toBe(77);
      expect(little64(result.maps[0]?.lookup(word(0)) ?? new Uint8Array(8))).toBe(5n);
    });

    it("says so where a program cannot be run", () => {
      const { fd } = accepted(load("kprobe", "r0 = 0\nexit"));
      expect(testRun(fd)).toMatchObject({ ran: false, errno: "ENOTSUPP" });
      const xdp = accepted(load("xdp", "r0 = 0\nexit"));
      expect(testRun(xdp.fd, { packet: new Uint8Array(3) })).toMatchObject({ ran: false, errno: "EINVAL" });
    });

    it("runs a raw tracepoint on its arguments", () => {
      const { fd } = accepted(load("raw_tracepoint", "r0 = *(u64 *)(r1 +8)\nexit"));
      const context = new Uint8Array(16);
      context[8] = 42;
      expect(testRun(fd, { context, contextBack: false })).toMatchObject({ ran: true, retval: 42 });
    });

    it("follows tail calls through a program array", () => {
      const jumps: MapDefinition = { ...array("jumps", 4), type: "prog_array" };
      const map = kept(jumps);
      const target = accepted(load("xdp", "r0 = 99\nexit"));
      const asm = "r2 = map[0]\nr3 = 2\ncall bpf_tail_call\nr0 = 1\nexit";
      const caller = accepted(loadProgram(program("xdp", asm, [jumps]), { maps: [map] }));
      expect(testRun(caller.fd, { packet: new Uint8Array(14) })).toMatchObject({ retval: 1 });
      map.update(word(2), word(target.fd));
      expect(testRun(caller.fd, { packet: new Uint8Array(14) })).toMatchObject({ retval: 99 });
      expect(map.delete(word(2))).toBe(true);
      expect(testRun(caller.fd, { packet: new Uint8Array(14) })).toMatchObject({ retval: 1 });
    });

    it("reads global data through a map value, frozen", () => {
      const data = new Uint8Array([0, 0, 0, 0, 123]);
      const rodata = array(".rodata", 8, { maxEntries: 1, flags: 128, data, frozen: true });
      const asm = "r1 = map_value[0]+4\nr0 = *(u8 *)(r1 +0)\nexit";
      const result = accepted(loadProgram(program("xdp", asm, [rodata]), { logLevel: 2 }));
      expect(testRun(result.fd, { packet: new Uint8Array(14) })).toMatchObject({ retval: 123 });
      // Frozen and read-only: the verifier knows the value.
      expect(parseKernelLog(result.log).steps[1]?.after).toMatch(/R0(_w)?=123/);
      expect(() => result.maps[0]?.update(word(0), new Uint8Array(8))).toThrow(KernelError);
    });
  });

  describe("maps", () => {
    it("hold what was put there", () => {
      const map = kept({ name: "a hash!", type: "hash", keySize: 2, valueSize: 3, maxEntries: 2, flags: 0 });
      const key = (n: number): Uint8Array => new Uint8Array([n, 0]);
      const value = (n: number): Uint8Array => new Uint8Array([n, n, n]);
      expect(map.lookup(key(1))).toBeUndefined();
      map.update(key(1), value(1));
      map.update(key(2), value(2), 1);
      expect(() => map.update(key(2), value(3), 1)).toThrow(/EEXIST/);
      expect(() => map.update(key(3), value(3))).toThrow(/E2BIG/);
      expect(map.lookup(key(2))).toEqual(value(2));
      expect(new Set(map.keys().map(([n]) => n))).toEqual(new Set([1, 2]));
      expect(new Map(map.entries().map(([k, v]) => [k[0], v[0]]))).toEqual(
        new Map([
          [1, 1],
          [2, 2],
        ]),
      );
      expect(map.delete(key(1))).toBe(true);
      expect(map.delete(key(1))).toBe(false);
      expect(() => map.lookup(new Uint8Array(3))).toThrow("map a hash!: a key has 2 bytes, not 3");
    });

    it("have a value for each CPU where their type says so", () => {
      const map = kept({ ...array("m", 12), type: "percpu_array" });
      expect(map.transferSize).toBe(16 * possibleCpus());
      const values = Uint8Array.from({ length: map.transferSize }, (_, i) => (i % 16 < 12 ? i : 0));
      map.update(word(1), values);
      expect(map.lookup(word(1))).toEqual(values);
    });

    it("hold maps", () => {
      const inner = array("inner", 8, { maxEntries: 1 });
      const outer = kept({ ...array("outer", 4), type: "array_of_maps", inner });
      const held = kept(inner);
      outer.update(word(3), word(held.fd));
      expect(outer.keys()).toHaveLength(4);
      expect(
        new DataView(outer.lookup(word(3))?.buffer ?? new ArrayBuffer(4)).getUint32(0, true),
      ).toBeGreaterThan(0);
      expect(outer.lookup(word(0))).toBeUndefined();
      expect(liveIds("map").length).toBeGreaterThanOrEqual(2);
    });

    it("without keys are queues", () => {
      const queue = kept({ ...array("q", 4), type: "queue", keySize: 0 });
      const none = new Uint8Array(0);
      expect(queue.lookup(none)).toBeUndefined();
      queue.update(none, word(5));
      queue.update(none, word(6));
      expect(queue.lookup(none)).toEqual(word(5));
    });

    it("of every plain type exist", () => {
      const types: Partial<MapDefinition>[] = [
        { type: "lru_hash" },
        { type: "percpu_hash" },
        { type: "lru_percpu_hash" },
        { type: "queue", keySize: 0 },
        { type: "stack", keySize: 0 },
        { type: "lpm_trie", keySize: 8, flags: 1 },
        { type: "perf_event_array", valueSize: 4, maxEntries: 0 },
        { type: "ringbuf", keySize: 0, valueSize: 0, maxEntries: 4096 },
        { type: "bloom_filter", keySize: 0, extra: 3 },
        { type: "devmap", valueSize: 4 },
        { type: "cpumap", valueSize: 4 },
        { type: "sockhash", valueSize: 4 },
        { type: "stack_trace", valueSize: 80 },
      ];
      for (const rest of types) kept(array("m", 8, rest));
    });

    it("keep their owner: maps that were passed survive the program", () => {
      const definition = array("m", 8);
      const map = kept(definition);
      const own = program("xdp", "r1 = map[0]\nr0 = 0\nexit", [definition]);
      loadProgram({ ...own, insns: assemble("r1 = map[0]\nexit") }, { maps: [map] });
      accepted(loadProgram(own, { maps: [map] })).close();
      map.update(word(0), new Uint8Array(8));
    });
  });

  describe("the log", () => {
    it("at level 2 has a state after each instruction", () => {
      const asm = "r2 = *(u32 *)(r1 +16)\nr0 = 0\nif r2 > 5 goto out\nr0 = r2\nout:\nexit";
      const { steps, counts, reasons } = parseKernelLog(accepted(load("xdp", asm, { logLevel: 2 })).log);
      expect(reasons).toEqual([]);
      expect(steps.map(({ pc }) => pc)).toEqual([0, 1, 2, 3, 4, 4]);
      expect(counts?.processed).toBe(6);
      expect(steps[0]).toMatchObject({ text: "(61) r2 = *(u32 *)(r1 +16)", before: "R1=ctx() R10=fp0" });
      expect(steps[0]?.after).toMatch(
        /R2(_w)?=scalar\(smin=0,smax=umax=0xffffffff,var_off=\(0x0; 0xffffffff\)\)/,
      );
      expect(steps[1]?.before).toBeUndefined();
      // The jump was not taken first; the other path begins with its whole state.
      expect(steps[3]?.text).toBe("(bf) r0 = r2");
      expect(steps[5]?.before).toMatch(/R2(_w)?=scalar\(.*umin(=umin32)?=6,/);
    });

    it("tells reasons from states, remarks and calls", () => {
      const asm = "call sub\nexit\nsub:\nr1 = 1\nr0 = *(u64 *)(r6 +0)\nexit";
      const { reasons, steps } = parseKernelLog(rejected(load("xdp", asm, { logLevel: 2 })).log);
      expect(reasons).toEqual(["R6 !read_ok"]);
      expect(steps.map(({ pc }) => pc)).toEqual([0, 2, 3]);
      const loop = "r0 = 0\nstart:\nr1 = 0\nif r1 == 0 goto start\nexit";
      expect(parseKernelLog(rejected(load("xdp", loop)).log).reasons[0]).toBe(
        "infinite loop detected at insn 1",
      );
    });
  });

  it("leaves nothing open after many verdicts of all kinds", () => {
    const maps = [array("m", 8), array("o", 4, { type: "array_of_maps", inner: array("i", 8) })];
    const good = program("xdp", "r1 = map[0]\nr0 = 0\nexit", maps);
    const bad = program("xdp", "r1 = map[0]\nexit", maps);
    const halfMade = program("xdp", "r0 = 0\nexit", [...maps, array("bad", 0)]);
    for (let i = 0; i < 50; i++) {
      const result = loadProgram(good);
      if (result.verdict === "accept") result.close();
      loadProgram(bad);
      loadProgram(halfMade);
    }
    expect(descriptors()).toBe(before);
  });

  it("takes the same bytes from assembly as from an encoder", () => {
    const result = accepted(loadRaw({ type: "xdp", insns: encode(assemble("r0 = 7\nexit")) }));
    expect(testRun(result.fd, { packet: new Uint8Array(14) })).toMatchObject({ retval: 7 });
  });
});
