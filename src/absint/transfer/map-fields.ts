/**
 * What the kernel keeps in a map's value beside the program's own bytes: locks, timers, pointers to objects. Programs reach these only
 * through the helpers made for them.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { MAP_FIELDS, type MapDefinition, type MapField } from "../../semantics/program/map-types.ts";
import { isInLess } from "../callbacks.ts";
import {
  acquireReference,
  holdsLockReference,
  isLock,
  lastLock,
  REFERENCE,
  type ReferenceKind,
  referenceId,
  releaseLockReference,
} from "../references.ts";
import {
  FLAG,
  hasFlag,
  idOf,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  smallConstant,
  smaxOf,
  sminOf,
} from "../register.ts";
import { type Machine, mapAt, type Target } from "./machine.ts";
import { isOwnObject, LOCK_FIELDS, leadsToLock, ownStruct } from "./own-object.ts";
import { endPointers } from "./privileges.ts";
import { reject } from "./rejection.ts";
import { tnumText } from "./text.ts";

/**
 * Rejects an access of `size` bytes that may touch a field, at the least to the greatest place of the pointer. Loads and stores of pointers to objects
 * are checked elsewhere (kptr.ts).
 */
export function requireNoField(map: MapDefinition, { at, off }: Target, size: number): void {
  if (map.fields === undefined) return;
  const base = offOf(at) + off;
  for (const { kind, offset } of map.fields) {
    const { size: bytes, name } = MAP_FIELDS.get(kind) ?? { size: Number.MAX_SAFE_INTEGER, name: kind };
    if (base + sminOf(at) < offset + bytes && base + smaxOf(at) + size > offset) {
      const how = name === "kptr" ? "indirectly by helper" : "directly by load/store";
      reject("EACCES", `${name} cannot be accessed ${how}`);
    }
  }
}

const fieldOf = ({ fields }: Pick<MapDefinition, "fields">, kind: string): MapField | undefined =>
  fields?.find((field) => field.kind === kind);

/** Whether values of the map hold a lock: then pointers to them tell which element they point to. */
export const holdsLock = ({ fields = [] }: Pick<MapDefinition, "fields">): boolean =>
  fields.some(({ kind }) => LOCK_FIELDS.has(kind));

/** Whether a pointer leads to a map's value or an object with a lock: then its id tells which. */
export const isToLock = (m: Machine, at: number): boolean =>
  kindOf(at) === KIND.mapValue ? holdsLock(mapAt(m, objectOf(at))) : leadsToLock(m, at);

/** The pointer is at the field of that kind in its map's value, or in its object. */
function requireField(m: Machine, { number, at }: Target, kind: string): void {
  const isOwn = isOwnObject(kindOf(at));
  const holder = isOwn ? ownStruct(m, objectOf(at)) : mapAt(m, objectOf(at));
  const name = isOwn ? "local 'kptr'" : `map '${holder.name}'`;
  const what = MAP_FIELDS.get(kind)?.name ?? kind;
  const constant = smallConstant(at);
  if (constant === undefined && isOwn) {
    reject("EACCES", `variable ${kindName(kindOf(at))} access var_off=${tnumText(at)} disallowed`);
  }
  if (constant === undefined) {
    reject("EINVAL", `R${number} doesn't have constant offset. ${what} has to be at the constant offset`);
  }
  if (holder.fields === undefined && !("btfValue" in holder && holder.btfValue !== undefined)) {
    reject("EINVAL", `${name} has to have BTF in order to use ${what}`);
  }
  const field = fieldOf(holder, kind);
  if (field === undefined) reject("EINVAL", `${name} has no valid ${what}`);
  const off = offOf(at) + constant;
  if (off !== field.offset) {
    reject("EINVAL", `off ${off} doesn't point to 'struct ${what}' that is at ${field.offset}`);
  }
}

/** The pointer is at a timer. */
export const requireTimer = (m: Machine, target: Target): void => requireField(m, target, "timer");

/** Whether values of the map hold a timer. */
export const holdsTimer = (map: MapDefinition): boolean => fieldOf(map, "timer") !== undefined;

/** Whether values of the map hold a list or tree of objects. */
export const holdsGraph = (map: MapDefinition): boolean =>
  fieldOf(map, "list_head") !== undefined || fieldOf(map, "rb_root") !== undefined;

/** The pointer is at a work queue. */
export const requireWork = (m: Machine, target: Target): void => requireField(m, target, "workqueue");

/** The pointer is at task work. */
export const requireTaskWork = (m: Machine, target: Target): void => requireField(m, target, "task_work");

/** Whether values of the map hold a work queue. */
export const holdsWork = (map: MapDefinition): boolean => fieldOf(map, "workqueue") !== undefined;

/** A lock is known by the element or object that it is in: the id of the pointer to it, and its map where the element is the only one. */
export const lockOf = (at: number): number => (idOf(at) !== 0 ? idOf(at) : -1 - objectOf(at));

/** What compares the nodes of a tree leaves its lock as it is. */
function requireNotInLess(m: Machine): void {
  if (isInLess(m.state)) reject("EACCES", "can't spin_{lock,unlock} in rbtree cb");
}

export function takeLock(m: Machine, target: Target): void {
  requireNotInLess(m);
  requireField(m, target, "spin_lock");
  if (holdsAnyLock(m)) reject("EINVAL", "Locking two bpf_spin_locks are not allowed");
  acquireReference(m.state, lockOf(target.at), REFERENCE.lock, m.pc);
}

export function releaseLock(m: Machine, target: Target): void {
  requireNotInLess(m);
  requireField(m, target, "spin_lock");
  leaveLock(m, target, REFERENCE.lock);
}

/** How messages call locks. */
const LOCK_NAMES: ReadonlyMap<ReferenceKind, string> = new Map([[REFERENCE.lock, "bpf_spin"]]);

function leaveLock(m: Machine, { at }: Target, kind: ReferenceKind): void {
  const name = LOCK_NAMES.get(kind) ?? "bpf_res_spin";
  const last = lastLock(m.state);
  if (last < 0) reject("EINVAL", `${name}_unlock without taking a lock`);
  const id = lockOf(at);
  if (!holdsLockReference(m.state, id, (found) => found === kind)) {
    reject("EINVAL", `${name}_unlock of different lock`);
  }
  if (referenceId(m.state, last) !== id) reject("EINVAL", `${name}_unlock cannot be out of order`);
  releaseLockReference(m.state, id, kind);
  // What is in lists and trees is anybody's from now on.
  endPointers(m, (each) => hasFlag(kindOf(each), FLAG.nonOwning));
}

/** Kinds of references that resilient locks are. */
type ResilientKind = typeof REFERENCE.resilientLock | typeof REFERENCE.resilientLockIrq;

/** Checks that a resilient lock is where the pointer leads, and that it is not held already. */
export function requireFreeResilientLock(m: Machine, target: Target): void {
  requireResilientLock(m, target);
  const isMeant = (kind: number): boolean => isLock(kind) && kind !== REFERENCE.lock;
  if (holdsLockReference(m.state, lockOf(target.at), isMeant)) {
    reject("EINVAL", "Acquiring the same lock again, AA deadlock detected");
  }
}

function requireResilientLock(m: Machine, target: Target): void {
  if (isInLess(m.state)) throw new Unsupported("resilient spin locks in what compares nodes");
  requireField(m, target, "res_spin_lock");
}

export const takeResilientLock = (m: Machine, { at }: Target, kind: ResilientKind): void =>
  acquireReference(m.state, lockOf(at), kind, m.pc);

export function releaseResilientLock(m: Machine, target: Target, kind: ResilientKind): void {
  requireResilientLock(m, target);
  leaveLock(m, target, kind);
}

/** Whether the program holds a lock of any kind. */
export const holdsAnyLock = (m: Machine): boolean => lastLock(m.state) >= 0;
