/**
 * Objects that programs allocate, of structures of their own BTF: `object` of such a pointer is the structure's id there. What the program keeps in them
 * is plain memory, by its type; what the kernel keeps in them (locks, links of lists and trees, counts of references, pointers to other objects) is
 * reached by helpers and kernel functions alone.
 *
 * γ: a pointer with a reference leads to an object that the program owns, alone or with others. One that is *non-owning* leads to an object that is, or was, in
 * a list or tree whose lock the program holds; one under RCU to one that a map's value owned when it was loaded. The memory of neither is used for anything else
 * before all RCU sections have ended, and a program that holds a lock is in one.
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
 * @throws Unsupported  if the kernel keeps something in it that is not modelled
 */
export function ownStruct(m: Machine, id: number): OwnStruct {
  const struct = m.program.ownTypes?.(id);
  if (struct === undefined) throw new Unsupported("objects of types that the program's BTF lacks");
  // To free one would be to free the next, with a stack that ends somewhere.
  if (struct.ownsItself) throw new Unsupported("objects that own others of their own type");
  return struct;
}

/** Fields that are locks, by `MapField.kind`. */
export const LOCK_FIELDS: ReadonlySet<string> = new Set(["spin_lock", "res_spin_lock"]);

/** Whether a pointer leads to an object with a lock: then its id tells which. */
export const leadsToLock = (m: Machine, at: number): boolean =>
  isOwnObject(kindOf(at)) && ownStruct(m, objectOf(at)).fields.some(({ kind }) => LOCK_FIELDS.has(kind));

/** Loads through a pointer to an object of the program's own that is not null. What is loaded is a number, even if it was stored as a pointer. */
export function loadOwnObject(m: Machine, target: Target, size: Size, destination: number): void {
  requirePlain(m, target, size);
  setUnknown(destination);
  unknownScalarAt(destination, size * 8);
}

/** Checks a load or store of `size` bytes: inside the object, within one member, and nothing that the kernel keeps there. */
export function requirePlain(m: Machine, target: Target, size: number): void {
  const { at } = target;
  const kind = kindOf(at);
  if (mayBeNull(kind)) throw new Error("the pointer has been compared with null");
  if (hasFlag(kind, FLAG.untrusted)) throw new Unsupported("objects of the program's own that may be gone");
  const struct = ownStruct(m, objectOf(at));
  const start = requirePlace(target, struct.name);
  for (const { kind: what, offset } of struct.fields) {
    const { size: bytes, name } = OBJECT_FIELDS.get(what) ?? { size: struct.size, name: what };
    if (start < offset + bytes && offset < start + size) {
      reject("EACCES", `direct access to ${name} is disallowed`);
    }
  }
  const flaw = struct.flawAt(start, size);
  if (flaw !== undefined) reject(flaw.errno, flaw.message);
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
