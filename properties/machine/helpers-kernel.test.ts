/**
 * Claim: helpers, legacy packet loads and context fields answer in the machine as in the running kernel: the same result, error numbers
 * included, the same packet and the same context. Each case is a program that leaves what it learnt in the map `out`; numbers in it are tried one
 * after the other. Skipped with the reason where bpf(2) cannot be used.
 */
import { afterAll, describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Pair } from "./pair.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const OUT_SIZE = 256;
const array = (name: string, valueSize: number, rest: Partial<MapDefinition> = {}): MapDefinition => ({
  name,
  type: "array",
  keySize: 4,
  valueSize,
  maxEntries: 1,
  flags: 0,
  ...rest,
});
const OUT = array("out", OUT_SIZE);

/** A frame whose payload is 0x45 (as an IPv4 header begins) and then counts up. */
function frame(length: number, type = 0x88b5): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (i < 14 ? i + 2 : i + 0x37));
  bytes.set([type >> 8, type & 0xff], 12);
  return bytes;
}

function program(type: ProgramType, asm: string, maps: readonly MapDefinition[]): Program {
  const all = [OUT, ...maps];
  const prologue = "r6 = r1\nr9 = map_value[out]+0\nr1 = r6\n";
  const insns = assemble(prologue + asm, { maps: all });
  return { name: "helper", type, license: "GPL", flags: [], insns, maps: all, lines: [], functions: [] };
}

let compared = 0;

function same(
  type: ProgramType,
  asm: string,
  maps: readonly MapDefinition[],
  environments: readonly Environment[],
): void {
  const pair = new Pair([program(type, asm, maps)]);
  try {
    for (const environment of environments) {
      const { machine, kernel: expected } = pair.run(0, environment);
      const contents = pair.contents();
      expect({ asm, ...machine, maps: contents.machine }).toEqual({
        asm,
        ...expected,
        maps: contents.kernel,
      });
      compared += 1;
    }
  } finally {
    pair.close();
  }
}

const PASS: Readonly<Partial<Record<ProgramType, string>>> = {
  xdp: "r0 = 2\nexit",
  cgroup_skb: "r0 = 1\nexit",
};
const end = (type: ProgramType): string => PASS[type] ?? "r0 = 0\nexit";

/** Writes how many bytes the packet has, and how many of metadata, to `out` from offset 8. */
const BOUNDS = `
  r2 = *(u32 *)(r6 +0)
  r3 = *(u32 *)(r6 +4)
  r4 = *(u32 *)(r6 +8)
  r3 -= r2
  *(u64 *)(r9 +8) = r3
  r2 -= r4
  *(u64 *)(r9 +16) = r2
`;

/** An 8-byte constant, whatever its size. */
const imm = (register: string, value: number | bigint): string => `${register} = ${value} ll\n`;

const xdpContext = (metadata: number, length: number): Uint8Array =>
  new Uint8Array(Uint32Array.of(metadata, length, 0, 0, 0, 0).buffer);

const DELTAS = [
  0, 1, -1, 3, -3, 4, -4, 8, 32, -32, 50, 51, 64, 65, -64, -200, -208, -212, -216, -217, -220, -256, 3000,
  3456, 3457,
];

describe.skipIf(!kernel.ok)("XDP packets", () => {
  const packets = [14, 15, 64, 1514].map((length) => ({ packet: frame(length) }));
  const withMetadata = [4, 8, 32].map((metadata) => ({
    packet: frame(64),
    context: xdpContext(metadata, 64),
  }));
  it.each([
    ["bpf_xdp_adjust_head", "xdp_adjust_head"],
    ["bpf_xdp_adjust_tail", "xdp_adjust_tail"],
    ["bpf_xdp_adjust_meta", "xdp_adjust_meta"],
  ])("%s", (helper) => {
    for (const delta of DELTAS) {
      const asm = `r2 = ${delta}\ncall ${helper}\n*(u64 *)(r9 +0) = r0\n${BOUNDS}${end("xdp")}`;
      same("xdp", asm, [], [...packets, ...withMetadata]);
    }
  });

  it("shrunk and grown again, bytes are zero", () => {
    const twice = (helper: string, a: number, b: number): string =>
      `r2 = ${a}\ncall ${helper}\nr1 = r6\nr2 = ${b}\ncall ${helper}\n*(u64 *)(r9 +0) = r0\n${BOUNDS}${end("xdp")}`;
    same("xdp", twice("bpf_xdp_adjust_tail", -20, 20), [], packets);
    same("xdp", twice("bpf_xdp_adjust_head", 20, -20), [], packets);
    same("xdp", twice("bpf_xdp_adjust_meta", -8, 4), [], packets);
  });

  it("metadata and context", () => {
    const asm = `${BOUNDS}r2 = *(u32 *)(r6 +12)\n*(u64 *)(r9 +24) = r2\nr2 = *(u32 *)(r6 +16)\n*(u64 *)(r9 +32) = r2\n${end("xdp")}`;
    same("xdp", asm, [], [...packets, ...withMetadata]);
  });

  it("redirect", () => {
    for (const flags of [0, 1, 2]) same("xdp", `r1 = 7\nr2 = ${flags}\ncall bpf_redirect\nexit`, [], packets);
  });
});

const SKB_TYPES: readonly ProgramType[] = [
  "socket_filter",
  "sched_cls",
  "sched_act",
  "cgroup_skb",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
];

const SKB_PACKETS: readonly Environment[] = [
  { packet: frame(14) },
  { packet: frame(64) },
  { packet: frame(64, 0x0800) },
  { packet: frame(80, 0x86dd) },
  { packet: frame(64, 0x0100) },
  { packet: frame(64).fill(0, 0, 6) },
  { packet: frame(64).fill(255, 0, 6) },
  { packet: frame(64).fill(1, 0, 6) },
  { packet: frame(64, 0x0100).fill(255, 14, 16) },
];

function skBuff(fields: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(192);
  for (const [offset, value] of Object.entries(fields))
    new DataView(bytes.buffer).setUint32(Number(offset), value, true);
  return bytes;
}

const SKB_CONTEXTS: readonly Environment[] = [
  { packet: frame(64), context: new Uint8Array(192) },
  {
    packet: frame(64),
    context: skBuff({ 8: 5, 32: 6, 36: 1, 40: 1, 48: 7, 52: 8, 64: 9, 152: 10, 156: 11 }),
  },
  { packet: frame(64), context: skBuff({ 160: 1000, 164: 3, 176: 500, 184: 77 }) },
];

describe.skipIf(!kernel.ok)("socket buffers", () => {
  /** Fields that all these types may read. */
  const FIELDS = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 84];
  const ADDRESSES = [88, 92, 96, 100, 104, 108, 112, 116, 120, 124, 128, 132, 136];

  it.each(SKB_TYPES)("fields of the context of %s", (type) => {
    const offsets = [...FIELDS, ...(type === "cgroup_skb" ? ADDRESSES : [])];
    const copies = offsets
      .map((offset) => `r2 = *(u32 *)(r6 +${offset})\n*(u32 *)(r9 +${offset}) = r2\n`)
      .join("");
    same(type, copies + end(type), [], [...SKB_PACKETS, ...SKB_CONTEXTS]);
  });

  it("a classifier's own fields", () => {
    const copies = [160, 164, 176].map(
      (offset) => `r2 = *(u32 *)(r6 +${offset})\n*(u32 *)(r9 +${offset}) = r2\n`,
    );
    const times = [152, 184].map((offset) => `r2 = *(u64 *)(r6 +${offset})\n*(u64 *)(r9 +${offset}) = r2\n`);
    same(
      "sched_cls",
      [...copies, ...times].join("") + end("sched_cls"),
      [],
      [...SKB_PACKETS, ...SKB_CONTEXTS],
    );
  });

  it("narrow loads", () => {
    const copies = [0, 1, 2, 3, 16, 17, 18, 19].map(
      (o) => `r2 = *(u8 *)(r6 +${o})\n*(u8 *)(r9 +${o}) = r2\n`,
    );
    same("sched_cls", copies.join("") + end("sched_cls"), [], SKB_PACKETS);
  });

  it("writes to the context", () => {
    for (const value of [0, 1, 0xfffe, 0xffff, 0x12345, -1]) {
      const writes = [8, 12, 32, 44, 48, 52, 56, 60, 64, 72].map(
        (o) => `*(u32 *)(r6 +${o}) = ${value}\nr2 = *(u32 *)(r6 +${o})\n*(u32 *)(r9 +${o}) = r2\n`,
      );
      const time = `*(u64 *)(r6 +152) = ${value}\nr2 = *(u64 *)(r6 +152)\n*(u64 *)(r9 +152) = r2\n`;
      same("sched_cls", `${writes.join("")}${time}${end("sched_cls")}`, [], SKB_CONTEXTS);
      const queue = `r2 = ${value}\n*(u32 *)(r6 +12) = r2\nr2 = *(u32 *)(r6 +12)\n*(u32 *)(r9 +12) = r2\n`;
      same("sched_cls", queue + end("sched_cls"), [], SKB_CONTEXTS);
    }
  });

  const RANGES: readonly (readonly [offset: number, size: number])[] = [
    [0, 4],
    [13, 1],
    [46, 4],
    [47, 4],
    [49, 1],
    [50, 1],
    [60, 4],
    [61, 4],
    [63, 1],
    [64, 1],
    [0, 50],
    [0, 64],
    [0, 65],
    [-1, 1],
    [-4, 4],
    [0x7fffffff, 1],
    [-0x80000000, 4],
  ];

  it.each(SKB_TYPES)("skb_load_bytes in %s", (type) => {
    for (const [offset, size] of RANGES) {
      const asm = `*(u64 *)(r9 +8) = -1\nr2 = ${offset}\nr3 = r9\nr3 += 8\nr4 = ${size}\ncall bpf_skb_load_bytes\n*(u64 *)(r9 +0) = r0\n${end(type)}`;
      same(type, asm, [], SKB_PACKETS.slice(0, 3));
    }
  });

  it("an offset's upper half does not count", () => {
    const asm = `${imm("r2", 0x1_0000_0004)}r3 = r9\nr4 = 4\ncall bpf_skb_load_bytes\n*(u64 *)(r9 +8) = r0\n${end("sched_cls")}`;
    same("sched_cls", asm, [], SKB_PACKETS);
  });

  it.each(["sched_cls", "lwt_xmit"] as const)("skb_store_bytes in %s", (type) => {
    for (const flags of [0n, 1n, 2n, 3n, 4n, 1n << 32n]) {
      for (const [offset, size] of RANGES.filter(([, size]) => size <= 8)) {
        const asm = `*(u64 *)(r10 -8) = 0x11223344\nr2 = ${offset}\nr3 = r10\nr3 += -8\nr4 = ${size}\n${imm("r5", flags)}call bpf_skb_store_bytes\n*(u64 *)(r9 +0) = r0\n${end(type)}`;
        same(type, asm, [], SKB_PACKETS.slice(0, 3));
      }
    }
  });

  it("skb_pull_data", () => {
    for (const size of [0, 1, 14, 64, 65, 1000, -1]) {
      same(
        "sched_cls",
        `r2 = ${size}\ncall bpf_skb_pull_data\n*(u64 *)(r9 +0) = r0\n${end("sched_cls")}`,
        [],
        SKB_PACKETS,
      );
    }
  });

  it("redirect", () => {
    for (const flags of [0, 1, 2, 3]) {
      same("sched_cls", `r1 = 7\nr2 = ${flags}\ncall bpf_redirect\nexit`, [], SKB_PACKETS.slice(0, 2));
    }
  });

  const CHANGES: readonly (readonly [bigint, bigint])[] = [
    [0n, 0n],
    [0x1234n, 0x5678n],
    [0n, 0xffffn],
    [0xffffn, 0n],
    [0x12345678n, 0x9abcdef0n],
    [0n, 0x12345n],
    [1n, 5n],
    [0x11234n, 0x15678n],
    [0n, 0xffffffffn],
    [0n, -1n],
    [0n, 0x1_0000_0001n],
  ];

  it.each([3, 4])("checksums of layer %s", (layer) => {
    for (const flags of [0, 1, 2, 3, 4, 16, 18, 20, 32, 34, 36, 66, 98, 100, 112, 128, 130, 256]) {
      for (const [from, to] of CHANGES) {
        const asm = `r2 = 24\n${imm("r3", from)}${imm("r4", to)}r5 = ${flags}\ncall bpf_l${layer}_csum_replace\n*(u64 *)(r9 +0) = r0\n${end("sched_cls")}`;
        same(
          "sched_cls",
          asm,
          [],
          [
            { packet: frame(64) },
            { packet: frame(64).fill(0, 24, 26) },
            { packet: frame(64).fill(255, 24, 26) },
          ],
        );
      }
    }
  });

  it("where a checksum may be", () => {
    for (const layer of [3, 4]) {
      for (const offset of [0, 1, 25, 62, 63, 64, 0xfffe, 0x10000, -2]) {
        const asm = `r2 = ${offset}\nr3 = 1\nr4 = 2\nr5 = 2\ncall bpf_l${layer}_csum_replace\n*(u64 *)(r9 +0) = r0\n${end("sched_cls")}`;
        same("sched_cls", asm, [], [{ packet: frame(64) }]);
      }
    }
  });

  it("csum_diff", () => {
    const words = ["0", "-1", "0x12345678", "-0x10203"];
    for (const [from, to] of [
      [0, 0],
      [4, 0],
      [0, 4],
      [4, 4],
      [4, 8],
      [8, 4],
      [8, 8],
      [3, 5],
      [7, 1],
      [6, 0],
    ] as const) {
      for (const seed of [0, 5, -1, 0x12345, 0x12345678, 0x7fffffff]) {
        for (const a of words) {
          for (const b of words) {
            const asm = `*(u64 *)(r10 -8) = ${a}\n*(u64 *)(r10 -16) = ${b}\nr1 = r10\nr1 += -8\nr2 = ${from}\nr3 = r10\nr3 += -16\nr4 = ${to}\nw5 = ${seed}\ncall bpf_csum_diff\n*(u64 *)(r9 +0) = r0\n${end("sched_cls")}`;
            same("sched_cls", asm, [], [{ packet: frame(64) }]);
          }
        }
      }
    }
  });

  it("csum_diff of nothing", () => {
    const asm = `r1 = 0\nr2 = 0\nr3 = r10\nr3 += -8\n*(u64 *)(r10 -8) = 77\nr4 = 8\nr5 = 0\ncall bpf_csum_diff\n*(u64 *)(r9 +0) = r0\n${end("sched_cls")}`;
    same("sched_cls", asm, [], [{ packet: frame(64) }]);
  });
});

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
      same("xdp", asm.join("") + end("xdp"), [m], [{ packet: frame(14) }, { packet: frame(14) }]);
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
  afterAll(() => {
    console.log(`helpers against the kernel: ${compared} runs`);
  });

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
