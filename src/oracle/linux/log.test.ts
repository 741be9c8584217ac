/** Logs as Linux 5.15 to 6.18 print them; the shapes are those of Documentation/bpf/verifier.rst. */
import { describe, expect, it } from "vitest";
import { parseKernelLog } from "./log.ts";

const END =
  "processed 8 insns (limit 1000000) max_states_per_insn 1 total_states 2 peak_states 3 mark_read 4\n";

describe("the kernel's log", () => {
  it("gives the count, and nothing else, of an accepted program", () => {
    expect(parseKernelLog(END)).toEqual({
      reasons: [],
      steps: [],
      counts: {
        processed: 8,
        limit: 1_000_000,
        maxStatesPerInsn: 1,
        totalStates: 2,
        peakStates: 3,
        markRead: 4,
      },
    });
    expect(parseKernelLog("")).toEqual({ reasons: [], steps: [] });
  });

  it("gives the lines after the last instruction as reasons", () => {
    const log = `func#0 @0
0: R1=ctx() R10=fp0
; int x = p->a; @ prog.c:12
0: (61) r2 = *(u32 *)(r1 +0)          ; R1=ctx() R2_w=pkt(r=0)
; return x; @ prog.c:13
1: (71) r0 = *(u8 *)(r2 +0)
invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)
R2 offset is outside of the packet
${END}`;
    const { reasons, steps, counts } = parseKernelLog(log);
    expect(reasons).toEqual([
      "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)",
      "R2 offset is outside of the packet",
    ]);
    expect(steps).toEqual([
      {
        pc: 0,
        text: "(61) r2 = *(u32 *)(r1 +0)",
        before: "R1=ctx() R10=fp0",
        after: "R1=ctx() R2_w=pkt(r=0)",
      },
      { pc: 1, text: "(71) r0 = *(u8 *)(r2 +0)" },
    ]);
    expect(counts?.processed).toBe(8);
  });

  it("finds a reason behind the instruction whose state was not printed any more", () => {
    const log = `8: (15) if r0 == 0x0 goto pc-7 2: R10=fp0
2: (7a) *(u64 *)(r10 -8) = 0          ; R10=fp0 fp-8=0
8: (15) if r0 == 0x0 goto pc-7 infinite loop detected at insn 2
cur state: R10=fp0
old state: R10=fp0
${END}`;
    expect(parseKernelLog(log).reasons).toEqual(["infinite loop detected at insn 2"]);
  });

  it("does not take states, dumps and remarks for reasons", () => {
    const log = `0: (b7) r0 = 0
infinite loop detected at insn 1
cur state: R0=0 R1=ctx() R10=fp0
old state: R0_r=P0 R1=ctx() R10=fp0
verification time 90 usec
stack depth 0+8
${END}`;
    expect(parseKernelLog(log).reasons).toEqual(["infinite loop detected at insn 1"]);
  });

  it("follows paths and frames", () => {
    const log = `from 3 to 5: R0=0 R2=scalar(umin=6) R10=fp0
5: R0=0 R2=scalar(umin=6) R10=fp0
5: (85) call pc+1
caller:
 R10=fp0
callee:
 frame1: R1=ctx() R10=fp0
7: frame1: R1=ctx() R10=fp0
7: (95) exit
returning from callee:
 frame1: R0=0 R10=fp0
to caller at 6:
 R0=0 R10=fp0

from 7 to 6: R0=0 R10=fp0
6: (95) exit
from 2 to 9: safe
mark_precise: frame0: last_idx 6 first_idx 0 subseq_idx -1 
mark_precise: frame0: regs=r2 stack= before 5: (85) call pc+1
R0 has value 5 should have been in [0, 1]
${END}`;
    const { steps, reasons } = parseKernelLog(log);
    expect(steps).toEqual([
      { pc: 5, text: "(85) call pc+1", before: "R0=0 R2=scalar(umin=6) R10=fp0" },
      { pc: 7, text: "(95) exit", before: "frame1: R1=ctx() R10=fp0" },
      { pc: 6, text: "(95) exit", before: "R0=0 R10=fp0" },
    ]);
    expect(reasons).toEqual(["R0 has value 5 should have been in [0, 1]"]);
  });

  it("takes Linux 7.3's explanation for what it is", () => {
    const explanation = `
Verification failed: Register Type Safety: Unreadable register

Reason:
  R0 has never been initialized on this path.

At:
  insn 0
  Instruction context:
  >>> 0 | (95) exit

Suggestion:
  Initialize R0 on every path before this instruction.

${END}`;
    const problem = "Register Type Safety: Unreadable register";
    const log = `0: R1=ctx() R10=fp0\n0: (95) exit\nR0 !read_ok\n${explanation}`;
    expect(parseKernelLog(log)).toMatchObject({ reasons: ["R0 !read_ok"], problem, counts: {} });
    expect(parseKernelLog(`0: (95) exit\n${explanation}`)).toMatchObject({ reasons: [problem], problem });
  });
});
