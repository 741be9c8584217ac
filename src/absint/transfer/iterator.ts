/**
 * Open-coded iterators: made by `new` in an unused place on the stack, asked for elements by `next`, given back by `destroy`.
 *
 * How many elements an iterator gives at most is known when it is made (counted-slots.ts keeps the number): `bpf_iter_num` gives those from its start to its
 * end, and no more than 2^23 (BPF_MAX_LOOPS). What the others go through is finite and made by the kernel; that they give no more than 2^22 elements is assumed: that
 * many tasks (PID_MAX_LIMIT), control groups, bits and areas of memory. `next` forks: an element, and one less is left; or none, and none is left.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { KfuncFacts } from "../../semantics/profile/profile.ts";
import { demand } from "../origins.ts";
import { acquireReference, placeId, REFERENCE } from "../references.ts";
import {
  component32,
  FLAG,
  KIND,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
  setConstant,
  setRange,
  setReference,
  smallConstant,
} from "../register.ts";
import { LAYOUT } from "../scalar/operators.ts";
import { registerAt, slotAt, spilledAt, unpack } from "../state.ts";
import { countDown, setAtMost } from "./countdown.ts";
import { hasObject, iteratorPart, putIteratorPart, removeObject, type SlotPlace } from "./counted-slots.ts";
import { overwriteDynptr } from "./dynptr-slots.ts";
import { currentFrame, type Machine, onForked, register, type Target } from "./machine.ts";
import { reject } from "./rejection.ts";
import { maySleep } from "./sections.ts";
import { requireRoom } from "./stack.ts";

const MAX_LOOPS = 8 * 1024 * 1024;
const MOST_ELEMENTS = 4 * 1024 * 1024;

/** Iterators whose elements are numbers, or objects under RCU, which stay what they are to the section's end. */
const LASTING: ReadonlySet<string> = new Set([
  "struct bpf_iter_num",
  "struct bpf_iter_bits",
  "struct bpf_iter_task",
  "struct bpf_iter_css",
]);

/** Iterators whose elements live until the next one is asked for. Linux trusts them for ever; here nobody vouches for them. */
const PASSING: ReadonlySet<string> = new Set([
  "struct bpf_iter_task_vma",
  "struct bpf_iter_css_task",
  "struct bpf_iter_kmem_cache",
  "struct bpf_iter_dmabuf",
]);

/** Whether the elements that a function of an iterator gives may be gone when the next one is asked for. */
export const givesPassing = ({ args }: KfuncFacts): boolean => PASSING.has(args[0]?.to ?? "");

/** `iter_num` of `struct bpf_iter_num`. */
const nameOf = ({ args }: KfuncFacts): string => args[0]?.to?.replace(/^struct bpf_/, "") ?? "iter";

const slotsOf = ({ args }: KfuncFacts): number => (args[0]?.size ?? 0) / 8;

/**
 * Where on the stack an object begins, its lowest address; a text, in the kernel's words, if none can. The place may be outside of the frame.
 */
export function stackPlace({ at }: Target, what: string): SlotPlace | string {
  const constant = smallConstant(at);
  if (constant === undefined) return `${what} has to be at a constant offset`;
  const off = offOf(at) + constant;
  if (off % 8 !== 0) return `cannot pass in ${what} at an offset=${off}`;
  return { frame: objectOf(at), slot: -off / 8 - 1 };
}

const part = ({ frame, slot }: SlotPlace, index: number): SlotPlace => ({ frame, slot: slot - index });

/** Whether a program may go through the tasks of a control group, with a lock that interrupts must not find held. */
const mayWalkTasks = (m: Machine): boolean =>
  m.program.type === "lsm" || m.program.attach === "trace_iter" || maySleep(m);

/** Checks the first argument of a function of an iterator; gives the iterator's place. */
export function checkIterator(m: Machine, facts: KfuncFacts, target: Target): SlotPlace {
  const index = target.number - 1;
  if (!LASTING.has(facts.args[0]?.to ?? "") && !givesPassing(facts)) {
    throw new Unsupported(`kernel function ${facts.name}`);
  }
  if (facts.name === "bpf_iter_css_task_new" && !mayWalkTasks(m)) {
    reject("EINVAL", "css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs");
  }
  if (kindOf(target.at) !== KIND.stack) {
    reject("EINVAL", `arg#${index} expected pointer to an iterator on stack`);
  }
  const isNew = facts.flags.includes("iter_new");
  const wrong = (detail?: string): never => {
    const wanted = isNew ? "uninitialized" : "an initialized";
    const line = `expected ${wanted} ${nameOf(facts)} as arg #${index}`;
    return reject("EINVAL", detail === undefined ? line : `${detail}\n${line}`);
  };
  const slots = slotsOf(facts);
  const place = stackPlace(target, "iter");
  if (typeof place === "string") return wrong(place);
  for (let i = 0; i < slots; i += 1) {
    if (isNew) {
      requireRoom(m, { ...target, off: 8 * i }, 8);
      overwriteDynptr(m, place.frame, place.slot - i);
      if (hasObject(m, part(place, i))) wrong();
      continue;
    }
    const found = iteratorPart(m, part(place, i));
    if (found === undefined || found.part !== i || nameOf(found.maker) !== nameOf(facts)) return wrong();
    if (found.expired) {
      reject("EPROTO", `expected an RCU CS when using ${facts.name}`);
    }
  }
  return place;
}

/** Makes an iterator; r2 to r5 still hold the arguments. */
export function newIterator(m: Machine, facts: KfuncFacts, place: SlotPlace): void {
  const most = facts.name === "bpf_iter_num_new" ? numbersBetween(m) : MOST_ELEMENTS;
  for (let i = 0; i < slotsOf(facts); i += 1) {
    const record = putIteratorPart(m, part(place, i), facts, i);
    if (i === 0) setCount(record, most);
  }
  acquireReference(m.state, placeId(place.frame, place.slot), REFERENCE.iterator, m.pc);
}

/** Sets the number in a record, and leaves what the record is. */
function setCount(record: number, most: number): void {
  const word = rangeOf(record);
  setAtMost(record, most);
  setRange(record, word);
}

/** How many numbers there are from r2 to r3, which is none of them; both have 32 bits and a sign. */
function numbersBetween(m: Machine): number {
  const [start, end] = [register(m, 2), register(m, 3)];
  demand(m.marks, start);
  demand(m.marks, end);
  const least = component32(start, LAYOUT.smin32) | 0;
  const greatest = component32(end, LAYOUT.smax32) | 0;
  return Math.min(Math.max(greatest - least, 0), MAX_LOOPS);
}

/** Gives an iterator back. */
export function destroyIterator(m: Machine, facts: KfuncFacts, place: SlotPlace): number {
  for (let i = 0; i < slotsOf(facts); i += 1) removeObject(m, part(place, i));
  return placeId(place.frame, place.slot);
}

/**
 * Asks for an element: the live state goes on without one, and the forked state with one, if there may be one.
 *
 * @param give  puts the element into r0 of the machine that it gets
 * @returns whether there may be one
 */
export function nextElement(m: Machine, { frame, slot }: SlotPlace, give: (m: Machine) => void): boolean {
  unpack(m.state, m.forked);
  giveNone(m, m.state, { frame, slot });
  return onForked(m, () => {
    if (!countDown(m, spilledAt(slotAt(m.state, frame, slot)))) return false;
    give(m);
    const r0 = register(m, 0);
    if (kindOf(r0) === (KIND.memory | FLAG.readOnly)) setReference(r0, placeId(frame, slot));
    return true;
  });
}

function giveNone(m: Machine, state: number, { frame, slot }: SlotPlace): void {
  const record = spilledAt(slotAt(state, frame, slot));
  const word = rangeOf(record);
  setConstant(record, 0, 0);
  setRange(record, word);
  setConstant(registerAt(state, currentFrame(m), 0), 0, 0);
}
