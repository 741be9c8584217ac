/**
 * Claim: given the stack that the running kernel had, the machine copies as much of it and gives it the same number in a map of stack traces. Skipped with the reason where bpf(2)
 * cannot be used.
 */
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, word } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import { Machine } from "../../src/vm/machine.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const DEEP = 512;
const CALLS: readonly (readonly [size: number, skip: number])[] = [
  [0, 1],
  [8, 1],
  [16, 1],
  [40, 2],
  [64, 3],
  [8, 4],
  [64, 6],
  [0, 7],
  [64, 100],
  [0, 100],
];
const OUT: MapDefinition = {
  name: "out",
  type: "array",
  keySize: 4,
  valueSize: 1024,
  maxEntries: 1,
  flags: 0,
};
const STACKS: MapDefinition = {
  name: "stacks",
  type: "stack_trace",
  keySize: 4,
  valueSize: DEEP,
  maxEntries: 1 << 14,
  flags: 0,
};

/** Learns the stack's number, then copies parts of it. The program's own frame, whose address moves from call to call, is skipped. */
const asm = [
  "r6 = r1\nr9 = map_value[out]+0",
  "r2 = map[stacks]\nr3 = 1\ncall bpf_get_stackid\n*(u64 *)(r9 +0) = r0",
  ...CALLS.map(
    ([size, skip], i) =>
      `r1 = r6\nr2 = r9\nr2 += ${96 * i + 16}\nr3 = ${size}\nr4 = ${skip}\ncall bpf_get_stack\n*(u64 *)(r9 +${96 * i + 8}) = r0`,
  ),
  "r0 = 0\nexit",
].join("\n");

describe.skipIf(!kernel.ok)("stacks", () => {
  it("are copied and numbered as the kernel does", () => {
    const maps = [OUT, STACKS];
    const program = {
      name: "stacks",
      type: "raw_tracepoint",
      license: "GPL",
      flags: [],
      insns: assemble(asm, { maps }),
      maps,
      lines: [],
      functions: [],
    } as const;
    const kernelMaps = maps.map((map) => createMap(map));
    const loaded = loadProgram(program, { maps: kernelMaps });
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    try {
      expect(testRun(loaded.fd, { contextBack: false }).ran).toBe(true);
      const [out, stacks] = kernelMaps;
      const expected = Buffer.from(out?.lookup(word(0)) ?? []);
      const trace = stacks?.lookup(word(Number(expected.readBigInt64LE(0))));
      if (trace === undefined) throw new Error("the kernel has no stack of that number");
      const above = [...new BigUint64Array(trace.slice().buffer)].filter((address) => address !== 0n);
      expect(above.length).toBeGreaterThan(3);

      const machine = new Machine(program);
      expect(machine.run({ kernelStack: [1n, ...above] })).toMatchObject({ outcome: "exit" });
      const map = machine.map("out");
      const found = map.kind === "values" ? map.find(word(0), 0)?.bytes : undefined;
      expect(Buffer.from(found ?? []).toString("hex")).toBe(expected.toString("hex"));
    } finally {
      loaded.close();
      for (const map of kernelMaps) map.close();
    }
  });
});
