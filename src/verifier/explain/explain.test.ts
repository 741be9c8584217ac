/** Explanations: which instructions a slice has is what the definition of a backward slice says; messages are those of Linux 6.18. */
import { describe, expect, test } from "vitest";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../verify.ts";
import { type Explanation, explain } from "./explain.ts";
import { headline } from "./message-class.ts";
import { explanationText } from "./text.ts";

const DATA: MapDefinition = {
  name: ".data",
  type: "array",
  keySize: 4,
  valueSize: 16,
  maxEntries: 1,
  flags: 0,
};

const program = (...asm: readonly string[]): Program => ({
  name: "test",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(asm),
  maps: [DATA],
  lines: [],
  functions: [],
});

function explained(p: Program): Explanation {
  const verdict = verify(p);
  if (verdict.verdict !== "reject") throw new Error(`${p.name}: ${verdict.verdict}`);
  return explain(p, verdict);
}

const insnsOf = ({ slice }: Explanation): readonly number[] => slice.map(({ insn }) => insn);

describe("the slice", () => {
  test("follows copies, arithmetic, spills and fills, and nothing else", () => {
    const explanation = explained(
      program(
        "r6 = *(u32 *)(r1 +12)",
        "r7 = 5",
        "*(u64 *)(r10 -8) = r6",
        "*(u64 *)(r10 -16) = r7",
        "r6 = 0",
        "r2 = *(u64 *)(r10 -8)",
        "r7 += 1",
        "r2 <<= 2",
        "r3 = map_value[0]+0",
        "r3 += r2",
        "r0 = *(u8 *)(r3 +0)",
        "exit",
      ),
    );
    expect(insnsOf(explanation)).toEqual([0, 2, 5, 7, 8, 10]);
    expect(explanation.subject).toBe("R3");
    expect(explanation.lost).toMatchObject({ at: { insn: 0 }, text: "read from the context" });
  });

  test("has comparisons that taught something of a value, or that name it and taught nothing", () => {
    const explanation = explained(
      program(
        "r6 = *(u32 *)(r1 +12)",
        "r7 = *(u32 *)(r1 +16)",
        "r0 = 0",
        "if r7 > 7 goto out",
        "if r6 == 3 goto out",
        "if r6 > 40 goto out",
        "r3 = map_value[0]+0",
        "r3 += r6",
        "r0 = *(u8 *)(r3 +0)",
        "out:",
        "exit",
      ),
    );
    // The comparison of r7 says nothing of r6, and does not name it.
    expect(insnsOf(explanation)).toEqual([0, 4, 5, 6, 8]);
    const notes = explanation.slice.map(({ note }) => note?.text);
    expect(notes[1]).toBe("says nothing of R6");
    expect(notes[2]).toBeUndefined();
    expect(explanation.suggestion).toContain("40");
  });

  test("goes through functions: arguments in, the result out", () => {
    const explanation = explained(
      program(
        "r6 = 1",
        "r1 = *(u32 *)(r1 +12)",
        "call f",
        "r3 = map_value[0]+0",
        "r3 += r0",
        "r0 = *(u8 *)(r3 +0)",
        "exit",
        "f:",
        "r2 = 4",
        "r0 = r1",
        "exit",
      ),
    );
    expect(insnsOf(explanation)).toEqual([1, 2, 9, 10, 3, 5]);
  });

  test("of a register that a call took is the call", () => {
    const explanation = explained(program("r1 = 3", "call bpf_ktime_get_ns", "r0 = r1", "exit"));
    expect(insnsOf(explanation)).toEqual([1]);
    expect(explanation.lost).toMatchObject({ at: { insn: 1 }, text: "is gone" });
  });

  test("of a long loop is short", () => {
    const explanation = explained(
      program(
        "r6 = 0",
        "again:",
        "r6 += 1",
        "if r6 < 1000 goto again",
        "r3 = map_value[0]+0",
        "r3 += r6",
        "r0 = *(u8 *)(r3 +0)",
        "exit",
      ),
    );
    expect(explanation.slice.length).toBeLessThan(13);
    const shown = explanation.slice.length;
    const skipped = explanation.slice.reduce((sum, line) => sum + line.skipped, 0);
    // The beginning, two instructions in each of 1,000 passages, the pointer and the sum.
    expect(shown + skipped).toBe(1 + 2 * 1000 + 2);
  });
});

describe("the words", () => {
  test("of a packet that is too short: how many bytes are checked and how many are needed", () => {
    const { category, needed, known, at } = explained(
      program(
        "r2 = *(u32 *)(r1 +0)",
        "r3 = *(u32 *)(r1 +4)",
        "r4 = r2",
        "r4 += 14",
        "r0 = 2",
        "if r4 > r3 goto out",
        "r0 = *(u32 *)(r2 +12)",
        "out:",
        "exit",
      ),
    );
    expect(category).toBe("Memory Safety");
    expect(needed).toContain("16 bytes from R2's base");
    expect(needed).toContain("shows 14");
    expect(known).toMatch(/^R2=pkt\(/);
    expect(at?.insn).toBe(6);
  });

  test("of a packet that a helper moved: the helper", () => {
    const { lost, suggestion } = explained(
      program(
        "r6 = *(u32 *)(r1 +0)",
        "r3 = *(u32 *)(r1 +4)",
        "r4 = r6",
        "r4 += 14",
        "r0 = 2",
        "if r4 > r3 goto out",
        "r2 = 0",
        "call bpf_xdp_adjust_head",
        "r0 = *(u8 *)(r6 +0)",
        "out:",
        "exit",
      ),
    );
    expect(lost).toMatchObject({ at: { insn: 7 }, text: "a pointer becomes a number" });
    expect(suggestion).toContain("bpf_xdp_adjust_head may move the packet");
  });

  const RINGBUF: MapDefinition = {
    ...DATA,
    name: "rb",
    type: "ringbuf",
    keySize: 0,
    valueSize: 0,
    maxEntries: 4096,
  };
  const reserving = (...asm: readonly string[]): Program => {
    const maps = [RINGBUF];
    const reserve = ["r1 = map[rb]", "r2 = 8", "r3 = 0", "call 131", "if r0 == 0 goto out"];
    const insns = assemble([...reserve, ...asm, "out:", "r0 = 0", "exit"], { maps });
    return { ...program("exit"), maps, insns };
  };

  test("of a record that was given away: the function that it was given to", () => {
    const { suggestion } = explained(
      reserving("r6 = r0", "r1 = r0", "r2 = 0", "call 132", "*(u64 *)(r6 +0) = 0"),
    );
    expect(suggestion).toContain("until bpf_ringbuf_submit is called");
  });

  test("of a record that is kept: where it was acquired", () => {
    expect(explained(reserving("r6 = r0")).lost).toMatchObject({
      at: { insn: 4, text: "call bpf_ringbuf_reserve#131" },
      text: "acquired, and held from here on",
    });
  });

  test("of the context: what may be done there, if anything", () => {
    const ofStore = explained({ ...program("*(u32 *)(r1 +0) = 5", "exit"), type: "sched_cls" });
    expect(ofStore.needed).toContain("; len may be read with 1, 2, 4 bytes and not be written");
    const ofLoad = explained({ ...program("r0 = *(u32 *)(r1 +500)", "exit"), type: "sched_cls" });
    expect(ofLoad.needed).toContain("; __sk_buff has none there");
  });

  test("of a helper that programs of the type lack, and of a map that it does not take", () => {
    expect(explained(program("r2 = 0", "call 39", "r0 = 0", "exit")).needed).toContain("of type xdp");
    const maps = [{ ...DATA, name: "pe", type: "perf_event_array", valueSize: 4 } as const];
    const key = ["*(u32 *)(r10 -4) = 0", "r2 = r10", "r2 += -4", "r3 = r2", "r4 = 0"];
    const insns = assemble(["r1 = map[pe]", ...key, "call 2", "r0 = 0", "exit"], { maps });
    const { needed } = explained({ ...program("exit"), maps, insns });
    expect(needed).toContain("; this one is of type perf_event_array");
  });

  test("of a loop in one line: that it does not end, not its states", () => {
    const states = "infinite loop detected at insn 1\ncur state: R0=0\nold state: R0=0";
    expect(headline(states)).toBe("infinite loop detected at insn 1");
  });

  test("of a loop that does not end: its instructions", () => {
    const explanation = explained(program("r0 = 0", "again:", "r0 ^= 1", "if r0 < 5 goto again", "exit"));
    expect(insnsOf(explanation)).toEqual([1, 2]);
    expect(explanation.subject).toBe("the loop of 2 instructions");
  });

  test("of a program that has no path: no slice", () => {
    const explanation = explained(program("r0 = 0", "goto +5", "exit"));
    expect(explanation).toMatchObject({ at: undefined, slice: [], category: "Program Structure" });
  });
});

test("as text: problem, what was needed and known, where, how, what mends it", () => {
  const lines = explanationText(
    explained(program("r6 = *(u32 *)(r1 +12)", "r0 = *(u8 *)(r6 +0)", "exit")),
  ).split("\n");
  expect(lines.map((line) => /^[A-Z][\w ]*:/.exec(line)?.[0])).toEqual([
    "Verification failed:",
    "Needed:",
    "Known:",
    "At:",
    "Since:",
    "Causal path of R6:",
    undefined,
    "Suggestion:",
    undefined,
  ]);
});
