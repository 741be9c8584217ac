/** What is proved by itself: the program, each global function that is called, the exception callback, and each function that is set as the callback of a timer. */

import { TIMER } from "../absint/callbacks.ts";
import { callbackObject, callbackOf } from "../absint/state.ts";
import { beginFunction, globalCallee } from "../absint/transfer/call/global.ts";
import { beginTimerCallback, setsTimer, timerCallback } from "../absint/transfer/call/timer.ts";
import { isThrow } from "../absint/transfer/exceptions.ts";
import type { Machine } from "../absint/transfer/machine.ts";
import type { Slots } from "../semantics/program/program.ts";

/** A function, and for one that timers call the map that has them: both in one number, so that they can be in sets. Less than `TIMERS` for others. */
export type Root = number;

/** More than there are instructions. */
const TIMERS = 2 ** 24;

export const PROGRAM: Root = 0;

/** The first instruction of a root's function. */
export const startOf = (root: Root): number => root % TIMERS;
export const isTimer = (root: Root): boolean => root >= TIMERS;
const timerRoot = (start: number, map: number): Root => start + (map + 1) * TIMERS;

/** The root that a certificate's state claims to be, standing at `pc`. */
export const rootOfState = (state: number, pc: number): Root =>
  callbackOf(state, 0) === TIMER ? timerRoot(pc, callbackObject(state, 0)) : pc;

/** What is to be asked before an instruction is executed: whether frames end there, or a root may be necessary. */
export const ASKED = { nothing: 0, exit: 1, root: 2 } as const;

/** `ASKED` of each instruction, so that one look at a byte tells. */
export function asksOf(insns: Slots): Uint8Array {
  return Uint8Array.from(insns, (insn) => {
    const operation = insn?.row.operation;
    if (operation?.kind === "exit") return ASKED.exit;
    if (insn === undefined || operation?.kind !== "call") return ASKED.nothing;
    return operation.callee === "helper" && !setsTimer(insn) ? ASKED.nothing : ASKED.root;
  });
}

/** The root that the instruction at which the machine stands makes necessary: it calls a global function, throws, or sets a timer's callback. */
export function rootNeeded(m: Machine): Root | undefined {
  const insn = m.program.insns[m.pc];
  if (insn?.row.operation.kind !== "call") return undefined;
  const callee = globalCallee(m, insn, m.pc);
  if (callee !== undefined) return callee.start;
  // What is thrown goes to the exception callback, if the program has one.
  if (isThrow(m)) return m.exceptionCallback;
  const callback = timerCallback(m, insn);
  return callback === undefined ? undefined : timerRoot(callback.start, callback.map);
}

/**
 * Makes the live state the one that a root begins in; says no if there is no such root.
 *
 * @throws Rejection  if a global function has a prototype that cannot be verified
 * @throws Unsupported  for arguments that are not modelled
 */
export function beginRoot(m: Machine, root: Root): boolean {
  if (isTimer(root)) {
    beginTimerCallback(m, { start: startOf(root), map: Math.floor(root / TIMERS) - 1 });
    return true;
  }
  const callee = m.globals.get(root);
  if (callee === undefined) return false;
  beginFunction(m, callee);
  return true;
}

/** The functions that timers call. */
export const timerFunctions = (roots: readonly Root[]): ReadonlySet<number> =>
  new Set(roots.filter(isTimer).map(startOf));
