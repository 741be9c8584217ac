/** What timers call, and when. Expectations follow from Documentation/bpf and the helpers' descriptions in linux/bpf.h; what the helpers return is held against the kernel in `properties/machine`. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readPrograms } from "../../src/object/read.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { Machine } from "../../src/vm/machine.ts";
import { FRAME } from "../../src/vm/testing.ts";
import { advance } from "../../src/vm/timers.ts";

/** A program of the corpus with the types of a value that has a timer at 8. */
const [SAMPLE] = readPrograms(
  "sample.prog.json",
  readFileSync(new URL("../../corpus/verifier/timer-cancelled.prog.json", import.meta.url)),
).programs;

function machine(asm: string): Machine {
  if (SAMPLE === undefined) throw new Error("the corpus has no such program");
  const insns = assemble(asm, { maps: SAMPLE.maps });
  const program: Program = { ...SAMPLE, insns, functions: [], lines: [] };
  return new Machine(program);
}

const KEY = new Uint8Array(4);

/** The number at the start of the map's value, which callbacks count up. */
function count(of: Machine): number {
  const map = of.map("m");
  const value = map.kind === "values" ? map.find(KEY, 0) : undefined;
  return value?.bytes[0] ?? -1;
}

const VALUE = "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[m]\ncall bpf_map_lookup_elem\nr6 = r0\n";
const timer = (call: string): string => `r1 = r6\nr1 += 8\n${call}\n`;
const INIT = timer("r2 = map[m]\nr3 = 1\ncall bpf_timer_init");
const SET = timer("r2 = func later\ncall bpf_timer_set_callback");
const start = (delay: number, flags = 0): string =>
  timer(`r2 = ${delay}\nr3 = ${flags}\ncall bpf_timer_start`);
const CANCEL = timer("call bpf_timer_cancel");
const END = "r0 = 1\nexit\n";
const LATER = "later:\nr1 = *(u64 *)(r3 +0)\nr1 += 1\n*(u64 *)(r3 +0) = r1\nr0 = 0\nexit\n";

describe("a timer", () => {
  it("calls once, when it is due and not before", () => {
    const m = machine(VALUE + INIT + SET + start(1000) + END + LATER);
    m.run({ packet: FRAME, clockNs: 5000n });
    expect(advance(m.maps, 5999n)).toHaveLength(0);
    expect(advance(m.maps, 7000n)).toMatchObject([{ outcome: "exit" }]);
    expect(advance(m.maps, 99_000n)).toHaveLength(0);
    expect(count(m)).toBe(1);
  });

  it("may be due at a given time", () => {
    const m = machine(VALUE + INIT + SET + start(1000, 1) + END + LATER);
    m.run({ packet: FRAME, clockNs: 0n });
    expect(advance(m.maps, 999n)).toHaveLength(0);
    expect(advance(m.maps, 1000n)).toHaveLength(1);
  });

  it("that is started again calls at the later time alone", () => {
    const m = machine(VALUE + INIT + SET + start(1000) + start(9000) + END + LATER);
    m.run({ packet: FRAME, clockNs: 0n });
    expect(advance(m.maps, 5000n)).toHaveLength(0);
    expect(advance(m.maps, 20_000n)).toHaveLength(1);
  });

  it("that was cancelled calls nothing", () => {
    const m = machine(VALUE + INIT + SET + start(1000) + CANCEL + END + LATER);
    m.run({ packet: FRAME, clockNs: 0n });
    expect(advance(m.maps, 20_000n)).toHaveLength(0);
  });

  it("may start itself again", () => {
    const again =
      "later:\nr6 = r3\nr1 = *(u64 *)(r6 +0)\nr1 += 1\n*(u64 *)(r6 +0) = r1\n" +
      `${timer("r2 = 1000\nr3 = 0\ncall bpf_timer_start")}r0 = 0\nexit\n`;
    const m = machine(VALUE + INIT + SET + start(1000) + END + again);
    m.run({ packet: FRAME, clockNs: 0n });
    expect(advance(m.maps, 4500n)).toHaveLength(4);
    expect(count(m)).toBe(4);
  });

  it("cannot cancel itself from what it calls", () => {
    const asm = `later:\nr6 = r3\n${CANCEL}*(u64 *)(r6 +0) = r0\nr0 = 0\nexit\n`;
    const m = machine(VALUE + INIT + SET + start(1000) + END + asm);
    m.run({ packet: FRAME, clockNs: 0n });
    advance(m.maps, 4500n);
    expect(count(m)).toBe(256 - 35);
  });

  it("whose function faults says so", () => {
    const m = machine(`${VALUE + INIT + SET + start(1000) + END}later:\nr0 = *(u64 *)(r3 +24)\nexit\n`);
    m.run({ packet: FRAME, clockNs: 0n });
    expect(advance(m.maps, 4500n)).toMatchObject([{ outcome: "fault", fault: { kind: "out_of_bounds" } }]);
  });
});
