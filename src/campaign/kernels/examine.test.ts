/**
 * What an accepted program is worth, by logs that kernels wrote: Linux 6.18.5 and 6.19.10 of Debian's, of programs that a campaign found. That the kernels are wrong there is
 * by the definition of the instructions: the machine's runs, which other tests hold against it.
 */
import { describe, expect, it } from "vitest";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { Program } from "../../semantics/program/program.ts";
import { escalations } from "./escalate.ts";
import { dependsOnAddresses, type Ended, examine } from "./examine.ts";
import type { Input } from "./inputs.ts";
import { PROBE_MAPS } from "./probe.ts";

function program(...asm: readonly string[]): Program {
  const insns = assemble(asm.join("\n"), { maps: PROBE_MAPS });
  const rest = { license: "GPL", flags: [], lines: [], functions: [] };
  return { name: "test", type: "xdp", insns, maps: PROBE_MAPS, ...rest };
}

/** A map's value with one number in it. */
function input(at: number, number: bigint): Input {
  const value = new Uint8Array(64);
  new DataView(value.buffer).setBigUint64(at, number, true);
  return { packet: new Uint8Array(64), value, seed: 1 };
}

const SPLIT = program(
  "r9 = map_value[0]+0",
  "r8 = *(u64 *)(r9 +16)",
  "r8 s>>= 63",
  "r8 |= 1",
  "r0 = 0",
  "exit",
);

/** Linux 6.19.10: takes the other number for 0 after the or. */
const SPLIT_LOG = `func#0 @0
0: R1=ctx() R10=fp0
0: (18) r9 = 0xffff8a898266e330       ; R9=map_value(map=values,ks=4,vs=64)
2: (79) r8 = *(u64 *)(r9 +16)         ; R8=scalar() R9=map_value(map=values,ks=4,vs=64)
3: (c7) r8 s>>= 63                    ; R8=scalar(smin=smin32=-1,smax=smax32=0)
4: (47) r8 |= 1                       ; R8=-1
5: (b7) r0 = 0                        ; R0=0
6: (95) exit

from 4 to 5: R1=ctx() R8=0 R9=map_value(map=values,ks=4,vs=64) R10=fp0
5: R1=ctx() R8=0 R9=map_value(map=values,ks=4,vs=64) R10=fp0
5: (b7) r0 = 0                        ; R0=0
6: (95) exit
processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`;

describe("a number outside of the kernel's bounds", () => {
  it("is found where no state of the kernel's holds it", () => {
    const { violations, compared } = examine(SPLIT, SPLIT_LOG, [input(16, 5n)]);
    expect(compared).toBeGreaterThan(2);
    expect(violations).toMatchObject([
      { oracle: "bounds", insn: 5, cause: "excluded after or64_imm", problem: { pc: 5, last: 4 } },
    ]);
    // Both states are said to exclude it.
    expect(violations[0]?.problem?.escapes.map(({ bounds }) => bounds.umax)).toEqual([2n ** 64n - 1n, 0n]);
  });

  it("is none where one of them does", () => {
    const { violations, ended, runs } = examine(SPLIT, SPLIT_LOG, [input(16, -5n)]);
    expect(violations).toEqual([]);
    expect([runs, ended.length, ended[0]?.retval]).toEqual([1, 1, 0]);
  });

  it("leads to memory that is not there, for some program that begins alike", () => {
    const given = input(16, 5n);
    const [violation] = examine(SPLIT, SPLIT_LOG, [given]).violations;
    if (violation?.problem === undefined) throw new Error("no problem was found");
    const longer = escalations(SPLIT, violation.problem);
    // Without a log no way can be followed: what is seen is what the machine does.
    const faults = longer.map((each) => examine(each, "", [given]).violations.map(({ cause }) => cause));
    expect(faults).toContainEqual(expect.arrayContaining(["out_of_bounds at ldxdw"]));
    expect(longer.every(({ insns }) => insns.length > SPLIT.insns.length)).toBe(true);
  });
});

/** The same kernel: the jump is taken for one that is never taken. */
const DEAD = program(
  "r9 = map_value[0]+0",
  "r4 = *(u64 *)(r9 +24)",
  "r4 s>>= 63",
  "r4 |= 8",
  "if r4 s> 0 goto over",
  "r0 = 0",
  "over:",
  "r0 = 0",
  "exit",
);

const DEAD_LOG = `func#0 @0
0: R1=ctx() R10=fp0
0: (18) r9 = 0xffff8a898266e330       ; R9=map_value(map=values,ks=4,vs=64)
2: (79) r4 = *(u64 *)(r9 +24)         ; R4=scalar() R9=map_value(map=values,ks=4,vs=64)
3: (c7) r4 s>>= 63                    ; R4=scalar(smin=smin32=-1,smax=smax32=0)
4: (47) r4 |= 8                       ; R4=-1
5: (65) if r4 s> 0x0 goto pc+1
mark_precise: frame0: last_idx 5 first_idx 0 subseq_idx -1 
mark_precise: frame0: regs=r4 stack= before 4: (47) r4 |= 8
5: R4=-1
6: (b7) r0 = 0                        ; R0=0
7: (b7) r0 = 0                        ; R0=0
8: (95) exit

from 4 to 5: R1=ctx() R4=0 R9=map_value(map=values,ks=4,vs=64) R10=fp0
5: R1=ctx() R4=0 R9=map_value(map=values,ks=4,vs=64) R10=fp0
5: (65) if r4 s> 0x0 goto pc+1
5: R4=0
6: (b7) r0 = 0
7: safe
processed 11 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 0
`;

describe("a way that the kernel has never been", () => {
  it("is found where a run goes it", () => {
    const { violations } = examine(DEAD, DEAD_LOG, [input(24, 5n)]);
    expect(violations.find(({ oracle }) => oracle === "dead")).toMatchObject({
      insn: 5,
      cause: "jsgt64_imm",
    });
  });

  it("is none where a path was ended by a state that had been explored", () => {
    expect(examine(DEAD, DEAD_LOG, [input(24, -5n)]).violations).toEqual([]);
  });
});

describe("a program that the kernel accepts", () => {
  it("is a hole if it faults in the machine", () => {
    const hole = program("r0 = *(u8 *)(r1 +0)", "r2 = map_value[0]+0", "r0 = *(u64 *)(r2 +60)", "exit");
    const { violations } = examine(hole, "", [input(0, 0n)]);
    expect(violations.map(({ oracle }) => oracle)).toContain("hole");
  });
});

describe("a run that computes with addresses", () => {
  /** How a program without branches ends here on one input, beside a log that says nothing of it. */
  function ended(tested: Program): Ended {
    const log = tested.insns.map((insn, pc) => (insn === undefined ? "" : `${pc}: (00) anything\n`)).join("");
    const [first] = examine(tested, log, [input(0, 7n)]).ended;
    if (first === undefined) throw new Error("it does not end");
    return first;
  }
  const START = ["r2 = *(u32 *)(r1 +4)", "r3 = *(u32 *)(r1 +0)"];

  it("is known by another end where the memory lies elsewhere", () => {
    // Found against Linux 7.3: the sign of an address's lowest byte decides.
    const byte = program(...START, "r0 = (s8)r2", "r0 >>= 63", "exit");
    const stored = program(...START, "r9 = map_value[0]+0", "*(u64 *)(r9 +8) = r3", "r0 = 0", "exit");
    // Found there too: the place within a map's value is made of a pointer's lowest bits.
    const lowest = program(
      "r9 = map_value[0]+0",
      "*(u64 *)(r10 -8) = r9",
      "r8 = *(u32 *)(r10 -8)",
      "r8 &= 31",
      "r9 += r8",
      "*(u8 *)(r9 +0) = 1",
      "r0 = 0",
      "exit",
    );
    // Found against Linux 6.12: what matters is whether the lowest byte is 0, as that of one packet in 32 is.
    const zero = program(...START, "r0 = r3", "r0 &= 255", "r0 -= 1", "r0 >>= 63", "exit");
    for (const each of [byte, stored, lowest, zero]) expect(dependsOnAddresses(each, ended(each))).toBe(true);
  });

  it("is not one that only subtracts them, or returns what the map holds", () => {
    const length = program(...START, "r0 = r2", "r0 -= r3", "exit");
    const value = program("r9 = map_value[0]+0", "r0 = *(u64 *)(r9 +0)", "exit");
    expect([length, value].map((each) => dependsOnAddresses(each, ended(each)))).toEqual([false, false]);
    expect([length, value].map((each) => ended(each).retval)).toEqual([64, 7]);
  });
});
