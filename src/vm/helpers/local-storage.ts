/** Storage that belongs to objects of the kernel: a value for each task, socket, inode or control group, and the older one of control groups. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Socket } from "../environment/sockets.ts";
import { EINVAL } from "../errno.ts";
import type { LocalStorage } from "../maps/local-storage.ts";
import { objectAt } from "../objects/own.ts";
import { SCALAR } from "../region.ts";
import { isFull } from "../sockets.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";
import { socketAt } from "./sockets.ts";

const CREATE = 1n;

function storageOf(call: Call): LocalStorage {
  const map = call.map(1);
  return map.kind === "storage" ? map : call.refuse(1, "map", `is a map of type ${map.definition.type}`);
}

/** Numbers that tell sockets apart: behind those by which user space names them. */
const SOCKETS = new WeakMap<Socket, bigint>();
let nextSocket = 1n << 32n;

function socketNumber(socket: Socket): bigint {
  let number = SOCKETS.get(socket);
  if (number === undefined) {
    number = nextSocket;
    nextSocket += 1n;
    SOCKETS.set(socket, number);
  }
  return number;
}

/** What tells the object that r2 points to from others of its kind; nothing if it is null, or a socket that has no storage. */
function ownerOf(call: Call): bigint | undefined {
  const tag = call.initialised(2, "owner");
  if (tag === SCALAR && call.state.value(2) === 0n) return undefined;
  if (tag.place.kind === "context") {
    // The context of programs on sockets is their socket.
    call.context(2);
    const socket = call.state.environment.hookSocket?.socket;
    if (socket === undefined) throw new Unsupported("storage of the hook's socket without one");
    return socketNumber(socket);
  }
  if (tag.place.kind === "socket") {
    const { socket } = socketAt(call, 2);
    return isFull(socket) ? socketNumber(socket) : undefined;
  }
  return objectAt(call, 2, "owner")[0].key;
}

function get(call: Call): number | undefined {
  const map = storageOf(call);
  const owner = ownerOf(call);
  const tag = call.initialised(3, "value");
  const hasValue = !(tag === SCALAR && call.state.value(3) === 0n);
  const given = hasValue ? call.read(3, map.definition.valueSize, "value").slice() : undefined;
  const flags = call.u64(4, "flags");
  if (owner === undefined || (flags & ~CREATE) !== 0n) return 0;
  const value = flags === CREATE ? map.findOrCreate(owner, given) : map.find(owner);
  if (value === undefined) return 0;
  const key = new Uint8Array(new BigUint64Array([owner]).buffer);
  call.state.setPointer(0, call.state.valueRegion(map, key, value), 0);
  return undefined;
}

function remove(call: Call): number {
  const map = storageOf(call);
  const owner = ownerOf(call);
  return owner === undefined ? EINVAL : map.remove(owner);
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
