/**
 * Makes the states of finished checkpoints as general as what was used of them allows: numbers that nothing depended on become unknown,
 * stack slots that nothing read are cleared, links that taught nothing go. The more general a state, the more it covers.
 */

import {
  demand,
  includesMarks,
  type Marks,
  noteSlotRead,
  useLink,
  wasGhostDemanded,
  wasRegisterDemanded,
  wasSlotDemanded,
  wasSlotRead,
  wereCallersDemanded,
} from "../absint/origins.ts";
import { idOf, KIND, kindOf, setUnknown, unlink } from "../absint/register.ts";
import { scalarIncludes, unknownScalarAt } from "../absint/scalar/operators.ts";
import {
  BYTE,
  CARRIED,
  clearSlot,
  depthOf,
  forEachRegister,
  frameCount,
  ghostAt,
  ghostCount,
  isUnused,
  lastId,
  registerAt,
  slotAt,
  slotByte,
  spilledAt,
} from "../absint/state.ts";

/** What the paths from a state are taken to use of it. */
export interface Needs {
  readonly marks: Marks;
  /** Whether they use every link; else those in the marks. */
  readonly everyLink: boolean;
}

/** Whether what was used of a state is all among what it was taken for. */
export function areMet({ marks: needs, everyLink }: Needs, marks: Marks): boolean {
  if (!includesMarks(needs, marks)) return false;
  if (everyLink || marks.links === undefined) return true;
  for (const id of marks.links) if (needs.links?.has(id) !== true) return false;
  return true;
}

const isNumber = (register: number): boolean => kindOf(register) === KIND.scalar;

/** What a finished checkpoint's paths used of its state, its parent's paths used too: by the origins that the state was stored with. */
export function propagate(state: number, marks: Marks, parent: Marks): void {
  const current = frameCount(state) - 1;
  const callers = wereCallersDemanded(marks);
  if (marks.links !== undefined) {
    for (const id of marks.links) if (id <= lastId(state)) useLink(parent, id);
  }
  for (let f = 0; f <= current; f += 1) {
    for (const r of CARRIED) {
      const at = registerAt(state, f, r);
      if (isNumber(at) && (f === current ? wasRegisterDemanded(marks, r) : callers)) demand(parent, at);
    }
    for (let s = 0; s < depthOf(state, f); s += 1) {
      const slot = slotAt(state, f, s);
      if (f === current ? wasSlotRead(marks, s) : marks.callersRead) noteSlotRead(parent, f, s, slot);
      const spilled = spilledAt(slot);
      const demanded = f === current ? wasSlotDemanded(marks, s) : callers;
      if (demanded && slotByte(slot, 0) === BYTE.spill && isNumber(spilled)) demand(parent, spilled);
    }
  }
  for (let g = 0; g < ghostCount(state); g += 1) {
    if (wasGhostDemanded(marks, g)) demand(parent, ghostAt(state, g));
  }
}

/** Forgets, in a stored state, what was not used of it. */
export function generalise(state: number, marks: Marks): void {
  const current = frameCount(state) - 1;
  const callers = wereCallersDemanded(marks);
  for (let f = 0; f <= current; f += 1) {
    for (const r of CARRIED) {
      const at = registerAt(state, f, r);
      if (isNumber(at) && !(f === current ? wasRegisterDemanded(marks, r) : callers)) setUnknown(at);
    }
    for (let s = 0; s < depthOf(state, f); s += 1) {
      const slot = slotAt(state, f, s);
      if (!(f === current ? wasSlotRead(marks, s) : marks.callersRead)) {
        if (!isUnused(slot)) clearSlot(slot);
        continue;
      }
      const spilled = spilledAt(slot);
      const demanded = f === current ? wasSlotDemanded(marks, s) : callers;
      if (!demanded && slotByte(slot, 0) === BYTE.spill && isNumber(spilled)) forgetNumber(slot);
    }
  }
  for (let g = 0; g < ghostCount(state); g += 1) {
    // What it is linked to is what matters of a ghost.
    if (!wasGhostDemanded(marks, g)) unknownScalarAt(ghostAt(state, g));
  }
  forEachRegister(state, (at) => {
    if (isNumber(at) && idOf(at) !== 0 && marks.links?.has(idOf(at)) !== true) unlink(at);
  });
}

/** A spilled number that nothing depended on: any number of as many bytes. */
function forgetNumber(slot: number): void {
  let bytes = 0;
  while (bytes < 8 && slotByte(slot, bytes) === BYTE.spill) bytes += 1;
  setUnknown(spilledAt(slot));
  unknownScalarAt(spilledAt(slot), bytes * 8);
}

/**
 * `outer` covers `inner`, whose paths end here: what `outer` says, its paths may have used. (Of a finished checkpoint conditions.ts knows that.)
 */
export function demandCovered(outer: number, inner: number, marks: Marks, scratch: number): void {
  const current = frameCount(outer) - 1;
  unknownScalarAt(scratch);
  for (let f = 0; f <= current; f += 1) {
    for (const r of CARRIED) {
      demandAs(marks, registerAt(outer, f, r), registerAt(inner, f, r), scratch);
    }
    const depth = Math.min(depthOf(outer, f), depthOf(inner, f));
    for (let s = 0; s < depth; s += 1) {
      const slot = slotAt(outer, f, s);
      if (isUnused(slot)) continue;
      const own = slotAt(inner, f, s);
      noteSlotRead(marks, f, s, own);
      if (slotByte(own, 0) !== BYTE.spill) continue;
      if (slotByte(slot, 0) === BYTE.spill) demandAs(marks, spilledAt(slot), spilledAt(own), scratch);
      if (hasZeros(slot) && isNumber(spilledAt(own))) demand(marks, spilledAt(own));
    }
  }
  demandGhosts(outer, inner, marks, scratch);
}

export function demandGhosts(outer: number, inner: number, marks: Marks, scratch: number): void {
  const count = ghostCount(outer);
  if (count > 0) unknownScalarAt(scratch);
  for (let g = 0; g < count; g += 1) demandAs(marks, ghostAt(outer, g), ghostAt(inner, g), scratch);
}

/** As `demandCovered`, where it is known what the paths of `outer` may have used. `outer` and what is known of it are in the same frame. */
export function demandNeeded(
  outer: number,
  { marks: needs, everyLink }: Needs,
  inner: number,
  marks: Marks,
  scratch: number,
): void {
  const current = frameCount(outer) - 1;
  unknownScalarAt(scratch);
  const linked = (at: number): boolean => everyLink || needs.links?.has(idOf(at)) === true;
  const look = (at: number, own: number, needed: boolean): void => {
    if (needed || (isNumber(at) && idOf(at) !== 0 && linked(at))) demandAs(marks, at, own, scratch);
  };
  for (let f = 0; f <= current; f += 1) {
    const callers = f < current && wereCallersDemanded(needs);
    for (const r of CARRIED) {
      look(
        registerAt(outer, f, r),
        registerAt(inner, f, r),
        f === current ? wasRegisterDemanded(needs, r) : callers,
      );
    }
    const depth = Math.min(depthOf(outer, f), depthOf(inner, f));
    for (let s = 0; s < depth; s += 1) {
      const slot = slotAt(outer, f, s);
      if (isUnused(slot) || !(f === current ? wasSlotRead(needs, s) : needs.callersRead)) continue;
      const own = slotAt(inner, f, s);
      noteSlotRead(marks, f, s, own);
      if (slotByte(own, 0) !== BYTE.spill) continue;
      const needed = f === current ? wasSlotDemanded(needs, s) : callers;
      if (slotByte(slot, 0) === BYTE.spill) look(spilledAt(slot), spilledAt(own), needed);
      if (hasZeros(slot) && isNumber(spilledAt(own))) demand(marks, spilledAt(own));
    }
  }
  for (let g = 0; g < ghostCount(outer); g += 1) {
    look(ghostAt(outer, g), ghostAt(inner, g), wasGhostDemanded(needs, g));
  }
}

/** Whether a byte of a slot is known to be 0 by itself, as bytes of a spilled 0 are. */
function hasZeros(slot: number): boolean {
  for (let i = 0; i < 8; i += 1) if (slotByte(slot, i) === BYTE.zero) return true;
  return false;
}

/** Demands `own` if the number at `at` says something. `scratch` is any number. */
function demandAs(marks: Marks, at: number, own: number, scratch: number): void {
  if (isNumber(at) && (idOf(at) !== 0 || scalarIncludes(at, scratch) !== 1)) demandSaid(marks, at, own);
}

/** The number at `at` says something: demands `own`, and the link between them. */
export function demandSaid(marks: Marks, at: number, own: number): void {
  demand(marks, own);
  if (idOf(at) !== 0 && idOf(own) !== 0) useLink(marks, idOf(own));
}
