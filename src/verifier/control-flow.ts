/**
 * The control-flow check: what must hold of a program's instructions before any state is looked at, and what the exploration needs to
 * know of the graph. Jumps stay inside their function and never land in the second half of a 16-byte load; every function ends
 * in an exit or a jump; every instruction can be reached.
 */
import { exceptionCallback } from "../absint/transfer/exception-callback.ts";
import { reject } from "../absint/transfer/rejection.ts";
import { instructionsCallingBack } from "../semantics/helpers/callbacks.ts";
import type { Instruction } from "../semantics/isa/instruction.ts";
import type { Program, Slots } from "../semantics/program/program.ts";
import { checkEarlyReturns } from "./early-returns.ts";

/** The kernel's limit for privileged users. */
const MAX_INSNS = 1_000_000;

export interface ControlFlow {
  /** The first instruction of each function, ascending; the first is 0. */
  readonly functions: readonly number[];
  /** Where a state is worth comparing with earlier ones (`POINT`). */
  readonly points: Uint8Array;
  /** For each instruction, the first instruction of its function. */
  readonly functionOf: Int32Array;
  /** The calls of what calls back: each is a loop by itself. */
  readonly callsBack: ReadonlySet<number>;
  /** The first instruction of the exception callback, which nothing in the program calls; undefined if there is none. */
  readonly exceptionCallback: number | undefined;
}

/**
 * What kind of place an instruction is for pruning. Two or more ways lead to a `join`: paths meet there, and every loop has one.
 * At the target of a conditional jump less is live than before, so a state may be covered there that was not earlier.
 */
export const POINT = { none: 0, branch: 1, join: 2 } as const;

/** Where an instruction may go on inside its function; a call goes on behind it. */
export function successors(insns: Slots, pc: number): readonly number[] {
  const insn = insns[pc];
  if (insn === undefined) throw new Error(`no instruction at ${pc}`);
  const { operation } = insn.row;
  switch (operation.kind) {
    case "exit":
      return [];
    case "goto":
      return [jumpTarget(pc, insn) ?? pc];
    case "jump":
    case "may_goto":
      return [pc + 1, pc + 1 + insn.off];
    case "ld_imm64":
      return [pc + 2];
    default:
      return [pc + 1];
  }
}

function jumpTarget(pc: number, insn: Instruction): number | undefined {
  const { operation } = insn.row;
  switch (operation.kind) {
    case "goto":
      return pc + 1 + (operation.wide ? insn.imm : insn.off);
    case "jump":
    case "may_goto":
      return pc + 1 + insn.off;
    default:
      return undefined;
  }
}

/** The function that a call instruction enters, or `undefined` for any other instruction. */
export function callee(pc: number, insn: Instruction): number | undefined {
  const { operation } = insn.row;
  return operation.kind === "call" && operation.callee === "subprogram" ? pc + 1 + insn.imm : undefined;
}

/** The function whose address an instruction loads. */
export function functionLoaded(pc: number, insn: Instruction): number | undefined {
  const { operation } = insn.row;
  return operation.kind === "ld_imm64" && operation.load === "func" ? pc + 1 + insn.imm : undefined;
}

/**
 * Checks a program's control flow.
 *
 * @throws Rejection  with the kernel's message
 */
export function checkControlFlow(program: Program): ControlFlow {
  const { insns } = program;
  const count = insns.length;
  if (count === 0) reject("EINVAL", "empty program");
  if (count > MAX_INSNS) reject("E2BIG", `program of ${count} insns is too large`);
  const callback = exceptionCallback(program);
  const functions = functionStarts(insns, callback);
  const functionOf = new Int32Array(count);
  functions.forEach((start, i) => functionOf.fill(start, start, functions[i + 1] ?? count));
  checkEarlyReturns(program, functionOf);
  functions.forEach((start, i) => checkFunction(insns, start, functions[i + 1] ?? count));
  const callsBack = instructionsCallingBack(program);
  const points = visit(insns, functions, callback, callsBack);
  return { functions, points, functionOf, callsBack, exceptionCallback: callback };
}

function functionStarts(insns: Slots, callback: number | undefined): number[] {
  const starts = new Set([0]);
  const add = (start: number): void => {
    if (start < 0 || start >= insns.length) reject("EINVAL", "call to invalid destination");
    if (insns[start] === undefined) reject("EINVAL", `jump into the middle of ldimm64 insn ${start - 1}`);
    starts.add(start);
  };
  insns.forEach((insn, pc) => {
    if (insn === undefined) return;
    const start = callee(pc, insn) ?? functionLoaded(pc, insn);
    if (start !== undefined) add(start);
  });
  if (callback !== undefined) add(callback);
  return [...starts].sort((a, b) => a - b);
}

function checkFunction(insns: Slots, start: number, end: number): void {
  for (let pc = start; pc < end; pc += 1) {
    const insn = insns[pc];
    if (insn === undefined) continue;
    const target = jumpTarget(pc, insn);
    if (target === undefined) continue;
    if (target < start || target >= end) reject("EINVAL", `jump out of range from insn ${pc} to ${target}`);
    if (insns[target] === undefined) reject("EINVAL", `jump into the middle of ldimm64 insn ${target - 1}`);
  }
  const last = insns[end - 1];
  const kind = last?.row.operation.kind;
  if (kind !== "exit" && kind !== "goto") reject("EINVAL", "last insn is not an exit or jmp");
}

/** Walks all ways from instruction 0, and from the exception callback; gives the kind of each place. */
function visit(
  insns: Slots,
  functions: readonly number[],
  callback: number | undefined,
  callsBack: ReadonlySet<number>,
): Uint8Array {
  const ways = new Uint8Array(insns.length);
  const seen = new Uint8Array(insns.length);
  const pending = [0];
  seen[0] = 1;
  const reach = (pc: number): void => {
    if (seen[pc] === 0) {
      seen[pc] = 1;
      pending.push(pc);
    }
  };
  if (callback !== undefined) reach(callback);
  for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
    const insn = insns[pc];
    const start = insn === undefined ? undefined : callee(pc, insn);
    if (start !== undefined) {
      reach(start);
      // A function returns from each of its exits.
      ways[pc + 1] = 2;
    }
    const loaded = insn === undefined ? undefined : functionLoaded(pc, insn);
    if (loaded !== undefined) reach(loaded);
    // A callback comes back to the call.
    if (callsBack.has(pc)) ways[pc] = 2;
    for (const next of successors(insns, pc)) {
      if ((ways[next] ?? 0) < 2) ways[next] = (ways[next] ?? 0) + 1;
      reach(next);
    }
  }
  insns.forEach((insn, pc) => {
    if (insn !== undefined && seen[pc] === 0) reject("EINVAL", `unreachable insn ${pc}`);
  });
  // The first instruction of a function has the function's start as a way of its own.
  for (const start of functions) if ((ways[start] ?? 0) > 0) ways[start] = 2;
  const points = ways.map((n) => (n >= 2 ? POINT.join : POINT.none));
  insns.forEach((insn, pc) => {
    if (insn?.row.operation.kind !== "jump") return;
    for (const next of successors(insns, pc)) if (points[next] === POINT.none) points[next] = POINT.branch;
  });
  return points;
}
