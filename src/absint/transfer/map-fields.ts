/**
 * What the kernel keeps in a map's value beside the program's own bytes: locks, timers, pointers to objects. Programs reach these only
 * through the helpers made for them.
 */
import { MAP_FIELDS, type MapDefinition, type MapField } from "../../semantics/program/map-types.ts";
import { isInLess } from "../callbacks.ts";
import {
  acquireReference,
  lastReference,
  REFERENCE,
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
import { isOwnObject, leadsToLock, ownStruct } from "./own-object.ts";
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
export const holdsLock = (map: MapDefinition): boolean => fieldOf(map, "spin_lock") !== undefined;

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

/** The pointer is at a work queue. */
export const requireWork = (m: Machine, target: Target): void => requireField(m, target, "workqueue");

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
  if (lastReference(m.state, REFERENCE.lock) >= 0) {
    reject("EINVAL", "Locking two bpf_spin_locks are not allowed");
  }
  acquireReference(m.state, lockOf(target.at), REFERENCE.lock, m.pc);
}

export function releaseLock(m: Machine, target: Target): void {
  requireNotInLess(m);
  requireField(m, target, "spin_lock");
  const held = lastReference(m.state, REFERENCE.lock);
  if (held < 0) reject("EINVAL", "bpf_spin_unlock without taking a lock");
  if (referenceId(m.state, held) !== lockOf(target.at)) {
    reject("EINVAL", "bpf_spin_unlock of different lock");
  }
  releaseLockReference(m.state, lockOf(target.at));
  // What is in lists and trees is anybody's from now on.
  endPointers(m, (at) => hasFlag(kindOf(at), FLAG.nonOwning));
}

/** Whether the program holds a lock. */
export const holdsAnyLock = (m: Machine): boolean => lastReference(m.state, REFERENCE.lock) >= 0;
