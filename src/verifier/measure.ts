/**
 * Measures: why a loop ends. The head of a loop remembers its counter in a ghost; a path that comes back has made progress if the counter is
 * then surely greater than the ghost, or surely less.
 *
 * Every function here is part of what an `accept` rests on: the checker uses them.
 */
import {
  component32,
  component64,
  copyRegister,
  deltaOf,
  formOf,
  idOf,
  KIND,
  kindOf,
  rangeOf,
  setRange,
} from "../absint/register.ts";
import { LAYOUT } from "../absint/scalar/operators.ts";
import {
  BUDGET,
  BYTE,
  CARRIED,
  depthOf,
  frameCount,
  ghostAt,
  ghostCount,
  MAX_GHOSTS,
  overBudget,
  registerAt,
  setGhostCount,
  slotAt,
  slotByte,
  spilledAt,
} from "../absint/state.ts";
import { beginLink } from "../absint/transfer/links.ts";
import { MAX_LOOPS } from "../semantics/helpers/callbacks.ts";
import type { Measure, Order, Place } from "./certificate.ts";

/** How often the head of a loop may be passed, each time that it is entered: as often as the kernel lets its own loops run, and once when they end. */
export const MAX_PASSAGES = BigInt(MAX_LOOPS) + 1n;

/** The address of the number in a place; undefined if there is none. */
export function counterAt(state: number, place: Place): number | undefined {
  const { frame } = place;
  if (frame < 0 || frame >= frameCount(state)) return undefined;
  let at: number;
  if (place.kind === "register") {
    if (!CARRIED.includes(place.register)) return undefined;
    at = registerAt(state, frame, place.register);
  } else {
    if (place.slot < 0 || place.slot >= depthOf(state, frame)) return undefined;
    const slot = slotAt(state, frame, place.slot);
    const kind = slotByte(slot, 0);
    if (kind !== BYTE.spill && kind !== BYTE.object) return undefined;
    at = spilledAt(slot);
  }
  return kindOf(at) === KIND.scalar ? at : undefined;
}

/** Passes the head of a loop: gives the live state a ghost with the counter's value. Says no if there is no counter, or too many ghosts. */
export function passHead(state: number, { place, order }: Measure): boolean {
  const at = counterAt(state, place);
  const ghost = ghostCount(state);
  if (at === undefined || ghost === MAX_GHOSTS) return false;
  beginLink(state, at, order.bits);
  setGhostCount(state, ghost + 1);
  copyRegister(at, ghostAt(state, ghost));
  // A ghost is a number and no object, whatever it was copied from.
  setRange(ghostAt(state, ghost), isBudget(place) ? overBudget(place.frame, 0) : 0);
  return true;
}

const isBudget = (place: Place): boolean => place.kind === "register" && place.register === BUDGET;

interface Interval {
  readonly least: bigint;
  readonly greatest: bigint;
}

/** All numbers there are in an order. */
function allOf({ bits, signed }: Order): Interval {
  const half = 1n << BigInt(bits - 1);
  return signed ? { least: -half, greatest: half - 1n } : { least: 0n, greatest: 2n * half - 1n };
}

/** The bounds of the number at `at` in an order. */
function intervalOf(at: number, { bits, signed }: Order): Interval {
  const [least, greatest] = [signed ? "smin" : "umin", signed ? "smax" : "umax"] as const;
  if (bits === 32) {
    const value = (offset: number): bigint =>
      BigInt(signed ? component32(at, offset) | 0 : component32(at, offset));
    return { least: value(LAYOUT[`${least}32`]), greatest: value(LAYOUT[`${greatest}32`]) };
  }
  const value = (offset: number): bigint =>
    signed ? BigInt.asIntN(64, component64(at, offset)) : component64(at, offset);
  return { least: value(LAYOUT[least]), greatest: value(LAYOUT[greatest]) };
}

const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/**
 * How much progress the counter has surely made over a ghost, in a state that has come back to the head of its loop; 0 if it may have made none.
 *
 * Either the bounds say so. Or both are linked, so that the counter v is the ghost g plus a constant d modulo 2^bits: if d > 0 and v is at
 * least d more than the least number there is, then g + d has not wrapped around, and v = g + d. If d < 0, likewise.
 * Or it is a frame's budget, and the ghost is said to be more than that.
 */
export function progressOf(state: number, { place, order, direction }: Measure, ghost: number): bigint {
  const at = counterAt(state, place);
  if (at === undefined) return 0n;
  const before = ghostAt(state, ghost);
  const [now, then] = [intervalOf(at, order), intervalOf(before, order)];
  const apart = direction === "up" ? now.least - then.greatest : then.least - now.greatest;
  const down = direction === "down" && order.bits === 64 && !order.signed;
  const spent = down && isBudget(place) && rangeOf(before) === overBudget(place.frame, 1) ? 1n : 0n;
  return greater(greater(apart, spent), linkedProgress(at, before, order, direction));
}

function linkedProgress(at: number, before: number, order: Order, direction: Measure["direction"]): bigint {
  const linked = idOf(at) !== 0 && idOf(at) === idOf(before);
  if (!linked || formOf(at) < order.bits || formOf(before) < order.bits) return 0n;
  const distance = BigInt(deltaOf(at)) - BigInt(deltaOf(before));
  const d = order.bits === 32 ? BigInt.asIntN(32, distance) : distance;
  const [now, all] = [intervalOf(at, order), allOf(order)];
  if (direction === "up") return d > 0n && now.least >= all.least + d ? d : 0n;
  return d < 0n && now.greatest <= all.greatest + d ? -d : 0n;
}

/** How often the head can be passed whose state this is, if the counter makes as much progress each time. */
export function passagesOf(state: number, { place, order }: Measure, progress: bigint): bigint {
  const at = counterAt(state, place);
  if (at === undefined) throw new Error("the head has a counter");
  const { least, greatest } = intervalOf(at, order);
  return (greatest - least) / progress + 1n;
}
