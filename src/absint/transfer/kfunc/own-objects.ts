/**
 * Kernel functions that allocate objects of the program's own types, give them back, and take another reference to one that counts its references. The types' ids and
 * what the kernel puts into the arguments called `meta` are no matter of the program.
 */
import { allows } from "../../../semantics/profile/lookup.ts";
import type { OwnStruct } from "../../../semantics/program/own-types.ts";
import { demand } from "../../origins.ts";
import { acquireReference, REFERENCE } from "../../references.ts";
import {
  constantHigh,
  constantLow,
  FLAG,
  hasFlag,
  isConstant,
  isPointer,
  KIND,
  kindOf,
  mayBeNull,
  objectOf,
  referenceOf,
  setId,
  setNone,
  setOff,
  setPointer,
  setReference,
  smallConstant,
} from "../../register.ts";
import { takeId } from "../../state.ts";
import { release } from "../call/helper.ts";
import { type Machine, readable, register, type Target } from "../machine.ts";
import { isOwnObject, leadsToLock, ownStruct } from "../own-object.ts";
import { reject } from "../rejection.ts";
import type { KfuncCall } from "./facts.ts";
import { isTrusted, requirePlace } from "./objects.ts";

/** What a pointer is that owns an object. */
export const OWNED = KIND.btf | FLAG.allocated;

/** Bytes that each processor can have of one object (BPF_GLOBAL_PERCPU_MA_MAX_SIZE). */
const MAX_PER_CPU = 512;

type Rule = (m: Machine, call: KfuncCall) => void;

/** Each function by its name, without `_impl`. */
const FUNCTIONS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["bpf_obj_new", (m) => newObject(m, false)],
  ["bpf_percpu_obj_new", (m) => newObject(m, true)],
  ["bpf_obj_drop", (m, call) => dropObject(m, call, false)],
  ["bpf_percpu_obj_drop", (m, call) => dropObject(m, call, true)],
  ["bpf_refcount_acquire", acquireObject],
]);

/** What the function of that name does, if it is one of these. */
export const ownObjectFunction = (name: string): Rule | undefined =>
  FUNCTIONS.get(name.replace(/_impl$/, ""));

const WITHOUT_TYPES = "bpf_obj_new/bpf_percpu_obj_new requires prog BTF";

function newObject(m: Machine, perCpu: boolean): void {
  const id = typeArgument(m);
  if (m.program.btf === undefined) {
    reject("EINVAL", WITHOUT_TYPES);
  }
  if (m.program.ownTypes?.(id) === undefined) {
    reject("EINVAL", "bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct");
  }
  if (perCpu) requirePerCpu(m, id);
  const struct = ownStruct(m, id);
  requireTypesTaken(m, struct);
  clearArguments(m);
  giveOwned(m, FLAG.orNull | (perCpu ? FLAG.perCpu : 0), struct.id, 0);
}

/** Kernels that do not allow types of which objects make chains have none of the program's types. */
function requireTypesTaken(m: Machine, struct: OwnStruct): void {
  if (allows(m.profile, "own_chains")) return;
  const makesChains = ({ id, owns }: OwnStruct): boolean => owns.has(id);
  if (makesChains(struct) || [...struct.owns].some((id) => makesChains(ownStruct(m, id)))) {
    reject("EINVAL", WITHOUT_TYPES);
  }
}

/** The type's id: a constant. */
function typeArgument(m: Machine): number {
  const at = register(m, 1);
  if (kindOf(at) !== KIND.scalar) reject("EINVAL", "R1 is not a scalar");
  demand(m.marks, at);
  if (!isConstant(at)) reject("EINVAL", "R1 must be a known constant");
  if (constantHigh(at) !== 0) reject("EINVAL", "local type ID argument must be in range [0, U32_MAX]");
  return constantLow(at) >>> 0;
}

function requirePerCpu(m: Machine, id: number): void {
  const struct = m.program.ownTypes?.(id);
  if (struct === undefined) throw new Error("the type has been looked up");
  if (struct.size > MAX_PER_CPU) {
    reject("EINVAL", `bpf_percpu_obj_new type size (${struct.size}) is greater than ${MAX_PER_CPU}`);
  }
  const scalars = struct.numbers ? undefined : "be of a struct of scalars";
  const what = struct.fields.length > 0 && scalars === undefined ? "not contain special fields" : scalars;
  if (what !== undefined) reject("EINVAL", `bpf_percpu_obj_new type ID argument must ${what}`);
}

/**
 * Puts a pointer into r0 that the program owns, `off` bytes into an object of the structure.
 *
 * @param flags  besides those of every such pointer
 */
export function giveOwned(m: Machine, flags: number, struct: number, off: number): void {
  // Linux takes one for null, and another one for the reference.
  if (mayBeNull(flags)) takeId(m.state);
  const id = takeId(m.state);
  acquireReference(m.state, id, REFERENCE.object, m.pc);
  const r0 = register(m, 0);
  setPointer(r0, KIND.btf | FLAG.allocated | flags, struct);
  setOff(r0, off);
  if (mayBeNull(flags) || leadsToLock(m, r0)) setId(r0, id);
  setReference(r0, id);
}

/** Registers that no call leaves as they were. */
export function clearArguments(m: Machine): void {
  for (let r = 1; r <= 5; r += 1) setNone(register(m, r));
}

function dropObject(m: Machine, { facts }: KfuncCall, perCpu: boolean): void {
  const at = register(m, 1);
  const target: Target = { number: 1, at, off: 0 };
  const kind = kindOf(at);
  requireNotNull(m, target);
  if (!isPointer(kind) || !isTrusted(at)) reject("EINVAL", "R1 must be referenced or trusted");
  if (isOwnObject(kind)) requirePlace(target, true);
  const isPerCpu = kind === (OWNED | FLAG.perCpu);
  if (kind !== OWNED && !isPerCpu) reject("EINVAL", "arg#0 expected pointer to allocated object");
  if (isPerCpu !== perCpu) {
    reject("EINVAL", `arg#0 expected for bpf_${isPerCpu ? "percpu_" : ""}obj_drop${implOf(facts.name)}()`);
  }
  if (referenceOf(at) === 0) reject("EINVAL", "allocated object must be referenced");
  release(m, referenceOf(at));
  clearArguments(m);
  setNone(register(m, 0));
}

const implOf = (name: string): string => (name.endsWith("_impl") ? "_impl" : "");

/** Functions that rely on their arguments get no pointer that may be null. */
function requireNotNull(m: Machine, { at, number }: Target): void {
  const isNull = kindOf(at) === KIND.scalar && isConstant(at) && smallConstant(at) === 0;
  if (isNull) demand(m.marks, at);
  if (isNull || mayBeNull(kindOf(at))) {
    reject("EACCES", `Possibly NULL pointer passed to trusted arg${number - 1}`);
  }
}

/** An object that counts its references. Whoever does not own it may come too late: then the result is null. */
function acquireObject(m: Machine): void {
  const at = readable(m, 1);
  const target: Target = { number: 1, at, off: 0 };
  const kind = kindOf(at);
  requireNotNull(m, target);
  if (!isOwnObject(kind) || hasFlag(kind, FLAG.untrusted | FLAG.perCpu)) {
    reject("EINVAL", "arg#0 is neither owning or non-owning ref");
  }
  const struct = ownStruct(m, objectOf(at));
  if (!struct.fields.some((field) => field.kind === "refcount")) {
    reject("EINVAL", "arg#0 doesn't point to a type with bpf_refcount field");
  }
  // The kernel takes a pointer to anywhere in the object, and adds 1 to what lies as far behind it as the count behind the object's start.
  requirePlace(target, true);
  const owned = referenceOf(at) !== 0;
  clearArguments(m);
  giveOwned(m, owned ? 0 : FLAG.orNull, struct.id, 0);
}
