/** How the counter of a loop that is tried advances, and what of the states that has to be kept for it. */
import { demand, demandRegister, demandSlot, type Marks, useLink } from "../../absint/origins.ts";
import { formOf, idOf, WHOLE } from "../../absint/register.ts";
import { ghostAt } from "../../absint/state.ts";
import type { Measure, Order, Place } from "../certificate.ts";
import type { Advance } from "../checkpoint.ts";
import type { Exploration } from "../exploration.ts";
import { counterAt, MAX_PASSAGES, passagesOf } from "../measure.ts";

const ORDERS: readonly Order[] = [
  { bits: 64, signed: false },
  { bits: 64, signed: true },
  { bits: 32, signed: false },
  { bits: 32, signed: true },
];

/** The number in a place of the checkpoint that the marks are of has to be kept. */
export const demandPlace = (marks: Marks, place: Place): void =>
  place.kind === "register"
    ? demandRegister(marks, place.frame, place.register)
    : demandSlot(marks, place.frame, place.slot);

/** All ways in which the number in a place may advance, if there is one. */
export function advancesOf(state: number, place: Place | undefined): readonly Advance[] {
  const at = place === undefined ? undefined : counterAt(state, place);
  if (place === undefined || at === undefined) return [];
  const bits = idOf(at) === 0 ? WHOLE : formOf(at);
  return ORDERS.filter((order) => order.bits <= bits).flatMap((order) =>
    (["up", "down"] as const).map((direction): Advance => {
      const measure: Measure = { kind: "counter", place, order, direction };
      return { measure, least: undefined };
    }),
  );
}

/** Where the progress is seen must stay: the counter, and its link to the ghost or both their bounds. */
export function useProgress({ m, current }: Exploration, measure: Measure | undefined, depth: number): void {
  const at = measure === undefined ? undefined : counterAt(m.state, measure.place);
  if (at === undefined) return;
  const ghost = ghostAt(m.state, depth);
  demand(current.marks, at);
  if (idOf(at) !== 0 && idOf(at) === idOf(ghost)) useLink(current.marks, idOf(at));
  else demand(current.marks, ghost);
}

/** The measure by which the head is passed least often, if that is not too often. */
export function bestMeasure(state: number, advances: readonly Advance[]): Measure | undefined {
  let best: Measure | undefined;
  let fewest = MAX_PASSAGES + 1n;
  for (const { measure, least } of advances) {
    const passages = least === undefined ? undefined : passagesOf(state, measure, least);
    if (passages === undefined || passages >= fewest) continue;
    best = measure;
    fewest = passages;
  }
  return best;
}
