/** Expectations by RFC 9669; r1 and r2 as the bpf_conformance suite's plugins set them. */
import { describe, expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import { type RawResult, runRaw } from "./raw.ts";

const run = (asm: string, memory: readonly number[] = []): RawResult =>
  runRaw(assemble(asm), Uint8Array.from(memory));

describe("programs on bare memory", () => {
  test("r1 points to the memory, r2 is its length", () => {
    const asm = "r0 = *(u32 *)(r1 +1)\nr0 <<= 8\nr0 += r2\nexit";
    expect(run(asm, [1, 0x11, 0x22, 0x33, 0x44])).toEqual({ outcome: "exit", r0: 0x4433221105n });
  });

  test("memory may be written, and r0 is all 64 bits", () => {
    const asm = "r2 = -1\n*(u64 *)(r1 +0) = r2\nr0 = *(u64 *)(r1 +0)\nexit";
    const memory = new Uint8Array(8);
    expect(runRaw(assemble(asm), memory)).toEqual({ outcome: "exit", r0: 0xffff_ffff_ffff_ffffn });
    expect([...memory]).toEqual([255, 255, 255, 255, 255, 255, 255, 255]);
  });

  test("without memory r1 and r2 are 0", () => {
    expect(run("r0 = r1\nr0 += r2\nexit")).toEqual({ outcome: "exit", r0: 0n });
  });

  test("the stack and subprograms", () => {
    const asm =
      "r1 = 7\ncall double\nexit\ndouble:\n*(u64 *)(r10 -8) = r1\nr0 = *(u64 *)(r10 -8)\nr0 *= 2\nexit";
    expect(run(asm)).toEqual({ outcome: "exit", r0: 14n });
  });

  test("an access outside the memory is a fault that says so", () => {
    const result = run("r0 = *(u64 *)(r1 +1)\nexit", [0, 0, 0, 0, 0, 0, 0, 0]);
    expect(result).toMatchObject({ outcome: "fault", fault: { kind: "out_of_bounds", insn: 0, offset: 1 } });
    if (result.outcome === "fault") expect(result.fault.message).toContain("the memory");
  });
});
