/**
 * Claim: helpers on socket buffers, and their context's fields, answer in the machine as in the running kernel: the same result, error numbers included, the same packet and the same context. Each case is a
 * program that leaves what it learnt in the map `out`. Skipped with the reason where bpf(2) cannot be used.
 */
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { end, frame, imm, program, SKB_CONTEXTS, SKB_PACKETS, SKB_TYPES, same } from "./helper-cases.ts";
import { PACKETS } from "./packets.ts";
import { Pair } from "./pair.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

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

  it("get_hash_recalc tells the same packets apart", () => {
    // Bytes of addresses, ports, labels, tags and fragment offsets.
    const variants = PACKETS.flatMap(({ bytes }) => [
      bytes,
      ...[15, 17, 20, 29, 33, 35, 37, 55].map((at) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))),
    ]);
    const pair = new Pair([program("sched_cls", "call bpf_get_hash_recalc\nexit", [])]);
    const hashes = variants.flatMap((packet) => {
      const { machine, kernel: expected } = pair.run(0, { packet });
      return typeof expected.retval === "number" ? [`${machine.retval} ${expected.retval}`] : [];
    });
    pair.close();
    const classes = new Set(hashes);
    for (const side of [0, 1])
      expect(new Set([...classes].map((both) => both.split(" ")[side])).size).toBe(classes.size);
  });
});
