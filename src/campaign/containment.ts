/**
 * Whether a concrete machine state lies in the concretisation of an abstract one: the heart of the cross-check. Every register and
 * stack byte that the abstract state says something about is looked at; what it says nothing about (`none`) may be anything.
 */
import {
  deltaOf,
  FLAG,
  formOf,
  idOf,
  isPacketPointer,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  rangeOf,
  smallConstant,
} from "../absint/register.ts";
import { constantScalar, scalarIncludes } from "../absint/scalar/operators.ts";
import {
  BUDGET,
  BYTE,
  budgetFrame,
  depthOf,
  frameCount,
  ghostAt,
  ghostCount,
  RUNS,
  registerAt,
  slotAt,
  slotByte,
  spilledAt,
} from "../absint/state.ts";
import { type Machine, mapAt, SCRATCH } from "../absint/transfer/machine.ts";
import type { Place } from "../verifier/certificate.ts";
import { registerText } from "../verifier/print-state.ts";
import type { Content, View } from "../vm/view.ts";

/** What each id of pointers that may be null stands for in this state: 1, or 0 for null. */
const meanings = new Map<number, bigint>();
/** For each class, the number that linked ones count from, as far as it is known: its lowest bits. */
const bases = new Map<number, { readonly base: bigint; readonly bits: number }>();

/** The machine's frames that are outside of the abstract state: those of the callers of the function that it is about. */
let outer = 0;

const holds = (at: number, value: bigint): boolean => {
  constantScalar(SCRATCH.value, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  return scalarIncludes(at, SCRATCH.value) === 1;
};

/** Pointers that share an id are null together. */
function agrees(at: number, value: bigint): boolean {
  const id = idOf(at);
  if (id === 0) return true;
  const known = meanings.get(id);
  if (known === undefined) meanings.set(id, value);
  return known === undefined || known === value;
}

/** The numbers of a class count from one number: what is known of it are its lowest `bits`. */
function agreesBase(id: number, base: bigint, bits: number): boolean {
  const known = bases.get(id);
  if (known === undefined || known.bits < bits) bases.set(id, { base, bits });
  const common = Math.min(bits, known?.bits ?? 0);
  return BigInt.asUintN(common, base) === BigInt.asUintN(common, known?.base ?? 0n);
}

function agreesNumber(at: number, value: bigint): boolean {
  if (idOf(at) === 0) return true;
  const form = formOf(at);
  const shifted = form < 0 ? -form : 0;
  return agreesBase(
    idOf(at),
    (value >> BigInt(shifted)) - BigInt(deltaOf(at)),
    form < 0 ? 64 - shifted : form,
  );
}

/** The variable part of a packet pointer with the id of a class is what the class counts from. */
const agreesPacket = (at: number, variable: bigint): boolean =>
  idOf(at) === 0 || agreesBase(idOf(at), variable, 64);

/** Whether the region is one that the kind of pointer points into. */
function pointsInto(m: Machine, at: number, content: Extract<Content, { kind: "pointer" }>): boolean {
  const { place } = content.region;
  switch (kindOf(at)) {
    case KIND.context:
      return place.kind === "context";
    case KIND.stack:
      return place.kind === "stack" && place.frame === objectOf(at) + outer;
    case KIND.mapValue:
    case KIND.mapValueOrNull: {
      const inner = objectOf(at) >= m.program.maps.length;
      return place.kind === "map_value" && (inner || place.map === mapAt(m, objectOf(at)).name);
    }
    case KIND.map:
    case KIND.mapOrNull:
      return place.kind === "map";
    case KIND.mapKey:
      return place.kind === "map_key" && place.map === mapAt(m, objectOf(at)).name;
    case KIND.func:
      return place.kind === "function" && place.slot === objectOf(at);
    case KIND.packet:
    case KIND.packetMeta:
    case KIND.packetEnd:
      return place.kind === "packet" && content.region.live;
    default:
      return false;
  }
}

/** Where offset 0 of the kind of pointer is in its region. */
function baseOf(kind: number, content: Extract<Content, { kind: "pointer" }>): number {
  if (kind === KIND.packetMeta) return content.region.start;
  return kind === KIND.packetEnd ? content.region.end : 0;
}

/** Memory of a size: as many bytes are there, from where the pointer began. */
function memoryHolds(at: number, { region, offset }: Extract<Content, { kind: "pointer" }>): boolean {
  if (!region.live || region.place.kind === "context") return false;
  const moved = smallConstant(at);
  if (moved === undefined) return true;
  const start = offset - offOf(at) - moved;
  return start >= region.start && start + objectOf(at) <= region.end;
}

function pointerHolds(m: Machine, at: number, content: Extract<Content, { kind: "pointer" }>): boolean {
  if ((kindOf(at) & ~FLAG.orNull) === KIND.memory) return memoryHolds(at, content);
  if (!pointsInto(m, at, content)) return false;
  const kind = kindOf(at);
  const variable = content.offset - baseOf(kind, content) - offOf(at);
  const value = BigInt.asUintN(64, BigInt(variable));
  if (kind !== KIND.map && kind !== KIND.mapOrNull && !holds(at, value)) return false;
  if (!isPacketPointer(kind)) return true;
  // What lies within the range is there: before the packet's end, or for metadata before the data.
  const end = kind === KIND.packet ? content.region.end : -content.region.start;
  return (variable + rangeOf(at) <= Math.max(end, 0) || rangeOf(at) === 0) && agreesPacket(at, value);
}

function contains(m: Machine, at: number, content: Content): boolean {
  const kind = kindOf(at);
  if (kind === KIND.none) return true;
  switch (content.kind) {
    case "uninitialised":
      return false;
    case "number":
      if (kind === KIND.scalar) return holds(at, content.value) && agreesNumber(at, content.value);
      return mayBeNull(kind) && content.value === 0n && agrees(at, 0n);
    case "pointer":
      // An address is a number too, where the abstract state has forgotten that it is one; unless nobody may see addresses.
      if (kind === KIND.scalar)
        return m.rights.leaks && holds(at, content.value) && agreesNumber(at, content.value);
      return pointerHolds(m, at, content) && (!mayBeNull(kind) || agrees(at, 1n));
  }
}

function contentText(content: Content): string {
  switch (content.kind) {
    case "uninitialised":
      return "nothing";
    case "number":
      return `0x${content.value.toString(16)}`;
    case "pointer":
      return `${content.region.place.kind} + ${content.offset}`;
  }
}

/** The number in the low `size` bytes at the start of a slot. */
function numberAt(stack: Uint8Array, slot: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(stack[512 - 8 * (slot + 1) + i] ?? 0);
  return value;
}

function slotProblem(m: Machine, view: View, frame: number, slot: number): string | undefined {
  const at = slotAt(m.state, frame, slot);
  const start = -8 * (slot + 1);
  let [spilled, used] = [0, 0];
  for (let i = 0; i < 8; i += 1) {
    const kind = slotByte(at, i);
    if (kind === BYTE.invalid) continue;
    used += 1;
    // Some byte is what lies there, too, where programs may read what they have not written.
    if (kind === BYTE.misc && m.rights.uninitialisedStack) continue;
    if (view.stackByte(start + i, outer + frame) === "uninitialised")
      return `byte ${start + i} of the stack is not initialised`;
    if (kind === BYTE.zero && view.stack(outer + frame)[512 + start + i] !== 0)
      return `byte ${start + i} of the stack is not 0`;
    if (kind === BYTE.spill) spilled += 1;
  }
  const bare = used > 0 && spilled === 0 && !m.rights.leaks;
  if (bare && view.stackSlot(start, outer + frame).kind === "pointer") return `fp${start} is an address`;
  if (spilled === 0) return undefined;
  const content: Content =
    spilled === 8
      ? view.stackSlot(start, outer + frame)
      : { kind: "number", value: numberAt(view.stack(outer + frame), slot, spilled) };
  if (contains(m, spilledAt(at), content)) return undefined;
  return `fp${start} is ${contentText(content)}, not ${registerText(m, spilledAt(at), frame)}`;
}

/** What the machine's helper still will do: the abstract state says how often, or that there is no such helper. */
function runsProblem(m: Machine, view: View, frame: number, callers: number): string | undefined {
  const [at, runs] = [registerAt(m.state, frame, RUNS), view.runsLeft(callers + frame)];
  if (kindOf(at) === KIND.none) {
    return runs === undefined ? undefined : `frame ${frame} is in a call that calls back`;
  }
  if (runs === undefined) return `frame ${frame} is in no call that calls back`;
  if (holds(at, BigInt(runs)) && agreesNumber(at, BigInt(runs))) return undefined;
  return `frame ${frame}: ${runs} runs are left, not ${registerText(m, at, frame)}`;
}

/** How often may_goto still may fall through, where the abstract state says something of it. */
function budgetProblem(m: Machine, view: View, frame: number, callers: number): string | undefined {
  const [at, left] = [registerAt(m.state, frame, BUDGET), BigInt(view.loopsLeft(callers + frame))];
  if (kindOf(at) === KIND.none || (holds(at, left) && agreesNumber(at, left))) return undefined;
  return `frame ${frame}: may_goto falls through ${left} times more, not ${registerText(m, at, frame)}`;
}

/**
 * The number in a place of the machine: of a slot, the bytes that the abstract state takes for one.
 *
 * @param callers  the machine's frames that are outside of the abstract state
 */
export function numberIn(m: Machine, view: View, place: Place, callers = 0): bigint {
  if (place.kind === "slot") {
    const slot = slotAt(m.state, place.frame, place.slot);
    let size = 0;
    while (size < 8 && slotByte(slot, size) === BYTE.spill) size += 1;
    return numberAt(view.stack(callers + place.frame), place.slot, size);
  }
  if (place.register === BUDGET) return BigInt(view.loopsLeft(callers + place.frame));
  if (place.register === RUNS) return BigInt(view.runsLeft(callers + place.frame) ?? 0);
  const content = view.register(place.register, callers + place.frame);
  return content.kind === "uninitialised" ? 0n : content.value;
}

/**
 * What of the machine's state `m.state` does not cover, or undefined if it covers all of it.
 *
 * @param ghosts  the numbers that its ghosts stand for
 * @param callers  the machine's frames that are outside of the abstract state: it is about a function that they have called
 */
export function escape(
  m: Machine,
  view: View,
  ghosts: readonly bigint[] = [],
  callers = 0,
): string | undefined {
  outer = callers;
  meanings.clear();
  bases.clear();
  const frames = frameCount(m.state);
  const active = view.depth + 1 - outer;
  if (active !== frames) return `${active} frames are active, not ${frames}`;
  for (let f = 0; f < frames; f += 1) {
    for (let r = 0; r <= 10; r += 1) {
      const at = registerAt(m.state, f, r);
      if (kindOf(at) === KIND.none) continue;
      const content = view.register(r, outer + f);
      if (contains(m, at, content)) continue;
      const where = f === frames - 1 ? "" : ` of frame ${f}`;
      return `R${r}${where} is ${contentText(content)}, not ${registerText(m, at, f) || kindName(kindOf(at))}`;
    }
    const runs = runsProblem(m, view, f, callers) ?? budgetProblem(m, view, f, callers);
    if (runs !== undefined) return runs;
    for (let s = 0; s < depthOf(m.state, f); s += 1) {
      const problem = slotProblem(m, view, f, s);
      if (problem !== undefined) return f === frames - 1 ? problem : `frame ${f}: ${problem}`;
    }
  }
  for (let g = 0; g < ghostCount(m.state); g += 1) {
    const [at, value] = [ghostAt(m.state, g), ghosts[g] ?? 0n];
    if (!holds(at, value) || !agreesNumber(at, value)) {
      return `ghost ${g} is 0x${value.toString(16)}, not ${registerText(m, at, frames - 1)}`;
    }
    const frame = budgetFrame(rangeOf(at));
    const left = frame < 0 ? 0n : BigInt(view.loopsLeft(callers + frame)) + BigInt(rangeOf(at) & 1);
    if (left > value) return `ghost ${g} is ${value}, less than ${left}`;
  }
  return undefined;
}
