/**
 * Calls of global functions, and the state in which each begins. The function is proved by itself, for every argument that its prototype allows; so a
 * caller checks that its arguments are such, and goes on with any number in r0.
 *
 * What a function begins with stands for all its calls: a frame of its own, nothing held, in no section. What its callers hold and the sections that
 * they are in stay as they are: it cannot release what it does not know of, and it must have left its own sections when it returns.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import type { Instruction } from "../../../semantics/isa/instruction.ts";
import { isOfTimer, isOfWork, keptAwakeBy } from "../../callbacks.ts";
import { demand } from "../../origins.ts";
import { lastReference, REFERENCE } from "../../references.ts";
import {
  copyRegister,
  FLAG,
  isConstant,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  setId,
  setKind,
  setNone,
  setPointer,
  setUnknown,
  smallConstant,
} from "../../register.ts";
import { clear, pushFrame, registerAt, sectionsOf, takeId } from "../../state.ts";
import { requireUnmoved } from "../access.ts";
import { DYNPTR } from "../dynptr-slots.ts";
import { requireMayEnd } from "../exceptions.ts";
import type { GlobalArgument, GlobalFunction } from "../global-functions.ts";
import { type Machine, readable, register, SCRATCH, type Target } from "../machine.ts";
import { holdsAnyLock } from "../map-fields.ts";
import { isInPacket } from "../packets.ts";
import { forgetPackets } from "../privileges.ts";
import { UNTRUSTED_BYTES } from "../region.ts";
import { Rejection, reject } from "../rejection.ts";
import { maySleep } from "../sections.ts";
import { markWritten } from "../stack.ts";
import { checkDynptr, checkObject } from "./global-objects.ts";
import { checkWhole, MEMORY } from "./memory.ts";

/** The global function that a call instruction at `pc` enters; `undefined` for any other instruction. */
export function globalCallee(
  { globals }: Pick<Machine, "globals">,
  insn: Instruction | undefined,
  pc: number,
): GlobalFunction | undefined {
  const operation = insn?.row.operation;
  if (insn === undefined || operation?.kind !== "call" || operation.callee !== "subprogram") return undefined;
  return globals.get(pc + 1 + insn.imm);
}

/**
 * Makes the live state the one that the function begins in, at its first instruction.
 *
 * @throws Rejection  if its prototype is none that can be verified
 * @throws Unsupported  for arguments that are not modelled
 */
export function beginFunction(m: Machine, callee: GlobalFunction): void {
  const given = argumentsOf(callee);
  if (callee.start === m.exceptionCallback && !callee.hasResult) {
    reject("EINVAL", "exception cb cannot return void");
  }
  if (callee.start === m.exceptionCallback && (given.length !== 1 || given[0]?.kind !== "scalar")) {
    reject("EINVAL", "exception cb only supports single integer argument");
  }
  clear(m.state);
  pushFrame(m.state, callee.start, -1);
  given.forEach((argument, index) => begin(m, registerAt(m.state, 0, index + 1), argument));
  m.pc = callee.start;
}

function begin(m: Machine, at: number, argument: GlobalArgument): void {
  switch (argument.kind) {
    case "scalar":
      return setUnknown(at);
    case "context":
      return setPointer(at, KIND.context, 0);
    case "memory":
      setPointer(at, argument.mayBeNull ? KIND.memory | FLAG.orNull : KIND.memory, argument.size);
      if (argument.mayBeNull) setId(at, takeId(m.state));
      return;
    case "object":
      setPointer(at, KIND.btf | FLAG.trusted | (argument.mayBeNull ? FLAG.orNull : 0), argument.struct);
      if (argument.mayBeNull) setId(at, takeId(m.state));
      return;
    case "untrusted":
      if (argument.struct !== undefined) return setPointer(at, KIND.btf | FLAG.untrusted, argument.struct);
      return setPointer(at, KIND.memory | FLAG.readOnly | FLAG.untrusted, 0);
    case "arena":
      return setUnknown(at);
    case "dynptr":
      return setPointer(at, KIND.dynptr, DYNPTR.any);
  }
}

function argumentsOf({ arguments: given }: GlobalFunction): readonly GlobalArgument[] {
  if (given instanceof Rejection || given instanceof Unsupported) throw given;
  return given;
}

/** Executes a call: the function itself is not followed. */
export function callGlobal(m: Machine, callee: GlobalFunction): void {
  if (callee.start === m.exceptionCallback) {
    reject("EINVAL", `insn ${m.pc} cannot call exception cb directly`);
  }
  if (callee.arguments instanceof Unsupported) throw callee.arguments;
  if (callee.asksCaller && isOfTimer(m.state)) {
    throw new Unsupported(
      `function ${callee.name}, which asks who has called the program, called by a timer`,
    );
  }
  // The function was proved for a program that may not sleep, and relies on that.
  if (isOfWork(m.state) && !m.program.flags.includes("sleepable")) {
    throw new Unsupported(`global function ${callee.name} called by a work queue`);
  }
  if (holdsAnyLock(m)) {
    reject(
      "EINVAL",
      "global function calls are not allowed while holding a lock,\nuse static function instead",
    );
  }
  const inSection = sectionsOf(m.state) !== 0 || lastReference(m.state, REFERENCE.interrupts) >= 0;
  if (callee.sleeps && (inSection || !maySleep(m) || keptAwakeBy(m.state) !== undefined)) {
    reject(
      "EINVAL",
      "global functions that may sleep are not allowed in non-sleepable context,\ni.e., in a RCU/IRQ/preempt-disabled section, or in\na non-sleepable BPF program context",
    );
  }
  try {
    argumentsOf(callee).forEach((argument, index) => checkArgument(m, callee, argument, index));
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    const which = `Caller passes invalid args into func#${callee.number} ('${callee.name}')`;
    reject(error.errno, `${error.message}\n${which}`);
  }
  requireMayEnd(m, callee);
  for (let r = 1; r <= 5; r += 1) setNone(register(m, r));
  if (callee.changesPacket) forgetPackets(m);
  if (callee.hasResult) setUnknown(register(m, 0));
  else setNone(register(m, 0));
  m.pc += 1;
}

function checkArgument(m: Machine, callee: GlobalFunction, argument: GlobalArgument, index: number): void {
  const at = register(m, index + 1);
  const target: Target = { number: index + 1, at, off: 0 };
  switch (argument.kind) {
    case "scalar":
      if (kindOf(at) !== KIND.scalar) reject("EINVAL", `R${index + 1} is not a scalar`);
      return;
    case "context":
      if (kindOf(at) !== KIND.context) reject("EINVAL", `arg#${index} expects pointer to ctx`);
      return requireUnmoved(target, "ctx");
    case "memory":
      return checkMemory(m, callee, argument, target, index);
    case "object":
      return checkObject(m, argument, target);
    case "untrusted":
      readable(m, index + 1);
      return;
    case "arena":
      if (kindOf(at) !== KIND.scalar && kindOf(at) !== KIND.arena) {
        reject("EINVAL", `R${index + 1} is not a pointer to arena or scalar.`);
      }
      return;
    case "dynptr":
      return checkDynptr(m, target);
  }
}

/** Memory that the function may read and write: what is in the stack is any number afterwards. */
function checkMemory(
  m: Machine,
  { changesPacket }: GlobalFunction,
  { size, mayBeNull: takesNull }: Extract<GlobalArgument, { kind: "memory" }>,
  target: Target,
  index: number,
): void {
  const { at, number } = target;
  const kind = kindOf(at);
  if (kind === KIND.scalar && isConstant(at) && smallConstant(at) === 0) {
    demand(m.marks, at);
    if (!takesNull) reject("EINVAL", `arg#${index} is expected to be non-NULL`);
    return;
  }
  if (!takesNull && mayBeNull(kind)) reject("EINVAL", `arg#${index} is expected to be non-NULL`);
  // Of what nobody vouches for, nothing is known to be there.
  const there = kind === UNTRUSTED_BYTES ? KIND.memory : kind;
  if (!MEMORY.includes(there & ~(FLAG.orNull | FLAG.readOnly | FLAG.inPacket))) {
    reject("EINVAL", `R${number} type=${kindName(kind)} expected=fp`);
  }
  if (changesPacket && isInPacket(kind)) {
    reject("EINVAL", `R${number} points into the packet, which the function may change`);
  }
  copyRegister(at, SCRATCH.operand);
  setKind(SCRATCH.operand, there & ~FLAG.orNull);
  const memory: Target = { number, at: SCRATCH.operand, off: 0 };
  try {
    checkWhole(m, memory, size, "read");
    checkWhole(m, memory, size, "write");
  } catch (error) {
    if (error instanceof Rejection) reject("EINVAL", error.message);
    throw error;
  }
  if (kind === KIND.stack) markWritten(m, target, size, true);
}
