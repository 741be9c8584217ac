/** Pointers to objects that lie in map values and in other objects. */

import { keep, keptIn } from "../objects/field.ts";
import { giveAway, take } from "../objects/own.ts";
import { Thing } from "../objects/thing.ts";
import { SCALAR } from "../region.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Puts a pointer that the program owns, or null, in the place of another, which the program owns from then on. */
function exchange(call: Call): number | undefined {
  const { state } = call;
  const region = call.region(1, "dst");
  const place = state.things.fieldAt(region, state.offset(1, region), ["kptr_ref", "kptr_percpu"]);
  if (place === undefined) return call.refuse(1, "dst", "is no pointer that a program may exchange");
  const tag = call.initialised(2, "ptr");
  const next = tag === SCALAR ? undefined : state.things.thingOf(tag);
  if (next === undefined && (tag !== SCALAR || state.value(2) !== 0n)) call.refuse(2, "ptr", "is no object");
  const old = keptIn(place);
  if (next !== undefined) {
    giveAway(call, next);
    next.shared = true;
  }
  keep(place, next);
  if (!(old instanceof Thing)) return 0;
  take(call, old);
  state.setPointer(0, state.things.regionOf(old), 0);
  return undefined;
}

export const KPTR_HELPERS: HelperTable = { kptr_xchg: exchange };
