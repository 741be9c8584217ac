/**
 * Whether a concrete machine state lies in the concretisation of an abstract one: the heart of the cross-check. Every register and
 * stack byte that the abstract state says something about is looked at; what it says nothing about (`none`) may be anything.
 */
import {
  deltaOf,
  idOf,
  isLowLink,
  isPacketPointer,
  KIND,
  KIND_NAMES,
  kindOf,
  objectOf,
  offOf,
  rangeOf,
} from "../absint/register.ts";
import { constantScalar, scalarIncludes } from "../absint/scalar/operators.ts";
import { BYTE, depthOf, frameCount, registerAt, slotAt, slotByte, spilledAt } from "../absint/state.ts";
import { type Machine, mapAt, SCRATCH } from "../absint/transfer/machine.ts";
import { registerText } from "../verifier/print-state.ts";
import type { Content, View } from "../vm/view.ts";

/** What each id stands for in this state: the number that linked ones count from, or the pointer's variable part. */
const meanings = new Map<number, bigint>();
/** The low half of the number that low links count from. */
const lowMeanings = new Map<number, bigint>();

const holds = (at: number, value: bigint): boolean => {
  constantScalar(SCRATCH.value, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  return scalarIncludes(at, SCRATCH.value) === 1;
};

function means(known: Map<number, bigint>, id: number, value: bigint): boolean {
  const before = known.get(id);
  if (before === undefined) known.set(id, value);
  return before === undefined || before === value;
}

/** Pointers that share an id share what it stands for. */
const agrees = (at: number, value: bigint): boolean => idOf(at) === 0 || means(meanings, idOf(at), value);

/** Linked numbers count from one number. */
function agreesNumber(at: number, value: bigint): boolean {
  const id = idOf(at);
  if (id === 0) return true;
  const base = value - BigInt(deltaOf(at));
  return (
    means(lowMeanings, id, BigInt.asUintN(32, base)) &&
    (isLowLink(at) || means(meanings, id, BigInt.asUintN(64, base)))
  );
}

/** Whether the region is one that the kind of pointer points into. */
function pointsInto(m: Machine, at: number, content: Extract<Content, { kind: "pointer" }>): boolean {
  const { place } = content.region;
  switch (kindOf(at)) {
    case KIND.context:
      return place.kind === "context";
    case KIND.stack:
      return place.kind === "stack" && place.frame === objectOf(at);
    case KIND.mapValue:
    case KIND.mapValueOrNull: {
      const inner = objectOf(at) >= m.program.maps.length;
      return place.kind === "map_value" && (inner || place.map === mapAt(m, objectOf(at)).name);
    }
    case KIND.map:
    case KIND.mapOrNull:
      return place.kind === "map";
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

function pointerHolds(m: Machine, at: number, content: Extract<Content, { kind: "pointer" }>): boolean {
  if (!pointsInto(m, at, content)) return false;
  const kind = kindOf(at);
  const variable = content.offset - baseOf(kind, content) - offOf(at);
  const value = BigInt.asUintN(64, BigInt(variable));
  if (kind !== KIND.map && kind !== KIND.mapOrNull && !holds(at, value)) return false;
  if (!isPacketPointer(kind)) return true;
  // What lies within the range is there: before the packet's end, or for metadata before the data.
  const end = kind === KIND.packet ? content.region.end : -content.region.start;
  return variable + rangeOf(at) <= Math.max(end, 0)
    ? agrees(at, value)
    : rangeOf(at) === 0 && agrees(at, value);
}

const mayBeNull = (kind: number): boolean => kind === KIND.mapValueOrNull || kind === KIND.mapOrNull;

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
      // An address is a number too, where the abstract state has forgotten that it is one.
      if (kind === KIND.scalar) return holds(at, content.value) && agreesNumber(at, content.value);
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
  let spilled = 0;
  for (let i = 0; i < 8; i += 1) {
    const kind = slotByte(at, i);
    if (kind === BYTE.invalid) continue;
    if (view.stackByte(start + i, frame) === "uninitialised")
      return `byte ${start + i} of the stack is not initialised`;
    if (kind === BYTE.zero && view.stack(frame)[512 + start + i] !== 0)
      return `byte ${start + i} of the stack is not 0`;
    if (kind === BYTE.spill) spilled += 1;
  }
  if (spilled === 0) return undefined;
  const content: Content =
    spilled === 8
      ? view.stackSlot(start, frame)
      : { kind: "number", value: numberAt(view.stack(frame), slot, spilled) };
  if (contains(m, spilledAt(at), content)) return undefined;
  return `fp${start} is ${contentText(content)}, not ${registerText(m, spilledAt(at), frame)}`;
}

/** What of the machine's state `m.state` does not cover, or undefined if it covers all of it. */
export function escape(m: Machine, view: View): string | undefined {
  meanings.clear();
  lowMeanings.clear();
  const frames = frameCount(m.state);
  if (view.depth !== frames - 1) return `${view.depth + 1} frames are active, not ${frames}`;
  for (let f = 0; f < frames; f += 1) {
    for (let r = 0; r <= 10; r += 1) {
      const at = registerAt(m.state, f, r);
      if (kindOf(at) === KIND.none) continue;
      const content = view.register(r, f);
      if (contains(m, at, content)) continue;
      const where = f === frames - 1 ? "" : ` of frame ${f}`;
      return `R${r}${where} is ${contentText(content)}, not ${registerText(m, at, f) || KIND_NAMES[kindOf(at)]}`;
    }
    for (let s = 0; s < depthOf(m.state, f); s += 1) {
      const problem = slotProblem(m, view, f, s);
      if (problem !== undefined) return f === frames - 1 ? problem : `frame ${f}: ${problem}`;
    }
  }
  return undefined;
}
