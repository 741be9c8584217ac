/**
 * Calls of kernel functions: who may call, the arguments, what the call does to the state, and its result. What is known of a function is its prototype and
 * its flags; those that do more than these tell have rules of their own, or are not supported.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import { isTreeAddition } from "../../../semantics/helpers/callbacks.ts";
import type { Instruction } from "../../../semantics/isa/instruction.ts";
import { kfuncFacts, mayCallKfunc } from "../../../semantics/profile/lookup.ts";
import type { KfuncFacts, KfuncFlag } from "../../../semantics/profile/profile.ts";
import { isGplCompatible } from "../../../semantics/program/license.ts";
import { lastReference, REFERENCE, referenceOfState } from "../../references.ts";
import { KIND, kindOf, referenceOf, setNone } from "../../register.ts";
import { release } from "../call/helper.ts";
import { removeDynptrs } from "../dynptr-slots.ts";
import { THROW, throwException } from "../exceptions.ts";
import { destroyIterator, newIterator, nextElement } from "../iterator.ts";
import { type Machine, register, STEP, type Step } from "../machine.ts";
import { holdsAnyLock } from "../map-fields.ts";
import { movesPacket } from "../packets.ts";
import { forgetPackets } from "../privileges.ts";
import { reject } from "../rejection.ts";
import { isUnderRcu, maySleep, requireKfuncMaySleep, SECTION_FUNCTIONS } from "../sections.ts";
import { markWritten } from "../stack.ts";
import { callArenaFunction, isArenaFunction } from "./arena.ts";
import { checkKfuncArguments } from "./arguments.ts";
import { checkSlice, giveSlice, isSlice, writesPacket } from "./dynptr.ts";
import { hasKfuncFlag, type KfuncCall, newKfuncCall } from "./facts.ts";
import { graphFunction } from "./graph.ts";
import { refuseUnknown } from "./missing.ts";
import { ownObjectFunction } from "./own-objects.ts";
import { callResilientLock, isResilientLockFunction } from "./resilient-locks.ts";
import { giveElement, giveKfuncResult } from "./result.ts";
import { addToTree } from "./tree.ts";

/** Executes a call of a kernel function. */
export function callKernelFunction(m: Machine, insn: Instruction): Step {
  const call = newKfuncCall(lookUp(m, insn));
  const { facts } = call;
  if (holdsAnyLock(m) && !isForLocked(call)) {
    reject("EINVAL", "function calls are not allowed while holding a lock");
  }
  requirePermission(m, call);
  if (isTreeAddition(facts.name)) return addToTree(m, call);
  const own = ownObjectFunction(facts.name) ?? graphFunction(facts.name);
  if (own !== undefined) {
    own(m, call);
    m.pc += 1;
    return STEP.next;
  }
  if (isResilientLockFunction(facts.name)) return callResilientLock(m, call);
  if (isArenaFunction(facts.name)) {
    callArenaFunction(m, call);
    m.pc += 1;
    return STEP.next;
  }
  if (facts.name === TRAP) {
    reject("EFAULT", "unexpected __bpf_trap() due to uninitialized variable?");
  }
  if (OWN_RULES.test(facts.name) || OWN_FLAGS.some((flag) => hasKfuncFlag(call, flag)))
    throw new Unsupported(`kernel function ${facts.name}`);
  checkKfuncArguments(m, call);
  if (facts.name === THROW) return throwException(m);
  if (isSlice(call)) checkSlice(m, call);
  SECTION_FUNCTIONS.get(facts.name)?.(m);
  if (hasKfuncFlag(call, "sleepable")) requireKfuncMaySleep(m, facts.name);
  if (hasKfuncFlag(call, "rcu_protected") && !isUnderRcu(m)) {
    reject("EACCES", `kernel func ${facts.name} requires RCU critical section protection`);
  }
  if (call.iterator !== undefined && hasKfuncFlag(call, "iter_new")) newIterator(m, facts, call.iterator);
  applyEffects(m, call);
  return goOn(m, call);
}

/** Puts the result into r0. Asking an iterator for an element forks. */
function goOn(m: Machine, call: KfuncCall): Step {
  const { facts, iterator } = call;
  let forks = false;
  if (isSlice(call)) giveSlice(m, call);
  else if (iterator === undefined || !hasKfuncFlag(call, "iter_next")) giveKfuncResult(m, call);
  else forks = nextElement(m, iterator, (forked) => giveElement(forked, call));
  if (iterator !== undefined && hasKfuncFlag(call, "iter_destroy")) {
    release(m, destroyIterator(m, facts, iterator));
  }
  m.pc += 1;
  m.forkedPc = m.pc;
  return forks ? STEP.fork : STEP.next;
}

/** Compilers put a call of it where they think that nothing leads. */
const TRAP = "__bpf_trap";

/** Functions that may be called with a lock held, of kernels whose functions do not say so themselves: those on lists and trees have to be. */
const WHILE_LOCKED = /^bpf_(?:iter_num_|list_|rbtree_|refcount_acquire|res_spin_|stream_)/;

const isForLocked = (call: KfuncCall): boolean =>
  (hasKfuncFlag(call, "spinlock_safe") || WHILE_LOCKED.test(call.facts.name)) &&
  !hasKfuncFlag(call, "sleepable");

/**
 * Functions that do more than their prototype and flags say, and that are not modelled: they work on fields of map values, or have the
 * kernel call back.
 */
const OWN_RULES = /^bpf_(?:list|rbtree|arena)_?/;

/** Flags that mean more than is modelled. */
const OWN_FLAGS: readonly KfuncFlag[] = ["kptr_get", "destructive", "arena_ret", "arena_arg1", "arena_arg2"];

/** Functions that ask the device that a program is bound to. Programs here are bound to none. */
const OF_DEVICE = /^bpf_xdp_metadata_rx_/;

function lookUp(m: Machine, insn: Instruction): KfuncFacts {
  const name = m.kfuncs.get(m.pc);
  if (name === undefined || insn.off !== 0) throw new Unsupported(`kernel function ${insn.imm}`);
  return kfuncFacts(m.profile, name) ?? refuseUnknown(m, name);
}

function requirePermission(m: Machine, call: KfuncCall): void {
  const { program, profile, facts } = m;
  const { name } = call.facts;
  if (!isGplCompatible(program.license)) {
    reject("EINVAL", "cannot call kernel function from non-GPL compatible program");
  }
  if (OF_DEVICE.test(name)) reject("EINVAL", "metadata kfuncs require device-bound program");
  if (!mayCallKfunc(profile, facts, call.facts)) {
    reject("EACCES", `calling kernel function ${name} is not allowed`);
  }
  if (hasKfuncFlag(call, "sleepable") && !maySleep(m)) {
    reject("EACCES", `program must be sleepable to call sleepable kfunc ${name}`);
  }
}

/** Dynptrs of files that the program holds go before the files. It is not told which is of which. */
function requireNoDynptrs(m: Machine): void {
  const last = lastReference(m.state, REFERENCE.heldFile);
  if (last < 0) return;
  const { id, insn } = referenceOfState(m.state, last);
  reject("EINVAL", `Leaking reference id=${id} alloc_insn=${insn}. Release it first.`);
}

/** What the call leaves of the state besides its result. */
function applyEffects(m: Machine, call: KfuncCall): void {
  const { facts } = call;
  for (const { target, size } of call.filled) {
    if (kindOf(target.at) === KIND.stack) markWritten(m, target, size, !isSlice(call));
  }
  if (call.released !== undefined) {
    if (facts.name === "bpf_put_file") requireNoDynptrs(m);
    release(m, referenceOf(call.released.at));
  }
  if (call.releasedDynptr !== undefined) {
    removeDynptrs(m, call.releasedDynptr.life);
    release(m, call.releasedDynptr.life);
  }
  for (let r = 1; r <= 5; r += 1) setNone(register(m, r));
  if (movesPacket(call.facts) || writesPacket(call)) forgetPackets(m);
}
