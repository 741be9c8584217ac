/**
 * What the kernel knows before and after an instruction, from its log, beside what ours makes of the same operands, component by component.
 */
import { reset } from "../../src/absint/arena.ts";
import { KIND, kindOf, setUnknown } from "../../src/absint/register.ts";
import { COMPONENTS, type Component } from "../../src/absint/scalar/components.ts";
import { synchronise } from "../../src/absint/scalar/operators.ts";
import { initialise, registerAt } from "../../src/absint/state.ts";
import { createMachine, STEP } from "../../src/absint/transfer/machine.ts";
import { step } from "../../src/absint/transfer/step.ts";
import type { LogBounds, LogRegister } from "../../src/oracle/linux/register-text.ts";
import type { LogFrame, StateLog, StatePath } from "../../src/oracle/linux/state-log.ts";
import type { BoundsProgram } from "./kernel-programs.ts";
import { contains, meaning, type Plain, read, write } from "./scalars.ts";

/** Components that are compared: the bits as one, and each end of each interval. */
export const COMPARED = [
  "bits",
  "umin",
  "umax",
  "smin",
  "smax",
  "umin32",
  "umax32",
  "smin32",
  "smax32",
] as const;
export type Compared = (typeof COMPARED)[number];

/** Of our component beside the kernel's: `incomparable` are bits of which each knows some that the other does not. */
export type Precision = "equal" | "more" | "less" | "incomparable";

const unsigned = (x: bigint): bigint => BigInt.asUintN(64, x);
const unsigned32 = (x: bigint): bigint => BigInt.asUintN(32, x);

/** What the log says, as the components of a scalar of ours. */
export const plainOf = (b: LogBounds): Plain => ({
  ...b,
  smin: unsigned(b.smin),
  smax: unsigned(b.smax),
  smin32: unsigned32(b.smin32),
  smax32: unsigned32(b.smax32),
});

/** A scalar of ours, as the log would say it. */
export const logBounds = (s: Plain): LogBounds => ({
  ...s,
  smin: meaning(s, "smin"),
  smax: meaning(s, "smax"),
  smin32: meaning(s, "smin32"),
  smax32: meaning(s, "smax32"),
});

function bitsPrecision(ours: Plain, kernel: Plain): Precision {
  const more = (kernel.mask & ~ours.mask) !== 0n;
  const less = (ours.mask & ~kernel.mask) !== 0n;
  if (more && less) return "incomparable";
  return more ? "more" : less ? "less" : "equal";
}

function endPrecision(component: Component, ours: Plain, kernel: Plain): Precision {
  const gain = meaning(ours, component) - meaning(kernel, component);
  const inward = component.includes("min") ? gain : -gain;
  return inward === 0n ? "equal" : inward > 0n ? "more" : "less";
}

export const precisionOf = (component: Compared, ours: Plain, kernel: Plain): Precision =>
  component === "bits" ? bitsPrecision(ours, kernel) : endPrecision(component, ours, kernel);

/** A register after the instruction on one of the ways that it goes on. */
export interface Comparison {
  /** `dst` or `src`, and for a jump the edge: `dst, taken`. */
  readonly where: string;
  /** Before the instruction, as the kernel knows it; an immediate is not a register. */
  readonly dst: Plain;
  readonly src: Plain | undefined;
  /** Nothing if ours holds that the way is not gone, or the kernel does. */
  readonly ours: Plain | undefined;
  readonly kernel: Plain | undefined;
}

const scalarOf = (register: LogRegister | undefined): LogBounds | undefined =>
  register?.kind === "scalar" ? register.bounds : undefined;

const scalarIn = (frame: LogFrame | undefined, register: number): Plain | undefined => {
  const bounds = scalarOf(frame?.registers.get(register));
  return bounds === undefined ? undefined : plainOf(bounds);
};

const LEAST = ["umin", "smin", "umin32", "smin32"] as const;
const GREATEST = ["umax", "smax", "umax32", "smax32"] as const;

/** The least that holds both, component by component. */
function joined(a: Plain | undefined, b: Plain): Plain {
  if (a === undefined) return b;
  const mask = a.mask | b.mask | (a.value ^ b.value);
  const result: Record<Component, bigint> = { ...a, mask, value: a.value & ~mask };
  for (const c of LEAST) if (meaning(b, c) < meaning(a, c)) result[c] = b[c];
  for (const c of GREATEST) if (meaning(b, c) > meaning(a, c)) result[c] = b[c];
  return result;
}

/** The step at `pc` of the path that the program was made for, with the path and its position. */
export function stepAt(
  log: StateLog,
  pc: number,
): { readonly path: StatePath; readonly index: number } | undefined {
  for (const path of log.paths) {
    const index = path.steps.findIndex((each) => each.pc === pc);
    if (index >= 0) return { path, index };
  }
  return undefined;
}

/** Our registers after an edge; nothing if it is not taken. */
type Side = ((register: number) => Plain) | undefined;

interface Sides {
  readonly next: Side;
  readonly taken: Side;
}

/** Executes the instruction on what the kernel knows before it. */
function ourSides({ program, pc, target }: BoundsProgram, before: LogFrame): Sides {
  reset();
  const m = createMachine(program);
  initialise(m.state);
  for (const [register, held] of before.registers) {
    const bounds = scalarOf(held);
    if (bounds === undefined) continue;
    const at = registerAt(m.state, 0, register);
    setUnknown(at);
    write(at, plainOf(bounds));
    synchronise(at);
  }
  m.pc = pc;
  const outcome = step(m);
  const side =
    (state: number): Exclude<Side, undefined> =>
    (register) => {
      const at = registerAt(state, 0, register);
      if (kindOf(at) !== KIND.scalar) throw new Error(`R${register} is not a number`);
      return read(at);
    };
  if (outcome === STEP.fork) return { next: side(m.state), taken: side(m.forked) };
  return m.pc === target
    ? { next: undefined, taken: side(m.state) }
    : { next: side(m.state), taken: undefined };
}

/** What the kernel knows on either edge, in as many states as it goes on with: none where it does not go. */
function kernelSides(
  { pc, target }: BoundsProgram,
  { log, path, index }: { readonly log: StateLog; readonly path: StatePath; readonly index: number },
): { readonly next: readonly LogFrame[]; readonly taken: readonly LogFrame[] } {
  const after = [path.steps[index]?.after].flatMap((frame) => frame ?? []);
  // Where an operand of `and` or `or` is 0 or -1 the kernel executes the instruction twice, once for each.
  const again = log.paths.filter(({ from, start }) => from === pc && start === pc);
  const next = [...after, ...again.flatMap(({ steps }) => steps[0]?.after ?? [])];
  if (target === undefined) return { next, taken: [] };
  if (path.steps[index + 1]?.pc === target) return { next: [], taken: after };
  const taken = log.paths.filter(({ from, start }) => from === pc && start === target);
  return { next: after, taken: taken.flatMap(({ state }) => state ?? []) };
}

/** The registers that the instruction reads or writes, on each way on; nothing if the kernel never gets to it. */
export function compareOperator(bounds: BoundsProgram, log: StateLog): readonly Comparison[] {
  const { program, pc, target } = bounds;
  const found = stepAt(log, pc);
  const before = found?.path.steps[found.index]?.before;
  const insn = program.insns[pc];
  if (found === undefined || before === undefined || insn === undefined) return [];
  const dst = scalarIn(before, insn.dst);
  if (dst === undefined) throw new Error(`R${insn.dst} is not a number before insn ${pc}`);
  const readsSource = insn.row.fields.src === "any";
  const src = readsSource ? scalarIn(before, insn.src) : undefined;
  const ours = ourSides(bounds, before);
  const kernel = kernelSides(bounds, { log, ...found });
  const registers = new Map([["dst", insn.dst]]);
  if (readsSource && target !== undefined && insn.src !== insn.dst) registers.set("src", insn.src);
  const edges = target === undefined ? (["next"] as const) : (["next", "taken"] as const);
  return edges.flatMap((edge) =>
    [...registers].map(
      ([name, register]): Comparison => ({
        where: target === undefined ? name : `${name}, ${edge === "taken" ? "taken" : "not taken"}`,
        dst,
        src,
        ours: ours[edge]?.(register),
        kernel: kernel[edge]
          .flatMap((frame) => scalarIn(frame, register) ?? [])
          .reduce<Plain | undefined>(joined, undefined),
      }),
    ),
  );
}

/** A number that ours holds and the kernel's does not: then ours is less precise not just in how it is written. */
export function witness(ours: Plain, kernel: Plain): bigint | undefined {
  const high = 0xffffffff00000000n;
  const ends = COMPONENTS.filter((c) => c !== "value" && c !== "mask");
  const near = ends.flatMap((c) => [ours[c], kernel[c], kernel[c] + 1n, kernel[c] - 1n]);
  const candidates = [
    ...near.map((x) => BigInt.asUintN(64, x)),
    ...near.flatMap((x) =>
      [ours.umin, ours.umax, ours.value, ours.value | ours.mask].map((y) => (y & high) | (x & ~high)),
    ),
    ...near.map((x) => ours.value | (x & ours.mask)),
    ours.value | (~kernel.value & ours.mask),
    ours.value | (kernel.value & ours.mask),
    ...Array.from({ length: 64 }, (_, i) => [
      ours.value | (ours.mask & (1n << BigInt(i))),
      (ours.value | ours.mask) & ~(ours.mask & (1n << BigInt(i))),
    ]).flat(),
  ];
  return candidates.find(
    (x) => contains(ours, BigInt.asUintN(64, x)) && !contains(kernel, BigInt.asUintN(64, x)),
  );
}
