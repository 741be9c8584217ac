/** Dynptrs as arguments: made where the program names an unused place on the stack, used, and given back. */
import { says } from "../../semantics/profile/lookup.ts";
import type { Argument } from "../../semantics/profile/profile.ts";
import { acquireReference, REFERENCE } from "../references.ts";
import { KIND, kindOf, objectOf, offOf, smallConstant } from "../register.ts";
import { takeId } from "../state.ts";
import {
  DYNPTR,
  type Dynptr,
  type DynptrKind,
  dynptrIn,
  isOwning,
  isOwningSlot,
  overwriteDynptr,
  putDynptr,
} from "./dynptr-slots.ts";
import type { Machine, Target } from "./machine.ts";
import { reject } from "./rejection.ts";
import { requireRoom } from "./stack.ts";

const BYTES = 16;

/** The kinds of dynptrs by the flags of arguments, and the kernel's names. */
const KINDS = [
  ["dynptr_type_local", DYNPTR.local, "local"],
  ["dynptr_type_ringbuf", DYNPTR.ringbuf, "ringbuf"],
  ["dynptr_type_skb", DYNPTR.skb, "skb"],
  ["dynptr_type_xdp", DYNPTR.xdp, "xdp"],
  ["dynptr_type_skb_meta", DYNPTR.skbMeta, "skb_meta"],
  ["dynptr_type_file", DYNPTR.file, "file"],
] as const;

/** The kind of dynptr that an argument makes or wants; undefined for any. */
export const dynptrKindOf = ({ flags }: Argument): DynptrKind | undefined =>
  KINDS.find(([flag]) => flags?.includes(flag) === true)?.[1];

/** The kernel's name of a kind; it takes one of any kind for a local one. */
export const dynptrName = (kind: number): string => KINDS.find(([, other]) => other === kind)?.[2] ?? "local";

interface Place {
  readonly frame: number;
  readonly slot: number;
}

/** Where on the stack the pointer leads; a text, in the kernel's words, if no dynptr can begin there. */
function placeOf({ at }: Target): Place | string {
  const constant = smallConstant(at);
  if (constant === undefined) return "dynptr has to be at a constant offset";
  const off = offOf(at) + constant;
  if (off % 8 !== 0 || off > -BYTES) return `cannot pass in dynptr at an offset=${off}`;
  return { frame: objectOf(at), slot: -off / 8 - 1 };
}

/**
 * Makes a dynptr where the pointer leads: over another that owns nothing, or over bytes of any kind.
 *
 * @param shared  the one that it is a copy of
 * @param restsOnFile  whether it is of a file that the program holds
 */
export function makeDynptr(
  m: Machine,
  target: Target,
  kind: number,
  shared?: Dynptr,
  restsOnFile = false,
): void {
  if (kindOf(target.at) !== KIND.stack) reject("EINVAL", UNINITIALISED);
  const place = placeOf(target);
  if (typeof place === "string") return reject("EINVAL", `${place}\n${UNINITIALISED}`);
  const { frame, slot } = place;
  for (const off of [0, 8]) {
    requireRoom(m, { ...target, off }, 8);
    overwriteDynptr(m, frame, slot - off / 8);
  }
  putDynptr(m, frame, slot, kind, lifeOf(m, kind, shared, restsOnFile));
}

const UNINITIALISED = "Dynptr has to be an uninitialized dynptr";

/** A new life, unless memory that is owned is shared with another dynptr. */
function lifeOf(m: Machine, kind: number, shared: Dynptr | undefined, restsOnFile: boolean): number {
  if (shared !== undefined && isOwning(kind)) return shared.life;
  const dynptr = takeId(m.state);
  if (!isOwning(kind)) return dynptr;
  if (kind === DYNPTR.file) {
    acquireReference(m.state, dynptr, restsOnFile ? REFERENCE.heldFile : REFERENCE.object, m.pc);
    return dynptr;
  }
  // The kernel numbers both the dynptr and what it owns.
  const life = takeId(m.state);
  acquireReference(m.state, life, REFERENCE.object, m.pc);
  return life;
}

/** The dynptr that an argument names, which must have been made. */
export function usedDynptr(m: Machine, target: Target, wanted: DynptrKind | undefined): Dynptr {
  const { number, at } = target;
  // One that the kernel keeps is its own to give back.
  const found = kindOf(at) === KIND.stack ? onStack(m, target) : { kind: objectOf(at), life: 0 };
  if (found === undefined) return reject("EINVAL", `Expected an initialized dynptr as arg #${number - 1}`);
  if (wanted !== undefined && found.kind !== wanted) {
    reject("EINVAL", `Expected a dynptr of type ${dynptrName(wanted)} as arg #${number - 1}`);
  }
  return found;
}

function onStack(m: Machine, target: Target): Dynptr | undefined {
  const place = placeOf(target);
  if (typeof place === "string") {
    return reject("EINVAL", `${place}\nExpected an initialized dynptr as arg #${target.number - 1}`);
  }
  return dynptrIn(m, place.frame, place.slot);
}

/** An argument that gives the dynptr's memory back: the dynptr must be one of the program's own that owns some. */
export function requireOwned(m: Machine, target: Target): void {
  const { number, at } = target;
  if (kindOf(at) !== KIND.stack) reject("EINVAL", "cannot release unowned const bpf_dynptr");
  const place = placeOf(target);
  if (says(m.profile, "dynptr_releases")) usedDynptr(m, target, DYNPTR.ringbuf);
  const text = typeof place === "string" ? `${place}\n` : "";
  // The kernel looks at the slot alone here: of half a dynptr it says later that it is none.
  if (typeof place === "string" || !isOwningSlot(m, place.frame, place.slot)) {
    reject("EINVAL", `${text}arg ${number} is an unacquired reference`);
  }
}
