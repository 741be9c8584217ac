/** Kernel functions on lists of objects. */
import { EINVAL } from "../errno.ts";
import type { Call } from "../helpers/call.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { handOver, linkAt, listAt, takeOut } from "../objects/links.ts";
import type { List } from "../objects/list.ts";
import { take } from "../objects/own.ts";
import type { Thing } from "../objects/thing.ts";
import { give } from "./own-objects.ts";

function push(call: Call, end: "front" | "back"): number {
  const list = listAt(call);
  const link = linkAt(call, 2, "list_node");
  if (!handOver(call, link, list)) return EINVAL;
  if (end === "front") list.things.unshift(link.thing);
  else list.things.push(link.thing);
  return 0;
}

/** A pointer to the object's link; null if there is none. */
const look = (call: Call, list: List, thing: Thing | undefined): number | undefined =>
  thing === undefined ? 0 : give(call, thing, list.link);

function pop(call: Call, end: "front" | "back"): number | undefined {
  const list = listAt(call);
  return takeFrom(call, list, end === "front" ? 0 : list.things.length - 1);
}

function takeFrom(call: Call, list: List, index: number): number | undefined {
  const [thing] = list.things.splice(index, 1);
  if (thing === undefined) return 0;
  takeOut(call, { thing, offset: list.link }, list);
  take(call, thing);
  return give(call, thing, list.link);
}

export const LIST_FUNCTIONS: HelperTable = {
  bpf_list_push_front: (call) => push(call, "front"),
  bpf_list_push_back: (call) => push(call, "back"),
  bpf_list_pop_front: (call) => pop(call, "front"),
  bpf_list_pop_back: (call) => pop(call, "back"),
  bpf_list_front: (call) => {
    const list = listAt(call);
    return look(call, list, list.things[0]);
  },
  bpf_list_back: (call) => {
    const list = listAt(call);
    return look(call, list, list.things.at(-1));
  },
};
