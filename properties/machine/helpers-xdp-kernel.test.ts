/**
 * Claim: helpers that resize XDP packets answer in the machine as in the running kernel: the same result, error numbers included, the same packet and the same context. Each case is a
 * program that leaves what it learnt in the map `out`. Skipped with the reason where bpf(2) cannot be used.
 */
import { describe, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { end, frame, same } from "./helper-cases.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

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
