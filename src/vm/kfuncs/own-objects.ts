/** Kernel functions that make objects of the program's own types, give them back, and take another reference. */
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { drop, giveAway, newObject, objectAt, take } from "../objects/own.ts";
import type { Thing } from "../objects/thing.ts";

/** r0 is a pointer into the object. */
export function give({ state }: Call, thing: Thing, offset = 0): undefined {
  state.setPointer(0, state.things.regionOf(thing), offset);
  return undefined;
}

function make(call: Call): undefined {
  const id = call.offset(1, "local_type_id__k");
  const thing = newObject(call, id);
  if (thing === undefined) return call.refuse(1, "local_type_id__k", "is no structure of the program");
  return give(call, thing);
}

function giveBack(call: Call): undefined {
  const [thing] = objectAt(call, 1, "p__alloc");
  giveAway(call, thing);
  drop(call.run, thing);
  return call.noResult();
}

/** Null where the last reference to it has been given back. */
function acquire(call: Call): number | undefined {
  const [thing] = objectAt(call, 1, "p__refcounted_kptr");
  if (!thing.counted) return call.refuse(1, "p__refcounted_kptr", "does not count its references");
  if (thing.references === 0) return 0;
  thing.references += 1;
  take(call, thing);
  return give(call, thing);
}

export const OWN_OBJECT_FUNCTIONS: HelperTable = {
  bpf_obj_new: make,
  bpf_obj_drop: giveBack,
  bpf_percpu_obj_new: make,
  bpf_percpu_obj_drop: giveBack,
  bpf_refcount_acquire: acquire,
};
