/** Helpers about the control group of the socket that a packet belongs to, which is the one that all tasks are in. */
import { E2BIG, EAGAIN, ENOENT } from "../errno.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** From the root on down; none for a packet without a socket. */
function groupsOf(call: Call): readonly bigint[] {
  const { socket } = call.socketBuffer(1);
  return socket === undefined ? [] : (call.state.environment.cgroups ?? [1n]);
}

function ancestor(call: Call): bigint {
  const groups = groupsOf(call);
  const level = call.i32(2, "ancestor_level");
  return level < 0 ? 0n : (groups[level] ?? 0n);
}

function under(call: Call): number {
  const groups = groupsOf(call);
  const map = call.map(2);
  const index = call.u32(3, "index");
  if (map.kind !== "cgroups") return call.refuse(2, "map", `is a map of type ${map.definition.type}`);
  if (groups.length === 0) return ENOENT;
  if (index >= map.definition.maxEntries) return E2BIG;
  const group = map.at(index);
  if (group === undefined) return EAGAIN;
  return groups.includes(BigInt(group.id)) ? 1 : 0;
}

export const PACKET_GROUP_HELPERS: HelperTable = {
  skb_cgroup_id: (call) => groupsOf(call).at(-1) ?? 0n,
  skb_ancestor_cgroup_id: ancestor,
  skb_under_cgroup: under,
  skb_cgroup_classid: (call) =>
    call.socketBuffer(1).socket === undefined ? 0 : (call.state.environment.network?.classid ?? 0),
};
