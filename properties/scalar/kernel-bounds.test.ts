/** The comparison with the kernel can fail: logs that claim too much, and too little, of a small program. No kernel is asked. */
import { describe, expect, test } from "vitest";
import { LogWalk } from "../../src/campaign/kernels/log-walk.ts";
import { parseStateLog, type StateLog } from "../../src/oracle/linux/state-log.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import { rowByName } from "../../src/semantics/isa/table.ts";
import { Machine } from "../../src/vm/machine.ts";
import { COMPARED, compareOperator, precisionOf, witness } from "./kernel-bounds.ts";
import { comparePath } from "./kernel-paths.ts";
import { type BoundsProgram, packetOf, X } from "./kernel-programs.ts";

function small(row: string, pc: number, target: number | undefined, body: string): BoundsProgram {
  const insns = assemble(`
    r6 = *(u32 *)(r1 +0)
    r2 = *(u32 *)(r1 +4)
    r3 = r6
    r3 += 32
    if r3 > r2 goto early
    r7 = *(u8 *)(r6 +0)
    ${body}
    r0 = 2
    exit
    early:
    r0 = 1
    exit`);
  const program = {
    name: row,
    type: "xdp" as const,
    license: "GPL",
    flags: [],
    insns,
    maps: [],
    lines: [],
    functions: [],
  };
  const jump = target === undefined ? {} : { target };
  return { program, row: rowByName(row), pc, ...jump, x: 200n, y: 0n, constants: [], picks: [] };
}

const START = `0: R1=ctx() R10=fp0
0: (61) r6 = *(u32 *)(r1 +0)          ; R1=ctx() R6=pkt(r=0)
1: (61) r2 = *(u32 *)(r1 +4)          ; R1=ctx() R2=pkt_end()
2: (bf) r3 = r6                       ; R3=pkt(r=0) R6=pkt(r=0)
3: (07) r3 += 32                      ; R3=pkt(off=32,r=0)
4: (2d) if r3 > r2 goto pc+4          ; R2=pkt_end() R3=pkt(off=32,r=32)
5: (71) r7 = *(u8 *)(r6 +0)           ; R6=pkt(r=32) R7=scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))`;

const ADD = small("add64_imm", 6, undefined, "r7 += 5");
const added = (bounds: string): StateLog =>
  parseStateLog(`${START}
6: (07) r7 += 5                       ; R7=scalar(${bounds})
7: (b7) r0 = 2                        ; R0=2
8: (95) exit
`);
const TRUE_SUM = "smin=umin=smin32=umin32=5,smax=umax=smax32=umax32=260,var_off=(0x0; 0x1ff)";

const JUMP = small("jgt64_imm", 6, 8, "if r7 > 99 goto pc+1\nr7 = 0");
const jumped = (taken: string): StateLog =>
  parseStateLog(`${START}
6: (25) if r7 > 0x63 goto pc+1        ; R7=scalar(smin=smin32=0,smax=umax=smax32=umax32=99,var_off=(0x0; 0x7f))
7: (b7) r7 = 0                        ; R7=0
8: (b7) r0 = 2                        ; R0=2
9: (95) exit
${taken}`);
const taken = (bounds: string): string => `
from 6 to 8: R6=pkt(r=32) R7=scalar(${bounds}) R10=fp0
8: R6=pkt(r=32) R7=scalar(${bounds}) R10=fp0
8: (b7) r0 = 2                        ; R0=2
9: (95) exit
`;
const TRUE_REST = "smin=umin=smin32=umin32=100,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff)";

/** Components in which ours is not as precise, by result. */
const losses = (bounds: BoundsProgram, log: StateLog): Record<string, readonly string[]> =>
  Object.fromEntries(
    compareOperator(bounds, log).map(({ where, ours, kernel }) => [
      where,
      ours === undefined || kernel === undefined
        ? [`${ours === undefined ? "ours" : "kernel"} none`]
        : COMPARED.filter((c) => ["less", "incomparable"].includes(precisionOf(c, ours, kernel))),
    ]),
  );

describe("less precise than the log", () => {
  test("of a sum", () => {
    expect(losses(ADD, added(TRUE_SUM))).toEqual({ dst: [] });
    expect(losses(ADD, added("smin=umin=6,smax=umax=smax32=umax32=260,var_off=(0x1; 0x1fe)"))).toEqual({
      dst: ["bits", "umin", "smin"],
    });
    expect(losses(ADD, added(""))).toEqual({ dst: [] });
    const [{ ours, kernel }] = compareOperator(ADD, added("umax=259")) as [
      ReturnType<typeof compareOperator>[0],
    ];
    expect(witness(ours!, kernel!)).toBe(260n);
  });

  test("on the edges of a jump", () => {
    expect(losses(JUMP, jumped(taken(TRUE_REST)))).toEqual({ "dst, not taken": [], "dst, taken": [] });
    expect(losses(JUMP, jumped(taken("umin=101")))).toEqual({ "dst, not taken": [], "dst, taken": ["umin"] });
    expect(losses(JUMP, jumped(""))).toEqual({ "dst, not taken": [], "dst, taken": ["kernel none"] });
  });

  test("along a path", () => {
    expect(comparePath(ADD, added(TRUE_SUM)).loss).toBeUndefined();
    expect(comparePath(ADD, added("umax=259")).loss).toMatchObject({ pc: 6, register: X });
  });
});

/** What a run on x finds in the log. */
function found(bounds: BoundsProgram, log: StateLog, x: bigint): LogWalk["problem"] {
  const walk = new LogWalk(log);
  new Machine(bounds.program).run({ packet: packetOf(x, 0n) }, (pc, view) => walk.observe(pc, view));
  return walk.problem;
}

describe("a run outside of the log", () => {
  test("by its number", () => {
    expect(found(ADD, added(TRUE_SUM), 255n)).toBeUndefined();
    expect(found(ADD, added("umax=259"), 254n)).toBeUndefined();
    expect(found(ADD, added("umax=259"), 255n)).toMatchObject({ pc: 7, message: /R7 is 0x104/ });
  });

  test("by its way", () => {
    expect(found(JUMP, jumped(taken(TRUE_REST)), 100n)).toBeUndefined();
    expect(found(JUMP, jumped(""), 99n)).toBeUndefined();
    expect(found(JUMP, jumped(""), 100n)).toMatchObject({ pc: 8, message: /impossible/ });
    expect(found(JUMP, jumped(taken("umin=101")), 100n)).toMatchObject({ pc: 8 });
  });

  test("is not told where the log ends at a state that was explored", () => {
    expect(found(JUMP, jumped("from 6 to 8: safe\n"), 100n)).toBeUndefined();
  });

  test("is told where no part of a split state holds it", () => {
    const split = (second: string): StateLog =>
      parseStateLog(`${START}
6: (07) r7 += 5                       ; R7=scalar(umax=100)
7: (b7) r0 = 2                        ; R0=2
8: (95) exit

from 6 to 6: R6=pkt(r=32) R7=scalar(${second}) R10=fp0
6: R6=pkt(r=32) R7=scalar(${second}) R10=fp0
6: (07) r7 += 5                       ; R7=scalar(umin=100)
7: (b7) r0 = 2                        ; R0=2
8: (95) exit
`);
    expect(found(ADD, split("umin=96,umax=255"), 200n)).toBeUndefined();
    expect(found(ADD, split("umin=96,umax=150"), 90n)).toBeUndefined();
    expect(found(ADD, split("umin=96,umax=150"), 200n)).toMatchObject({ pc: 7 });
  });
});
