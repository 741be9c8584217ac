/** Storage that belongs to objects of the kernel: a value for each task, socket, inode or control group, and the older one of control groups. */
import { Unsupported } from "../../semantics/errors.ts";
import { EINVAL } from "../errno.ts";
import type { LocalStorage } from "../maps/local-storage.ts";
import { objectAt } from "../objects/own.ts";
import type { Thing } from "../objects/thing.ts";
import { SCALAR } from "../region.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

const CREATE = 1n;

function storageOf(call: Call): LocalStorage {
  const map = call.map(1);
  return map.kind === "storage" ? map : call.refuse(1, "map", `is a map of type ${map.definition.type}`);
}

/** The object that r2 points to; nothing if it is null. */
function ownerOf(call: Call): Thing | undefined {
  const tag = call.initialised(2, "owner");
  if (tag === SCALAR && call.state.value(2) === 0n) return undefined;
  // The context of programs on sockets is their socket.
  if (tag.place.kind === "socket" || tag.place.kind === "context")
    throw new Unsupported("storage of sockets");
  return objectAt(call, 2, "owner")[0];
}

function get(call: Call): number | undefined {
  const map = storageOf(call);
  const owner = ownerOf(call);
  const tag = call.initialised(3, "value");
  const hasValue = !(tag === SCALAR && call.state.value(3) === 0n);
  const given = hasValue ? call.read(3, map.definition.valueSize, "value").slice() : undefined;
  const flags = call.u64(4, "flags");
  if (owner === undefined || (flags & ~CREATE) !== 0n) return 0;
  const value = flags === CREATE ? map.findOrCreate(owner.key, given) : map.find(owner.key);
  if (value === undefined) return 0;
  const key = new Uint8Array(new BigUint64Array([owner.key]).buffer);
  call.state.setPointer(0, call.state.valueRegion(map, key, value), 0);
  return undefined;
}

function remove(call: Call): number {
  const map = storageOf(call);
  const owner = ownerOf(call);
  return owner === undefined ? EINVAL : map.remove(owner.key);
}

/** The value of the control group for which the program runs: BPF_PROG_TEST_RUN makes a new one for each run. */
function groupStorage(call: Call): undefined {
  const map = call.map(1);
  call.u64(2, "flags");
  if (map.kind !== "cgroup_storage") return call.refuse(1, "map", `is a map of type ${map.definition.type}`);
  const value = call.run.groupValue(map);
  call.state.setPointer(0, call.state.valueRegion(map, new Uint8Array(0), value), 0);
  return undefined;
}

export const LOCAL_STORAGE_HELPERS: HelperTable = {
  sk_storage_get: get,
  sk_storage_delete: remove,
  task_storage_get: get,
  task_storage_delete: remove,
  inode_storage_get: get,
  inode_storage_delete: remove,
  cgrp_storage_get: get,
  cgrp_storage_delete: remove,
  get_local_storage: groupStorage,
};
