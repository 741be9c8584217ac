/**
 * Claim: legacy packet loads, helpers on maps, and others answer in the machine as in the running kernel: the same result, error numbers included, the same packet and the same context. Each case is a
 * program that leaves what it learnt in the map `out`. Skipped with the reason where bpf(2) cannot be used.
 */
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import { array, end, frame, imm, SKB_PACKETS, same } from "./helper-cases.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

describe.skipIf(!kernel.ok)("legacy packet access", () => {
  const OFFSETS = [0, 1, 13, 14, 45, 46, 47, 49, 50, 60, 61, 63, 64, 1000, 0x7fffffff, -1, -4];
  const FAR = [
    -0x100000,
    -0x100000 + 3,
    -0x100000 + 47,
    -0x100000 + 50,
    -0x200000,
    -0x200000 + 12,
    -0x200000 + 63,
    -0x1ffff0,
  ];
  const SIZES = ["u8", "u16", "u32"];

  it.each(["socket_filter", "sched_cls", "sched_act"] as const)("at fixed offsets in %s", (type) => {
    for (const offset of [...OFFSETS.filter((o) => o >= 0), ...FAR]) {
      for (const size of SIZES) same(type, `r0 = *(${size} *)skb[${offset}]\nexit`, [], SKB_PACKETS);
    }
  });

  it.each(["socket_filter", "sched_cls"] as const)("at computed offsets in %s", (type) => {
    for (const base of [0, 1, -1, 0x7fffffff]) {
      for (const offset of [...OFFSETS, ...FAR]) {
        for (const size of SIZES) {
          same(type, `r7 = ${base}\nr0 = *(${size} *)skb[r7 + ${offset}]\nexit`, [], SKB_PACKETS.slice(0, 3));
        }
      }
    }
  });
});

describe.skipIf(!kernel.ok)("maps", () => {
  const NAMES = ["lookup", "update", "delete"];
  const call = (name: string, flags: number | bigint): string =>
    `r1 = map[m]\nr2 = r10\nr2 += -8\nr3 = r10\nr3 += -16\n${imm("r4", flags)}call bpf_map_${name}_elem\n`;
  const step = (name: string, key: number, flags: number | bigint, at: number): string => {
    const found = "if r0 == 0 goto pc+2\nr1 = *(u64 *)(r0 +0)\nr0 = r1\n";
    const set = `*(u64 *)(r10 -8) = ${key}\n*(u64 *)(r10 -16) = ${100 + at}\n`;
    return `${set}${call(name, flags)}${name === "lookup" ? found : ""}*(u64 *)(r9 +${at}) = r0\n`;
  };
  const TYPES = ["array", "hash", "percpu_array", "percpu_hash"] as const;

  it.each(TYPES)("errors and contents of %s", (type) => {
    const m = array("m", 8, { type, maxEntries: 2 });
    const flags = [0n, 1n, 2n, 3n, 4n, 5n, 8n, 1n << 32n];
    for (const flag of flags) {
      const asm = [
        step("lookup", 1, 0, 0),
        step("update", 1, flag, 8),
        step("lookup", 1, 0, 16),
        step("update", 1, flag, 24),
        step("update", 0, 0, 32),
        step("update", 7, flag, 40),
        step("update", 7, 0, 48),
        step("delete", 1, 0, 56),
        step("delete", 1, 0, 64),
        step("delete", 9, 0, 72),
        step("update", 7, 0, 80),
        step("lookup", 7, 0, 88),
      ];
      // The kernel may run the second on another processor.
      const runs = type.startsWith("percpu") ? 1 : 2;
      same(
        "xdp",
        asm.join("") + end("xdp"),
        [m],
        Array.from({ length: runs }, () => ({ packet: frame(14) })),
      );
    }
    expect(NAMES).toHaveLength(3);
  });

  it("a look-up's value outlives the element", () => {
    const asm = `${step("update", 1, 0, 0)}*(u64 *)(r10 -8) = 1\n${call("lookup", 0)}if r0 == 0 goto end\nr7 = r0\n*(u64 *)(r10 -8) = 1\n${call("delete", 0)}r1 = *(u64 *)(r7 +0)\n*(u64 *)(r9 +8) = r1\nend:\n${end("xdp")}`;
    same("xdp", asm, [array("m", 8, { type: "hash", maxEntries: 2 })], [{ packet: frame(14) }]);
  });

  it("perf_event_output without a listener", () => {
    const m = array("m", 4, { type: "perf_event_array", maxEntries: 1 });
    for (const flags of [0n, 1n, 5n, 0xffffffffn & 0n, 1n << 32n, (1n << 32n) + 1n, 100n << 32n, 1n << 52n]) {
      const asm = `*(u64 *)(r10 -8) = 1\nr2 = map[m]\n${imm("r3", flags)}r4 = r10\nr4 += -8\nr5 = 8\ncall bpf_perf_event_output\n*(u64 *)(r9 +0) = r0\n`;
      for (const type of ["xdp", "sched_cls"] as const)
        same(type, asm + end(type), [m], [{ packet: frame(64) }]);
    }
  });
});

describe.skipIf(!kernel.ok)("trace_printk", () => {
  const FORMATS = [
    "",
    "plain",
    "%d",
    "%d %d %d",
    "%d %d %d %d",
    "%i|%u|%x",
    "%ld %lu %lx",
    "%lld %llu %llX",
    "%08x",
    "%-8d|",
    "%8d|",
    "%+d % d",
    "%%",
    "%",
    "%h",
    "%hd",
    "%5",
    "%lp",
    "%ls",
    "%q",
    "%c%c",
    "%5c|",
    "%1d%2d%3d",
    "tab\tnew\n",
    "bell\u0007",
    "%d%",
    "%.3d",
    "%*d",
    "%#x",
    "%0+5d|",
  ];

  it.each(FORMATS)("%j", (format) => {
    const bytes = new Uint8Array(24);
    bytes.set(Buffer.from(format, "latin1").subarray(0, 23));
    const view = new DataView(bytes.buffer);
    const stores = [0, 8, 16].map(
      (at) => `${imm("r1", view.getBigUint64(at, true))}*(u64 *)(r10 ${at - 24}) = r1\n`,
    );
    const asm = `${stores.join("")}r1 = r10\nr1 += -24\nr2 = 24\nr3 = 65\n${imm("r4", -66)}${imm("r5", 0x123456789n)}call bpf_trace_printk\n*(u64 *)(r9 +0) = r0\n${end("xdp")}`;
    same("xdp", asm, [], [{ packet: frame(14) }]);
  });

  it("a format without an end", () => {
    const asm = `*(u64 *)(r10 -8) = -1\nr1 = 0x6161616161616161 ll\n*(u64 *)(r10 -8) = r1\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_trace_printk\n*(u64 *)(r9 +0) = r0\n${end("xdp")}`;
    same("xdp", asm, [], [{ packet: frame(14) }]);
  });
});

describe.skipIf(!kernel.ok)("what else", () => {
  it("probe_read_kernel", () => {
    const from = (source: string, size: number): string =>
      `*(u64 *)(r10 -8) = 0x1234\n*(u64 *)(r9 +8) = -1\nr1 = r9\nr1 += 8\nr2 = ${size}\n${source}\ncall bpf_probe_read_kernel\n*(u64 *)(r9 +0) = r0\n${end("xdp")}`;
    for (const size of [0, 1, 8]) {
      same("xdp", from("r3 = r10\nr3 += -8", size), [], [{ packet: frame(14) }]);
      same("xdp", from("r3 = 0", size), [], [{ packet: frame(14) }]);
    }
  });

  it("may_goto falls through", () => {
    const asm = `r7 = 0\nagain:\nmay_goto end\nr7 += 1\nif r7 != 1000 goto again\nend:\n*(u64 *)(r9 +0) = r7\n${end("xdp")}`;
    same("xdp", asm, [], [{ packet: frame(14) }]);
  });

  it("tail calls: 33 of them", () => {
    const programs: MapDefinition = {
      ...array("programs", 4, { type: "prog_array" }),
      holds: [{ index: 0, name: "helper" }],
    };
    const asm = `r1 = *(u64 *)(r9 +0)\nr1 += 1\n*(u64 *)(r9 +0) = r1\nr1 = r6\nr2 = map[programs]\nr3 = 0\ncall bpf_tail_call\n${end("xdp")}`;
    same("xdp", asm, [programs], [{ packet: frame(14) }]);
  });

  it("a tail call out of range, by the low half of the index", () => {
    const programs: MapDefinition = {
      ...array("programs", 4, { type: "prog_array" }),
      holds: [{ index: 0, name: "helper" }],
    };
    for (const index of [1n, 0x1_0000_0001n, 0x1_0000_0000n, -1n]) {
      const asm = `r1 = *(u64 *)(r9 +0)\nr1 += 1\n*(u64 *)(r9 +0) = r1\nr1 = r6\nr2 = map[programs]\n${imm("r3", index)}call bpf_tail_call\n${end("xdp")}`;
      same("xdp", asm, [programs], [{ packet: frame(14) }]);
    }
  });
});
