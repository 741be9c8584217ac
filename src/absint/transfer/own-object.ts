/**
 * Objects that programs allocate, of structures of their own BTF: `object` of such a pointer is the structure's id there. What the program keeps in them
 * is plain memory, by its type; what the kernel keeps in them (locks, links of lists and trees, counts of references, pointers to other objects) is
 * reached by helpers and kernel functions alone.
 *
 * γ: a pointer with a reference leads to an object that the program owns, alone or with others. One that is *non-owning* leads to an object that is, or was, in
 * a list or tree whose lock the program holds; one under RCU to one that a map's value owned when it was loaded. The memory of neither is used for anything else
 * before all RCU sections have ended, and a program that holds a lock is in one. One that nobody vouches for is any number: loads through it are guarded.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Size } from "../../semantics/isa/instruction.ts";
import { OBJECT_FIELDS, type OwnStruct } from "../../semantics/program/own-types.ts";
import {
  baseOf,
  FLAG,
  hasFlag,
  KIND,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  setPointer,
  setUnknown,
  smallConstant,
  sminOf,
} from "../register.ts";
import { unknownScalarAt } from "../scalar/operators.ts";
import type { Machine, Target } from "./machine.ts";
import { reject } from "./rejection.ts";
import { tnumText } from "./text.ts";

/** Whether a pointer of the kind leads to an object of the program's own. */
export const isOwnObject = (kind: number): boolean =>
  baseOf(kind) === KIND.btf && hasFlag(kind, FLAG.allocated);

/**
 * The structure of an object.
 *
 * @throws Unsupported  if there is no such type
 */
export function ownStruct(m: Machine, id: number): OwnStruct {
  const struct = m.program.ownTypes?.(id);
  if (struct === undefined) throw new Unsupported("objects of types that the program's BTF lacks");
  return struct;
}

/**
 * The object that `at` points into, if it is one of the program's own, is to own one of the structure `owned`. The kernel frees what an object owns while it frees the
 * object, on a stack that ends somewhere: so there must be no chains of any length.
 */
export function requireNoChain(m: Machine, at: number, owned: number): void {
  if (!isOwnObject(kindOf(at))) return;
  const holder = ownStruct(m, objectOf(at));
  const struct = ownStruct(m, owned);
  if (struct.id !== holder.id && !struct.owns.has(holder.id)) return;
  reject("EINVAL", `struct ${holder.name} would own others of its type, in chains of any length`);
}

/** Fields that are locks, by `MapField.kind`. */
export const LOCK_FIELDS: ReadonlySet<string> = new Set(["spin_lock", "res_spin_lock"]);

/** Whether a pointer leads to an object with a lock: then its id tells which. */
export const leadsToLock = (m: Machine, at: number): boolean =>
  isOwnObject(kindOf(at)) && ownStruct(m, objectOf(at)).fields.some(({ kind }) => LOCK_FIELDS.has(kind));

/** Loads through a pointer to an object of the program's own that is not null. What is loaded is a number, even if it was stored as a pointer. */
export function loadOwnObject(m: Machine, target: Target, size: Size, destination: number): void {
  if (hasFlag(kindOf(target.at), FLAG.untrusted)) return loadGone(m, target, size, destination);
  requirePlain(m, target, size);
  setUnknown(destination);
  unknownScalarAt(destination, size * 8);
}

/** Loads where an object of the type may have been: the kernel guards the load. What is found there nobody vouches for. */
function loadGone(m: Machine, target: Target, size: Size, destination: number): void {
  const struct = ownStruct(m, objectOf(target.at));
  const field = struct.fieldAt(requirePlace(target, struct.name), size);
  if (field.kind === "none") return reject(field.errno, field.message);
  if (field.value.kind === "scalar") {
    setUnknown(destination);
    unknownScalarAt(destination, size * 8);
    return;
  }
  setPointer(destination, KIND.btf | FLAG.allocated | FLAG.untrusted, field.value.struct);
}

/** Checks a load or store of `size` bytes: inside the object, within one member, and nothing that the kernel keeps there. */
export function requirePlain(m: Machine, target: Target, size: number): void {
  const { at } = target;
  const kind = kindOf(at);
  if (mayBeNull(kind)) throw new Error("the pointer has been compared with null");
  const struct = ownStruct(m, objectOf(at));
  const start = requirePlace(target, struct.name);
  if (hasFlag(kind, FLAG.untrusted)) reject("EACCES", "only read is supported");
  for (const { kind: what, offset } of struct.fields) {
    const { size: bytes, name } = OBJECT_FIELDS.get(what) ?? { size: struct.size, name: what };
    if (start < offset + bytes && offset < start + size) {
      reject("EACCES", `direct access to ${name} is disallowed`);
    }
  }
  const field = struct.fieldAt(start, size);
  if (field.kind === "none") reject(field.errno, field.message);
  // The kernel lets arrays of no fixed length go on behind the object, where something else is.
  if (start + size > struct.size) {
    reject("EACCES", `access beyond struct ${struct.name} at off ${start} size ${size}`);
  }
}

function requirePlace({ number, at, off: added }: Target, name: string): number {
  const pointer = `R${number} is ptr_${name}`;
  const constant = smallConstant(at);
  const off = offOf(at) + added;
  if (constant === undefined) {
    if (sminOf(at) < 0) reject("EACCES", `${pointer} invalid negative access: off=${off}`);
    return reject("EACCES", `${pointer} invalid variable offset: off=${off}, var_off=${tnumText(at)}`);
  }
  const start = off + constant;
  if (start < 0) reject("EACCES", `${pointer} invalid negative access: off=${start}`);
  if (hasFlag(kindOf(at), FLAG.perCpu)) reject("EACCES", `${pointer} access percpu memory: off=${start}`);
  return start;
}
