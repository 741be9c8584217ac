/** The states of logs that Linux 6.18 printed, and of some that it prints now. */
import { describe, expect, it } from "vitest";
import { InputError } from "../../semantics/errors.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import { encode } from "../../semantics/isa/codec.ts";
import { kernelAvailable } from "./kernel.ts";
import { loadRaw } from "./load.ts";
import { type LogBounds, type LogRegister, NO_BOUNDS } from "./register-text.ts";
import { type LogFrame, parseStateLog } from "./state-log.ts";

const boundsOf = (register: LogRegister | undefined): LogBounds | undefined => register?.bounds;
const bounds = (frame: LogFrame | undefined, register: number): LogBounds | undefined =>
  boundsOf(frame?.registers.get(register));
const held = (frame: LogFrame | undefined): number[] =>
  [...(frame?.registers.keys() ?? [])].sort((a, b) => a - b);

describe("states of a log", () => {
  it("adds up what is printed along a path", () => {
    const { paths } = parseStateLog(`func#0 @0
Live regs before insn:
      0: .1........ (61) r2 = *(u32 *)(r1 +16)
0: R1=ctx() R10=fp0
0: (61) r2 = *(u32 *)(r1 +16)         ; R1=ctx() R2=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))
1: (57) r2 &= 7                       ; R2=scalar(smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))
2: (7b) *(u64 *)(r10 -8) = r2         ; R2=scalar(id=1,smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7)) R10=fp0 fp-8=scalar(id=1,smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))
3: (b7) r0 = 0                        ; R0=0
4: (95) exit
processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
`);
    expect(paths).toHaveLength(1);
    const { start, from, covered, state, steps } = paths[0]!;
    expect({ start, from, covered }).toEqual({ start: 0, from: undefined, covered: false });
    expect(held(state)).toEqual([1, 10]);
    expect(steps.map(({ pc, text }) => `${pc} ${text}`)).toEqual([
      "0 (61) r2 = *(u32 *)(r1 +16)",
      "1 (57) r2 &= 7",
      "2 (7b) *(u64 *)(r10 -8) = r2",
      "3 (b7) r0 = 0",
      "4 (95) exit",
    ]);
    expect(bounds(steps[1]!.before, 2)).toEqual({
      ...NO_BOUNDS,
      smin: 0n,
      smax: 2n ** 32n - 1n,
      umax: 2n ** 32n - 1n,
      mask: 2n ** 32n - 1n,
    });
    expect(bounds(steps[1]!.after, 2)).toMatchObject({ umax: 7n, mask: 7n });
    expect(held(steps[3]!.after)).toEqual([0, 1, 2, 10]);
    expect(boundsOf(steps[3]!.after?.slots.get(-8)?.spilled)).toMatchObject({ umax: 7n });
    expect(steps[4]!.after).toBeUndefined();
  });

  it("begins anew where a path does, and knows which was covered", () => {
    const { paths } = parseStateLog(`0: R1=ctx() R10=fp0
0: (61) r2 = *(u32 *)(r1 +16)         ; R1=ctx() R2=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))
1: (25) if r2 > 0x7 goto pc+1         ; R2=scalar(smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))
2: (b7) r3 = 1                        ; R3=1
3: (b7) r0 = 0                        ; R0=0
4: (95) exit

from 1 to 3: R1=ctx() R2=scalar(smin=umin=umin32=8,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff)) R10=fp0
3: R1=ctx() R2=scalar(smin=umin=umin32=8,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff)) R10=fp0
3: (b7) r0 = 0                        ; R0=0
4: (95) exit
from 9 to 4: safe
from 8 to 7: R10=fp0
7: (05) goto pc+1
9: safe
`);
    expect(paths.map(({ from, start, covered }) => [from, start, covered])).toEqual([
      [undefined, 0, false],
      [1, 3, false],
      [9, 4, true],
      [8, 7, true],
    ]);
    expect(bounds(paths[0]!.steps[1]!.after, 2)?.umax).toBe(7n);
    expect(bounds(paths[1]!.state, 2)?.umin).toBe(8n);
    expect(held(paths[1]!.steps[0]!.before)).toEqual([1, 2, 10]);
  });

  it("takes a state that remarks separate from its instruction for what comes after it", () => {
    const { paths } = parseStateLog(`4: R4=scalar(umax=7) R6=pkt(r=16) R10=fp0
4: (0f) r6 += r4
mark_precise: frame0: last_idx 4 first_idx 0 subseq_idx -1 
mark_precise: frame0: parent state regs=r1 stack=:  R1=Pscalar(smin=-5) R10=fp0
5: R4=scalar(umax=7) R6=pkt(id=3,r=0,umax=7)
5: (95) exit
`);
    expect(paths[0]!.steps[0]!.after?.registers.get(6)).toMatchObject({ id: 3, range: 0 });
    expect(held(paths[0]!.steps[1]!.before)).toEqual([4, 6, 10]);
  });

  it("forgets what a helper's call does", () => {
    const { paths } = parseStateLog(`3: R1=5 R6=scalar() R7=pkt(r=8) R8=ctx() R10=fp0 fp-8=pkt(r=8)
3: (85) call bpf_get_prandom_u32#7    ; R0=scalar()
4: (95) exit
`);
    expect(held(paths[0]!.steps[0]!.after)).toEqual([0, 6, 8, 10]);
    expect(paths[0]!.steps[0]!.after?.slots.size).toBe(0);
  });

  it("follows calls of functions", () => {
    const { paths } = parseStateLog(`30: R1=7 R6=pkt(r=16) R10=fp0
30: (85) call pc+2
caller:
 R6=pkt(r=16) R10=fp0
callee:
 frame1: R1=7 R10=fp0
33: frame1: R1=7 R10=fp0
33: (b7) r0 = 7                       ; frame1: R0=7
34: (95) exit
returning from callee:
 frame1: R0=7 R1=7 R10=fp0
to caller at 31:
 R0=7 R6=pkt(r=16) R10=fp0

from 34 to 31: R0=7 R6=pkt(r=16) R10=fp0
31: (b7) r0 = 0                       ; R0=0
32: (95) exit
`);
    const [before, after] = paths;
    expect(before!.steps.map(({ before, after }) => [before?.frame, after?.frame])).toEqual([
      [0, 1],
      [1, 1],
      [1, 0],
    ]);
    expect(held(before!.steps[2]!.after)).toEqual([0, 6, 10]);
    expect(held(after!.state)).toEqual([0, 6, 10]);
  });

  it("names the line of a state that it cannot read", () => {
    expect(() => parseStateLog("0: R1=ctx() R10=fp0\n0: (b7) r0 = 0    ; R0=scalar(umax=x)\n")).toThrow(
      new InputError('line 2: "x" is not a number'),
    );
    expect(() => parseStateLog("from 1 to 2: R1=ctx() nonsense")).toThrow(InputError);
  });
});

const kernel = kernelAvailable();

/** Programs whose states hold all that the reader knows: packet pointers, spilled numbers of each size, looked-up values, frames. */
const LIVE = [
  `r6 = *(u32 *)(r1 +0)
   r7 = *(u32 *)(r1 +4)
   r2 = r6
   r2 += 16
   if r2 > r7 goto out
   r3 = *(u8 *)(r6 +0)
   *(u64 *)(r10 -8) = r3
   *(u32 *)(r10 -16) = r3
   *(u16 *)(r10 -24) = r3
   *(u8 *)(r10 -32) = r3
   *(u8 *)(r10 -39) = 0
   *(u64 *)(r10 -48) = r6
   r4 = r3
   r4 += 5
   r4 *= -70000
   r5 = r6
   r5 += r3
   if r3 s< r4 goto out
   r0 = 2
   exit
   out:
   r0 = 1
   exit`,
  `r2 = r10
   r2 += -8
   r1 = 5
   *(u64 *)(r10 -8) = r1
   call f
   exit
   f:
   r0 = *(u64 *)(r2 +0)
   r0 += r1
   exit`,
];

describe.skipIf(!kernel.ok)(
  `states of the running kernel${kernel.ok ? "" : ` (skipped: ${kernel.reason})`}`,
  () => {
    it.each(LIVE.map((asm, i) => [i, asm] as const))("reads every state of program %i", (_, asm) => {
      const result = loadRaw({ type: "xdp", insns: encode(assemble(asm)) }, { logLevel: 2 });
      if (result.verdict === "accept") result.close();
      expect(result.verdict).toBe("accept");
      const { paths } = parseStateLog(result.log);
      // Every instruction line of the log is a step, and every step but a path's last has a state after it.
      const lines = result.log.split("\n").filter((line) => /^\d+: \(/.test(line));
      expect(paths.flatMap(({ steps }) => steps)).toHaveLength(lines.length);
      for (const { steps } of paths) {
        for (const step of steps) expect(step.before, step.text).toBeDefined();
        for (const step of steps.slice(0, -1)) expect(step.after, step.text).toBeDefined();
      }
    });
  },
);
