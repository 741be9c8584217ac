/**
 * Guesses at loops: a state that may hold whenever the head is passed, and what may count the passages. Guesses may be wrong: the exploration
 * finds out whether one holds, and the checker whether the exploration was right.
 */

import { joinStates, widenStates } from "../../absint/join.ts";
import {
  component64,
  isConstant,
  KIND,
  kindOf,
  smaxOf,
  sminOf,
  umaxOf,
  uminOf,
} from "../../absint/register.ts";
import { LAYOUT } from "../../absint/scalar/operators.ts";
import { CARRIED, depthOf, forEachRegister, frameCount } from "../../absint/state.ts";
import type { Slots } from "../../semantics/program/program.ts";
import type { Place } from "../certificate.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { counterAt } from "../measure.ts";

/** Bounds from here on are bounds of types, not of loops. */
const FAR = 2n ** 32n - 1n;

/** How many of the last passages are looked at, besides the first. */
const RECENT = 8;

/** The states in which a loop's head was passed, the oldest first: that of the first passage, if wanted, and those of the last ones. */
export function passedStates(last: Checkpoint, withFirst: boolean): readonly number[] {
  const states: number[] = [];
  let at: Checkpoint | undefined = last;
  for (let i = 0; i < (withFirst ? RECENT : 1) && at !== undefined; i += 1) {
    states.unshift(at.at);
    at = at.passage?.previous;
  }
  const first = last.passage?.first;
  if (withFirst && at !== undefined && first !== undefined) states.unshift(first.at);
  return states;
}

/**
 * Makes `out` a guess at the loop's invariant, from the states of earlier passages and of this one. Says no if they have nothing in common.
 *
 * @param spare  a live state that is overwritten, as `out` is
 */
export function guessInvariant(
  passed: readonly number[],
  now: number,
  spare: number,
  out: number,
  limits: readonly bigint[],
): boolean {
  const [first, ...rest] = passed;
  if (first === undefined) return false;
  let [older, next] = [first, spare];
  for (const state of rest) {
    if (!joinStates(older, state, next)) return false;
    [older, next] = [next, next === spare ? out : spare];
  }
  if (older !== out) return widenStates(older, now, out, limits);
  return widenStates(older, now, spare, limits) && joinStates(spare, spare, out);
}

/**
 * Where bounds may stop: around what the loop's jumps (those of the whole program, without a `body`) compare numbers with, and around upper bounds that stay the same in it. Ascending.
 */
export function limitsOf(
  insns: Slots,
  body: Uint8Array | undefined,
  before: number,
  now: number,
): readonly bigint[] {
  const limits = new Set<bigint>([-1n, 0n, 1n, 2n]);
  const around = (limit: bigint): void => {
    for (const d of [-1n, 0n, 1n]) limits.add(limit + d);
  };
  insns.forEach((insn, pc) => {
    const operation = insn?.row.operation;
    const inside = body === undefined || body[pc] === 1;
    if (inside && insn !== undefined && operation?.kind === "jump" && operation.operand === "imm") {
      around(BigInt(insn.imm));
    }
  });
  const kept = new Set<bigint>();
  forEachRegister(before, (at) => {
    if (kindOf(at) === KIND.scalar) kept.add(component64(at, LAYOUT.umax));
  });
  forEachRegister(now, (at) => {
    const greatest = component64(at, LAYOUT.umax);
    if (kindOf(at) === KIND.scalar && kept.has(greatest) && greatest < FAR) around(greatest);
  });
  return [...limits].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Numbers that moved from one passage to the next, those first that moved from one constant to another by a small distance. */
export function movingPlaces(before: number, now: number): readonly Place[] {
  const steady: Place[] = [];
  const others: Place[] = [];
  const look = (place: Place): void => {
    const [was, is] = [counterAt(before, place), counterAt(now, place)];
    if (was === undefined || is === undefined) return;
    if (isConstant(was) && isConstant(is)) {
      const distance = Math.abs(sminOf(is) - sminOf(was));
      if (distance > 0) (distance <= 4096 ? steady : others).push(place);
    } else if (moved(was, is)) others.push(place);
  };
  for (let f = frameCount(now) - 1; f >= 0; f -= 1) {
    for (const r of CARRIED) look({ kind: "register", frame: f, register: r });
    for (let s = 0; s < depthOf(now, f); s += 1) look({ kind: "slot", frame: f, slot: s });
  }
  return [...steady, ...others];
}

/** Whether a bound has moved up and none down, or the other way round. */
function moved(was: number, is: number): boolean {
  const signs = [
    Math.sign(uminOf(is) - uminOf(was)),
    Math.sign(umaxOf(is) - umaxOf(was)),
    Math.sign(sminOf(is) - sminOf(was)),
    Math.sign(smaxOf(is) - smaxOf(was)),
  ];
  return signs.includes(1) !== signs.includes(-1);
}
