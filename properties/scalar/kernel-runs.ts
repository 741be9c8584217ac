/**
 * The kernel's bounds beside the truth: the machine executes, and at each instruction every number in its registers must be inside what the
 * kernel's log says there. The kernel's own run must end as the machine's does, which ties the machine to what the program really did.
 */

import { LogWalk } from "../../src/campaign/kernels/log-walk.ts";
import { CertificateWalk } from "../../src/campaign/walk.ts";
import type { StateLog } from "../../src/oracle/linux/state-log.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import type { Verdict } from "../../src/verifier/verdict.ts";
import { Machine } from "../../src/vm/machine.ts";
import { plainOf, stepAt } from "./kernel-bounds.ts";
import { type BoundsProgram, packetOf, resultsIn, X, Y } from "./kernel-programs.ts";
import type { Plain } from "./scalars.ts";

/** Something that cannot be, with what the numbers were. */
export interface Finding {
  /** Whose mistake it is: a bound of the kernel's or of ours, or a run of the machine that the kernel's contradicts. */
  readonly of: "kernel" | "ours" | "machine";
  readonly pc: number;
  readonly message: string;
  readonly x: bigint;
  readonly y: bigint;
}

/** Numbers to try: those that the program was made around, its constants, and the ends of what is known before the instruction. */
function inputs(
  { x, y, constants, picks, pc }: BoundsProgram,
  log: StateLog,
): readonly (readonly [bigint, bigint])[] {
  const found = stepAt(log, pc);
  const before = found?.path.steps[found.index]?.before;
  const known = [X, Y].map((register) => {
    const held = before?.registers.get(register);
    return held?.kind === "scalar" ? ends(plainOf(held.bounds)) : [];
  });
  const near = constants.flatMap((c) => [c, c + 1n, c - 1n]);
  const pools = [
    [x, x + 1n, x - 1n, ...(known[0] ?? []), ...near],
    [y, y + 1n, y - 1n, ...(known[1] ?? []), ...near],
  ] as const;
  const choose = (pool: readonly bigint[], pick: number): bigint =>
    BigInt.asUintN(64, pool[pick % pool.length] ?? 0n);
  return [[x, y], ...picks.map(([p, q]) => [choose(pools[0], p), choose(pools[1], q)] as const)];
}

const ends = (s: Plain): readonly bigint[] => [
  s.umin,
  s.umax,
  s.smin,
  s.smax,
  s.value,
  s.value | s.mask,
  s.umin32,
  s.umax32,
  s.smin32,
  s.smax32,
];

export interface Runs {
  readonly runs: number;
  /** Numbers in registers that were held against the kernel's bounds. */
  readonly compared: number;
  readonly findings: readonly Finding[];
}

/** @param fd the program as the kernel accepted it. @param verdict ours. */
export function runAll(bounds: BoundsProgram, fd: number, log: StateLog, verdict: Verdict): Runs {
  const machine = new Machine(bounds.program);
  const certificate =
    verdict.verdict === "accept" ? new CertificateWalk(bounds.program, verdict.certificate) : undefined;
  const findings: Finding[] = [];
  let compared = 0;
  const pairs = inputs(bounds, log);
  for (const [x, y] of pairs) {
    const packet = packetOf(x, y);
    const walk = new LogWalk(log);
    certificate?.start();
    const result = machine.run({ packet }, (pc, view) => {
      walk.observe(pc, view);
      certificate?.observe(pc, view);
    });
    compared += walk.compared;
    if (walk.problem !== undefined) findings.push({ of: "kernel", ...walk.problem, x, y });
    const escape = certificate?.escape;
    if (escape !== undefined) findings.push({ of: "ours", pc: escape.insn, message: escape.message, x, y });
    const kernel = testRun(fd, { packet });
    if (!kernel.ran) throw new Error(kernel.message);
    const wanted = `${kernel.retval} ${resultsIn(kernel.packet).join(" ")}`;
    const got =
      result.outcome === "exit" && result.packet !== undefined
        ? `${result.r0} ${resultsIn(result.packet).join(" ")}`
        : "a fault";
    if (got !== wanted) {
      findings.push({
        of: "machine",
        pc: bounds.pc,
        message: `it ends with ${got}, the kernel with ${wanted}`,
        x,
        y,
      });
    }
  }
  return { runs: pairs.length, compared, findings };
}
