/**
 * Dynptrs of kernel functions: made of packets or of other dynptrs, looked at and written through, and slices of their memory.
 *
 * A slice is what lies in the dynptr's memory, or the buffer that the program has passed, into which it was copied. So the buffer must be there as long as
 * the slice may be used, and what is known of its contents must not rest on nobody writing through the slice: if it is on the stack, its slots are shared from
 * then on (state.ts), until a pointer or an object is put there, which ends all slices; and a slice goes with the frame that its buffer is in (lent.ts). The buffer need not be initialised: what is not copied there is
 * not looked at.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import type { KfuncValue } from "../../../semantics/profile/profile.ts";
import { placeId } from "../../references.ts";
import {
  FLAG,
  isPacketPointer,
  KIND,
  kindName,
  kindOf,
  objectOf,
  offOf,
  referenceOf,
  setId,
  setPointer,
  setReference,
  smallConstant,
} from "../../register.ts";
import { takeId } from "../../state.ts";
import { requireUnmoved } from "../access.ts";
import { makeDynptr, usedDynptr } from "../dynptr.ts";
import {
  DYNPTR,
  type Dynptr,
  type DynptrKind,
  isInPacket,
  isPacketBuffer,
  mayGiveBuffer,
} from "../dynptr-slots.ts";
import { type Machine, register, type Target } from "../machine.ts";
import { mayWriteDynptr } from "../packets.ts";
import { reject } from "../rejection.ts";
import { shareBytes } from "../stack.ts";
import { hasKfuncFlag, type KfuncCall } from "./facts.ts";

/** Functions that make a dynptr of the context. */
const FROM_CONTEXT: ReadonlyMap<string, DynptrKind> = new Map([
  ["bpf_dynptr_from_skb", DYNPTR.skb],
  ["bpf_dynptr_from_xdp", DYNPTR.xdp],
  ["bpf_dynptr_from_skb_meta", DYNPTR.skbMeta],
]);

/** Makes a dynptr of a file, which has to be there until the dynptr is given back. */
const FROM_FILE = "bpf_dynptr_from_file";

/** Checks an argument that is a dynptr, and makes it where the function does. */
export function checkDynptr(m: Machine, call: KfuncCall, value: KfuncValue, target: Target): void {
  const { name } = call.facts;
  const kind = kindOf(target.at);
  if (kind !== KIND.stack && kind !== KIND.dynptr) {
    reject("EINVAL", `arg#${target.number - 1} expected pointer to stack or const struct bpf_dynptr`);
  }
  if (kind === KIND.dynptr) requireUnmoved(target, kindName(kind));
  if (hasKfuncFlag(call, "release")) {
    if (kind === KIND.dynptr) reject("EINVAL", "cannot release unowned const bpf_dynptr");
    call.releasedDynptr = usedDynptr(m, target, DYNPTR.file);
    return;
  }
  if (value.name?.endsWith("__uninit") !== true) {
    call.dynptrs.push(usedDynptr(m, target, undefined));
    return;
  }
  const [parent] = call.dynptrs;
  if (parent !== undefined) requireApart(m, target);
  if (name === FROM_FILE) {
    const rests = referenceOf(register(m, 1)) !== 0;
    if (rests && call.reference === 0) throw new Unsupported("dynptrs of files that are lent");
    makeDynptr(m, target, DYNPTR.file, undefined, rests);
    return;
  }
  const made = FROM_CONTEXT.get(name) ?? (name === "bpf_dynptr_clone" ? parent?.kind : undefined);
  if (made === undefined) throw new Unsupported(`dynptrs that kernel function ${name} makes`);
  makeDynptr(m, target, made, parent);
}

/** Whether the packet may have been moved to make room for what was written through a dynptr. */
export const writesPacket = ({ facts, dynptrs }: KfuncCall): boolean =>
  mayWriteDynptr(facts) && dynptrs.some(({ kind }) => isPacketBuffer(kind));

/** A copy over the other half of what it is a copy of would be made of what it has just overwritten: what it is hangs on the order in which a compiler copies. */
function requireApart(m: Machine, { at, number }: Target): void {
  const parent = register(m, 1);
  if (kindOf(parent) !== KIND.stack || kindOf(at) !== KIND.stack || objectOf(parent) !== objectOf(at)) return;
  const distance = Math.abs(
    offOf(parent) + (smallConstant(parent) ?? 0) - offOf(at) - (smallConstant(at) ?? 0),
  );
  if (distance > 0 && distance < 16) {
    reject("EINVAL", `R${number} points into the dynptr that is to be copied there`);
  }
}

const SLICES: ReadonlyMap<string, { readonly readOnly: boolean }> = new Map([
  ["bpf_dynptr_slice", { readOnly: true }],
  ["bpf_dynptr_slice_rdwr", { readOnly: false }],
]);

export const isSlice = ({ facts }: KfuncCall): boolean => SLICES.has(facts.name);

/** What has to hold of the arguments of a function that gives a slice; lends it the buffer. */
export function checkSlice(m: Machine, call: KfuncCall): void {
  const readOnly = SLICES.get(call.facts.name)?.readOnly === true;
  requireLasting(m, call);
  if (!readOnly && m.facts.packet !== "write") {
    reject("EINVAL", "the prog does not allow writes to packet data");
  }
  // Memory of other kinds is in one piece: its slices are never the buffer.
  const [dynptr] = call.dynptrs;
  if (dynptr === undefined || !mayGiveBuffer(dynptr.kind)) return;
  for (const { target, size } of call.filled) {
    if (kindOf(target.at) !== KIND.stack) continue;
    const frame = objectOf(target.at);
    if (frame === 0 && readOnly) continue;
    const slot = shareBytes(m, target, size);
    if (frame === 0 || slot === undefined) continue;
    // The slice would end with the frame and with the dynptr.
    if (dynptr.kind === DYNPTR.file) throw new Unsupported("slices of files in functions");
    call.lent = placeId(frame, slot);
  }
}

/** The buffer is there as long as the slice. */
function requireLasting(m: Machine, { facts }: KfuncCall): void {
  const buffer = register(m, 3);
  const kind = kindOf(buffer);
  if (kind === KIND.scalar || kind === KIND.mapValue || kind === KIND.stack || isPacketPointer(kind)) return;
  throw new Unsupported(`a buffer of this kind for kernel function ${facts.name}`);
}

/** Puts the slice into r0: memory of as many bytes as were asked for, or null. */
export function giveSlice(m: Machine, call: KfuncCall): void {
  const r0 = register(m, 0);
  const [dynptr] = call.dynptrs;
  if (dynptr === undefined || call.constantSize === undefined) throw new Error("a slice without a dynptr");
  const readOnly = SLICES.get(call.facts.name)?.readOnly === true ? FLAG.readOnly : 0;
  setPointer(r0, KIND.memory | FLAG.orNull | readOnly | placeFlag(dynptr), call.constantSize);
  setId(r0, takeId(m.state));
  setReference(r0, call.lent === 0 ? dynptr.life : call.lent);
}

const placeFlag = ({ kind }: Dynptr): number => (isInPacket(kind) ? FLAG.inPacket : 0);
