import { expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import { liveRegisters } from "./liveness.ts";

/** The registers live before each instruction, as digits. */
const live = (...asm: string[]): string[] =>
  [...liveRegisters(assemble(asm), defaultProfile())].map((set) =>
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter((r) => (set & (1 << r)) !== 0).join(""),
  );

// The kernel prints the same sets in its log at level 2 ("Live regs before insn"), without r10.
test("straight code", () => {
  expect(live("r6 = r1", "r0 = r6", "exit")).toEqual(["1", "6", "0"]);
});

test("a call reads its helper's arguments and ends the life of r0 to r5", () => {
  // bpf_map_lookup_elem takes two.
  expect(live("call 1", "exit")).toEqual(["12", "0"]);
  // bpf_ktime_get_ns takes none.
  expect(live("r6 = 1", "call 5", "r0 = r6", "exit")).toEqual(["", "6", "6", "0"]);
});

test("both ways of a jump count, and what a loop reads is live all around it", () => {
  expect(live("r0 = 0", "l:", "r0 += 1", "if r0 < r6 goto l", "exit")).toEqual(["6", "06", "06", "0"]);
});

test("a store reads both its registers, a load its base", () => {
  expect(live("*(u64 *)(r10 -8) = r3", "r0 = *(u64 *)(r2 +0)", "exit")).toEqual(["2310", "2", "0"]);
});
