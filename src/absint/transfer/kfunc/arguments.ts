/** The arguments of kernel functions: which registers each class of parameter takes, and what must hold of them. */
import { Unsupported } from "../../../semantics/errors.ts";
import { says } from "../../../semantics/profile/lookup.ts";
import type { KfuncValue } from "../../../semantics/profile/profile.ts";
import { demand } from "../../origins.ts";
import { holdsReference } from "../../references.ts";
import {
  copyRegister,
  FLAG,
  isConstant,
  isPointer,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  referenceOf,
  setKind,
  smallConstant,
} from "../../register.ts";
import { load, requireUnmoved, store } from "../access.ts";
import { boundedSize, checkWhole } from "../call/memory.ts";
import { constantString } from "../format.ts";
import { saveOrRestore } from "../interrupts.ts";
import { checkIterator } from "../iterator.ts";
import { type Machine, register, SCRATCH, type Target } from "../machine.ts";
import { requireTimer } from "../map-fields.ts";
import { Rejection, reject } from "../rejection.ts";
import { requireFillable } from "../stack.ts";
import { checkDynptr, isSlice } from "./dynptr.ts";
import {
  type ArgumentClass,
  classOf,
  hasKfuncFlag,
  isConstantSize,
  isKnownConstant,
  isNullable,
  isOptional,
  type KfuncCall,
  pointeeText,
  reliesOnArguments,
} from "./facts.ts";
import { checkObject, isObject } from "./objects.ts";
import { checkMapOfWork, checkTaskWork, checkWork, checkWorkFunction, requireMapValue } from "./work.ts";

/** Checks all arguments of a call. */
export function checkKfuncArguments(m: Machine, call: KfuncCall): void {
  const { args } = call.facts;
  for (let index = 0; index < args.length; index += 1) {
    const value = args[index];
    if (value === undefined) throw new Error("a parameter");
    const cls = checkKfuncArgument(m, call, value, index);
    // The size was checked with what it is the size of.
    if (cls === "sized") index += 1;
  }
  if (hasKfuncFlag(call, "release") && call.released === undefined && call.releasedDynptr === undefined) {
    reject("EINVAL", `release kernel function ${call.facts.name} expects refcounted PTR_TO_BTF_ID`);
  }
}

type Check = (m: Machine, call: KfuncCall, value: KfuncValue, target: Target) => void;

const unsupported =
  (what: string): Check =>
  (_m, call) => {
    throw new Unsupported(`${what} of kernel function ${call.facts.name}`);
  };

function checkKfuncArgument(m: Machine, call: KfuncCall, value: KfuncValue, index: number): ArgumentClass {
  const number = index + 1;
  const target: Target = { number, at: register(m, number), off: 0 };
  const named = classOf(call, index, m.context?.struct);
  // Only a number is the size of what stands in front of it.
  const isSized = named === "sized" && kindOf(register(m, number + 1)) === KIND.scalar;
  const cls = named === "sized" && !isSized ? "memory" : named;
  if (cls === "ignored") return cls;
  if (cls !== "scalar") {
    if (value.kind !== "pointer")
      throw new Unsupported(`parameter ${index} of kernel function ${call.facts.name}`);
    if (kindOf(target.at) === KIND.none) {
      requireReleasable(m, call, target);
      rejectUnset(cls, value, target);
    }
    const isNull = isNullConstant(m, target.at);
    requireNotNull(call, value, target, isNull);
    noteReference(m, call, target);
    if (cls !== "dynptr") requireReleasable(m, call, target);
    if (isNull && isNullable(value) && cls !== "sized") return cls;
  }
  const isMemory = cls === "memory" || cls === "sized";
  if (isMemory && kindOf(target.at) === KIND.context) requireUnmoved(target, "ctx");
  // Memory of which an object of the kernel is told as such.
  const actual = isMemory && isObject(kindOf(target.at)) ? "object" : cls;
  CHECKS[actual](m, call, value, target);
  return actual;
}

/** A register that nothing was written to: where an object is wanted, Linux says that it is no memory. */
function rejectUnset(cls: ArgumentClass, value: KfuncValue, target: Target): never {
  if (cls === "memory") requireNumbers(value, target, false);
  return reject("EACCES", `R${target.number} !read_ok`);
}

function isNullConstant(m: Machine, at: number): boolean {
  if (kindOf(at) !== KIND.scalar || !isConstant(at) || smallConstant(at) !== 0) return false;
  demand(m.marks, at);
  return true;
}

/** Functions that rely on their arguments get no pointer that may be null. */
function requireNotNull(call: KfuncCall, value: KfuncValue, { at, number }: Target, isNull: boolean): void {
  const relies = reliesOnArguments(call) || hasKfuncFlag(call, "rcu");
  if (!relies || isNullable(value) || !(isNull || mayBeNull(kindOf(at)))) return;
  reject("EACCES", `Possibly NULL pointer passed to trusted arg${number - 1}`);
}

/** What a release function gives back is the one argument that rests on a reference. */
function noteReference(m: Machine, call: KfuncCall, target: Target): void {
  const { at, number } = target;
  const id = isPointer(kindOf(at)) ? referenceOf(at) : 0;
  // What lies in an iterator is not the program's to give back.
  if (id <= 0 || !holdsReference(m.state, id)) return;
  if (hasKfuncFlag(call, "release")) {
    if (call.reference !== 0) {
      reject("EFAULT", `more than one arg with ref_obj_id R${number} ${id} ${call.reference}`);
    }
    call.released = target;
  }
  call.reference = id;
}

/** Some kernels look at what is given back before they look at what it is. */
function requireReleasable({ profile }: Machine, call: KfuncCall, { number }: Target): void {
  if (!hasKfuncFlag(call, "release") || call.released !== undefined || !says(profile, "release_first"))
    return;
  reject("EINVAL", `release kfunc ${call.facts.name} expects referenced PTR_TO_BTF_ID passed to R${number}`);
}

const CHECKS: { readonly [C in Exclude<ArgumentClass, "ignored">]: Check } = {
  scalar: (m, call, value, target) => {
    const { at, number } = target;
    if (kindOf(at) !== KIND.scalar) reject("EINVAL", `R${number} is not a scalar`);
    const isResultSize = value.name === "rdonly_buf_size" || value.name === "rdwr_buf_size";
    if (!isKnownConstant(value) && !isResultSize) return;
    const constant = requireConstant(m, target, isResultSize ? "is not a const" : "must be a known constant");
    if (!isResultSize) call.constant = constant;
    else call.result = { size: constant, readOnly: value.name === "rdonly_buf_size" };
  },
  context: (_m, _call, _value, target) => {
    const kind = kindOf(target.at);
    if (kind !== KIND.context) {
      reject("EINVAL", `arg#${target.number - 1} expected pointer to ctx, but got ${kindName(kind)}`);
    }
    requireUnmoved(target, "ctx");
  },
  object: checkObject,
  memory: (m, call, value, target) => {
    requireNoMemory(m, value, target);
    requireNumbers(value, target, false);
    if (value.size === undefined) throw new Unsupported(`memory of unknown size for ${call.facts.name}`);
    if (value.to?.startsWith("struct ") === true) call.memoryAsObject = true;
    if (isContext(m, value)) throw new Unsupported(`memory in place of a context for ${call.facts.name}`);
    if (isNullConstant(m, target.at)) return;
    checkMemory(m, call, target, value.size);
  },
  sized: (m, call, value, target) => {
    requireNumbers(value, target, true);
    const sizeNumber = target.number + 1;
    const size: Target = { number: sizeNumber, at: register(m, sizeNumber), off: 0 };
    const sizeValue = call.facts.args[target.number];
    const isNull = isNullConstant(m, target.at);
    if (!(isNull && (isOptional(value) || isNullable(value)))) {
      inPair(target.number, () => {
        const greatest = boundedSize(m, sizeNumber, true);
        if (!(isNull && greatest === 0)) checkMemory(m, call, target, greatest);
      });
    }
    if (sizeValue !== undefined && isConstantSize(sizeValue)) {
      call.constantSize = requireConstant(m, size, "must be a known constant");
    }
  },
  allocated: unsupported("an object of the program's own as argument"),
  refcounted: unsupported("an object of the program's own as argument"),
  dynptr: checkDynptr,
  iterator: (m, call, _value, target) => {
    if (!call.facts.flags.some((flag) => flag.startsWith("iter_"))) {
      throw new Unsupported(`an iterator as argument of kernel function ${call.facts.name}`);
    }
    call.iterator = checkIterator(m, call.facts, target);
  },
  field: unsupported("a field as argument"),
  text: (m, _call, _value, target) => {
    if (kindOf(target.at) !== KIND.mapValue) {
      reject("EINVAL", `arg#${target.number - 1} doesn't point to a const string`);
    }
    constantString(m, target);
  },
  work: checkWork,
  task_work: checkTaskWork,
  timer: (m, _call, _value, target) => {
    requireMapValue(target);
    requireTimer(m, target);
  },
  map: checkMapOfWork,
  interrupts: (m, call, _value, target) => {
    if (!/^bpf_local_irq_(?:save|restore)$/.test(call.facts.name)) {
      throw new Unsupported(`saved interrupt flags as argument of kernel function ${call.facts.name}`);
    }
    saveOrRestore(m, { saves: call.facts.name === "bpf_local_irq_save", ofLock: false }, target);
  },
  callback: checkWorkFunction,
};

/** A refusal of memory or its size is one of the pair. */
function inPair(number: number, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    const pair = `arg#${number - 1} arg#${number} memory, len pair leads to invalid memory access`;
    reject(error.errno, `${error.message}\n${pair}`);
  }
}

function requireConstant(m: Machine, { at, number }: Target, what: string): number {
  demand(m.marks, at);
  const constant = isConstant(at) ? smallConstant(at) : undefined;
  if (constant === undefined || constant < 0) return reject("EINVAL", `R${number} ${what}`);
  return constant;
}

/** Whether programs of some type have a context of the structure: the function takes it for the kernel's own form of that, whatever lies there. */
const isContext = ({ profile }: Machine, { to }: KfuncValue): boolean =>
  Object.values(profile.contexts).some(({ struct }) => to === `struct ${struct}`);

/** Kernels that name registers say what is there where an object of the kernel is wanted. */
function requireNoMemory({ profile }: Machine, value: KfuncValue, { number, at }: Target): void {
  if (value.plain === true || !says(profile, "argument_registers")) return;
  const kind = kindOf(at);
  if (kind !== KIND.scalar && value.to?.startsWith("struct ") !== true) return;
  const orMap = value.to === "struct bpf_map" ? " or map_ptr" : "";
  reject("EINVAL", `R${number} is ${kindName(kind)} expected ${pointeeText(value)}${orMap}`);
}

/** What the program's memory stands for holds numbers alone; any bytes, where the size is told. */
function requireNumbers(value: KfuncValue, { number }: Target, sized: boolean): void {
  if (value.plain === true || (sized && value.to === "void")) return;
  const what = sized ? "void, " : "";
  reject(
    "EINVAL",
    `arg#${number - 1} pointer type ${pointeeText(value)} must point to ${what}scalar, or struct with scalar`,
  );
}

/**
 * `size` bytes that the function may read and write. A function that takes memory takes null as well; and the context of a syscall program, which is bytes that
 * its user handed over.
 */
function checkMemory(m: Machine, call: KfuncCall, target: Target, size: number): void {
  if (kindOf(target.at) === KIND.context && m.program.type === "syscall") {
    return requireContextBytes(m, target, size);
  }
  const fillsFirst = isSlice(call);
  let checked = target;
  if (mayBeNull(kindOf(target.at))) {
    copyRegister(target.at, SCRATCH.left);
    setKind(SCRATCH.left, kindOf(target.at) & ~FLAG.orNull);
    checked = { ...target, at: SCRATCH.left };
  }
  // Programs that must not see addresses get no bytes to read that may be left of one.
  if (fillsFirst && m.rights.leaks && kindOf(checked.at) === KIND.stack) requireFillable(m, checked, size);
  else checkWhole(m, checked, size, "read");
  checkWhole(m, checked, size, "write");
  call.filled.push({ target, size });
}

/** The context's bytes up to the last one of `size`, each of which the program may read and write. */
function requireContextBytes(m: Machine, { number, at }: Target, size: number): void {
  if (size === 0) return;
  const last: Target = { number, at, off: size - 1 };
  load(m, last, 1, false, SCRATCH.left);
  store(m, last, 1, SCRATCH.left);
}
