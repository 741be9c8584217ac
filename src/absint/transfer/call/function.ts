/** The program's own functions: entering and leaving them, and what must hold where the program ends. */
import { Unsupported } from "../../../semantics/errors.ts";
import { isOfTask, TIMER } from "../../callbacks.ts";
import { demand } from "../../origins.ts";
import { isLock, REFERENCE, type Reference, referenceOfState, shownId } from "../../references.ts";
import {
  component32,
  component64,
  copyRegister,
  isPointer,
  KIND,
  kindName,
  kindOf,
  referenceOf,
  setNone,
  smaxOf,
  sminOf,
} from "../../register.ts";
import { LAYOUT } from "../../scalar/operators.ts";
import {
  callbackOf,
  functionOf,
  MAX_FRAMES,
  popFrame,
  pushFrame,
  referenceCount,
  registerAt,
  returnTo,
  SECTION,
  sectionDepth,
} from "../../state.ts";
import { endLent } from "../lent.ts";
import { currentFrame, type Machine, readable, register, STEP, type Step } from "../machine.ts";
import { requireNoLeakAsResult } from "../privileges.ts";
import { reject } from "../rejection.ts";

/** Enters the function that starts at `start`: its frame gets the arguments, and nothing else is readable in it. */
export function callFunction(m: Machine, start: number): void {
  const caller = currentFrame(m);
  requireDepth(m);
  const callee = pushFrame(m.state, start, m.pc + 1);
  for (let r = 1; r <= 5; r += 1) {
    copyRegister(registerAt(m.state, caller, r), registerAt(m.state, callee, r));
    setNone(registerAt(m.state, caller, r));
  }
  setNone(registerAt(m.state, caller, 0));
  m.pc = start;
}

/** There may be another frame. */
export function requireDepth(m: Machine): void {
  const caller = currentFrame(m);
  if (caller + 1 >= Math.min(m.profile.limits.frames, MAX_FRAMES))
    reject("E2BIG", `the call stack of ${caller + 2} frames is too deep`);
}

/** Leaves the current function, or ends what is proved: the program, a global function, or what a timer calls. */
export function exit(m: Machine): Step {
  const frame = currentFrame(m);
  const isCallback = frame > 0 && callbackOf(m.state, frame) !== 0;
  // A function may give no result: then its caller has none to read.
  const result = frame > 0 || hasNoResult(m) ? register(m, 0) : readable(m, 0);
  if (frame === 0) {
    if (!hasNoResult(m)) requireNoLeakAsResult(m, result);
    const mayGive = m.facts.callback !== undefined && m.facts.returns !== undefined;
    if (mayGive && isPointer(kindOf(result)) && referenceOf(result) !== 0) {
      throw new Unsupported("an object as the result of a callback");
    }
    requireNothingHeld(m, "BPF_EXIT instruction in main prog");
    if (callbackOf(m.state, 0) === TIMER) checkTimerResult(m, result);
    else if (givesResult(m)) checkReturnValue(m, result, "R0");
    else if (!hasNoResult(m)) checkGlobalResult(result);
    return STEP.exit;
  }
  if (kindOf(result) === KIND.stack) reject("EINVAL", "cannot return stack pointer to the caller");
  const pc = returnTo(m.state, frame);
  // What a callback returns is the helper's to know.
  if (isCallback) checkCallbackResult(m, result);
  else copyRegister(result, registerAt(m.state, frame - 1, 0));
  endLent(m);
  popFrame(m.state);
  m.pc = pc;
  return STEP.next;
}

/** Whether what the outermost function returns is the program's result: the main function's, or the exception callback's. */
function givesResult({ state, exceptionCallback }: Machine): boolean {
  const start = functionOf(state, 0);
  return start === 0 || start === exceptionCallback;
}

/**
 * Neither objects nor locks are held, and all sections are left, where the program goes out of sight. Where that is in a function that was called, its
 * callers still have the objects, and what they leave is seen at the program's end; unless those are left with it.
 */
export function requireNothingHeld(m: Machine, where: string, withCallers = false): void {
  const held: Reference[] = [];
  for (let i = 0; i < referenceCount(m.state); i += 1) held.push(referenceOfState(m.state, i));
  if (held.some(({ kind }) => isLock(kind))) {
    reject("EINVAL", `${where} cannot be used inside bpf_spin_lock-ed region`);
  }
  if (held.some(({ kind }) => kind === REFERENCE.interrupts)) {
    reject("EINVAL", `${where} cannot be used inside bpf_local_irq_save-ed region`);
  }
  if (sectionDepth(m.state, SECTION.rcu) > 0) {
    reject("EINVAL", `${where} cannot be used inside bpf_rcu_read_lock-ed region`);
  }
  if (sectionDepth(m.state, SECTION.preemption) > 0) {
    reject("EINVAL", `${where} cannot be used inside bpf_preempt_disable-ed region`);
  }
  if (held.length === 0 || (currentFrame(m) > 0 && !withCallers)) return;
  const lines = held.map(({ id, insn }) => `Unreleased reference id=${shownId(id)} alloc_insn=${insn}`);
  reject("EINVAL", [...lines, `${where} would lead to reference leak`].join("\n"));
}

/** Callers of a global function take its result for any number. */
function checkGlobalResult(result: number): void {
  if (kindOf(result) === KIND.scalar) return;
  const kind = kindName(kindOf(result));
  reject("EINVAL", `At subprogram exit the register R0 is not a scalar value (${kind})`);
}

/** A timer has nothing to ask; of work that a task does the kernel wants some number of 32 bits. */
function checkTimerResult(m: Machine, result: number): void {
  demand(m.marks, result);
  if (kindOf(result) !== KIND.scalar) {
    const kind = kindName(kindOf(result));
    reject("EINVAL", `At async callback return the register R0 is not a known value (${kind})`);
  }
  const [least, greatest] = isOfTask(m.state) ? [-(2 ** 31), 2 ** 31 - 1] : [0, 0];
  if (sminOf(result) >= least && smaxOf(result) <= greatest) return;
  reject(
    "EINVAL",
    `At async callback return the register R0 has ${knownBounds(result)} should have been in [${least}, ${greatest}]`,
  );
}

/** A callback says whether there shall be another run: 0, or 1 for the last. */
function checkCallbackResult(m: Machine, result: number): void {
  if (kindOf(result) !== KIND.scalar) reject("EACCES", "R0 not a scalar value");
  demand(m.marks, result);
  if (sminOf(result) >= 0 && smaxOf(result) <= 1) return;
  reject(
    "EINVAL",
    `At callback return the register R0 has ${knownBounds(result)} should have been in [0, 1]`,
  );
}

/** Whether what ends here is a program, or a global function, whose result nobody looks at. */
function hasNoResult({ facts, state, globals }: Machine): boolean {
  const start = functionOf(state, 0);
  if (start !== 0) return globals.get(start)?.hasResult === false && callbackOf(state, 0) !== TIMER;
  return facts.noResult === true && callbackOf(state, 0) !== TIMER;
}

/** The range of the program's result, where the kernel prescribes one. @param name  of the register that it is in */
export function checkReturnValue(m: Machine, result: number, name: "R0" | "R1"): void {
  const range = m.facts.returns;
  if (range === undefined) return;
  demand(m.marks, result);
  if (kindOf(result) !== KIND.scalar) {
    reject(
      "EINVAL",
      `At program exit the register ${name} is not a known value (${kindName(kindOf(result))})`,
    );
  }
  const [least, greatest] = range;
  const [smin, smax] = m.facts.attach === "lsm_mac" ? bounds32(result) : [sminOf(result), smaxOf(result)];
  if (smin >= least && smax <= greatest) return;
  reject(
    "EINVAL",
    `At program exit the register ${name} has ${knownBounds(result)} should have been in [${least}, ${greatest}]`,
  );
}

/** Hooks of security modules take an int: nobody looks at the upper half, and compilers leave it 0 in negative numbers. */
const bounds32 = (result: number): readonly [number, number] => [
  component32(result, LAYOUT.smin32) | 0,
  component32(result, LAYOUT.smax32) | 0,
];

/** The bounds of a number that say anything, as the kernel's message about results has them. */
function knownBounds(result: number): string {
  const signed = (offset: number): bigint => BigInt.asIntN(64, component64(result, offset));
  const [smin, smax] = [signed(LAYOUT.smin), signed(LAYOUT.smax)];
  const known = [
    ...(smin > -(2n ** 63n) ? [`smin=${smin}`] : []),
    ...(smax < 2n ** 63n - 1n ? [`smax=${smax}`] : []),
  ];
  return known.length === 0 ? "unknown scalar value" : known.join(" ");
}
