/** Lists and trees in map values and objects, and the links by which objects are in them. */
import { fault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import { type FieldPlace, keep, keptIn } from "./field.ts";
import { List } from "./list.ts";
import { drop, giveAway, objectAt } from "./own.ts";
import { type Thing } from "./thing.ts";
import { Tree } from "./tree.ts";

/** An object by one of its links: the object, and where the link is in it. */
export interface Link {
  readonly thing: Thing;
  readonly offset: number;
}

function rootAt(call: Call, kind: "list_head" | "rb_root"): FieldPlace {
  const region = call.region(1, "root");
  const place = call.state.things.fieldAt(region, call.state.offset(1, region), [kind]);
  return place ?? call.refuse(1, "root", `is no ${kind}`);
}

export function listAt(call: Call): List {
  const place = rootAt(call, "list_head");
  const found = keptIn(place);
  if (found instanceof List) return found;
  const list = new List(place.field.node?.offset ?? 0);
  keep(place, list);
  return list;
}

export function treeAt(call: Call): Tree {
  const place = rootAt(call, "rb_root");
  const found = keptIn(place);
  if (found instanceof Tree) return found;
  const tree = new Tree(place.field.node?.offset ?? 0);
  keep(place, tree);
  return tree;
}

/** The object whose link an argument points to. */
export function linkAt(call: Call, register: number, kind: "list_node" | "rb_node"): Link {
  const [thing, offset] = objectAt(call, register, "node");
  const isLink = thing.fields.some((field) => field.kind === kind && field.offset === offset);
  return isLink ? { thing, offset } : call.refuse(register, "node", `is no ${kind}`);
}

/** The program gives the object to a list or tree; says no, and drops its reference, if the link is in one already. */
export function handOver(call: Call, { thing, offset }: Link, owner: object): boolean {
  giveAway(call, thing);
  thing.shared = true;
  if (thing.owners.has(offset)) {
    drop(call.run, thing);
    return false;
  }
  thing.owners.set(offset, owner);
  return true;
}

/** The program takes the object out of a list or tree. */
export function takeOut(call: Call, { thing, offset }: Link, owner: object): void {
  if (thing.owners.get(offset) !== owner) fault("not_held", `call ${call.helper}: the object is elsewhere`);
  thing.owners.delete(offset);
}
