/** The arguments of a helper's call: which registers each class of argument takes, and what must hold of them. */
import { Unsupported } from "../../../semantics/errors.ts";
import { helperCallingBack } from "../../../semantics/helpers/callbacks.ts";
import { helperTakesMap, says } from "../../../semantics/profile/lookup.ts";
import type { Argument, ArgumentKind } from "../../../semantics/profile/profile.ts";
import {
  MAP_FLAGS,
  MAP_TYPES,
  type MapDefinition,
  type MapType,
} from "../../../semantics/program/map-types.ts";
import { demand } from "../../origins.ts";
import { holdsReference } from "../../references.ts";
import {
  baseOf,
  copyRegister,
  FLAG,
  hasFlag,
  isConstant,
  isPacketPointer,
  isPointer,
  KIND,
  kindName,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  referenceOf,
  setKind,
  smallConstant,
} from "../../register.ts";
import { requireNaturallyAligned, requireUnmoved } from "../access.ts";
import { dynptrKindOf, makeDynptr, requireOwned, usedDynptr } from "../dynptr.ts";
import { constantString } from "../format.ts";
import { typesOf } from "../kernel-object.ts";
import { exchangedField, requireExchangeable } from "../kptr.ts";
import { type Machine, readable, SCRATCH, type Target } from "../machine.ts";
import { releaseLock, requireTimer, takeLock } from "../map-fields.ts";
import { isOwnObject } from "../own-object.ts";
import { requireNoLeakToHelper } from "../privileges.ts";
import { isReadOnlyToPrograms } from "../region.ts";
import { reject } from "../rejection.ts";
import { constantAt } from "../stack.ts";
import { type CallFacts, hasArgumentFlag, holdsSockets, mapOf } from "./facts.ts";
import { checkKey, checkSized, checkWhole, MEMORY } from "./memory.ts";

const SOCKETS: readonly number[] = [KIND.sockCommon, KIND.socket, KIND.tcpSock, KIND.xdpSock];

/** The kinds of registers that an argument takes, in the order in which the kernel names them; `undefined` for any. */
const TAKES: { readonly [K in ArgumentKind]?: readonly number[] } = {
  const_map_ptr: [KIND.map],
  map_key: MEMORY,
  map_value: MEMORY,
  mem: MEMORY,
  ctx: [KIND.context],
  const_size: [KIND.scalar],
  scalar: [KIND.scalar],
  const_size_or_zero: [KIND.scalar],
  const_alloc_size_or_zero: [KIND.scalar],
  sock_common: SOCKETS,
  socket: [KIND.socket],
  btf_id_sock_common: [...SOCKETS, KIND.btf, KIND.btf | FLAG.trusted],
  ringbuf_mem: [KIND.memory | FLAG.ringbuf],
  btf_id: [KIND.btf, KIND.btf | FLAG.trusted, KIND.btf | FLAG.rcu],
  percpu_btf_id: [
    KIND.btf | FLAG.perCpu,
    KIND.btf | FLAG.perCpu | FLAG.rcu,
    KIND.btf | FLAG.perCpu | FLAG.trusted,
  ],
  spin_lock: [KIND.mapValue, KIND.btf | FLAG.allocated],
  timer: [KIND.mapValue],
  func: [KIND.func],
  stack: [KIND.stack],
  dynptr: [KIND.stack, KIND.dynptr],
  const_str: [KIND.mapValue],
  kptr_xchg_dest: [KIND.mapValue, KIND.btf | FLAG.allocated],
};

/** Checks the argument in register `number`. */
export function checkArgument(m: Machine, call: CallFacts, declared: Argument, number: number): void {
  const argument = forMap(m, call, declared);
  const at = readable(m, number);
  const target: Target = { number, at, off: 0 };
  if (argument.kind === "anything") {
    requireNoLeakToHelper(m, number, at);
    return;
  }
  const kind = kindOf(at);
  if (isPacketPointer(kind) && call.prototype.packetMemory !== true) {
    reject("EACCES", "helper access to the packet is not allowed");
  }
  if (hasArgumentFlag(argument, "ptr_maybe_null") && isNull(at)) {
    demand(m.marks, at);
    return;
  }
  requireTaken(call, argument, target);
  // The object that holds the pointer to be exchanged stays where it is.
  const rests = isPointer(kind) && argument.kind !== "kptr_xchg_dest";
  if (rests && holdsReference(m.state, referenceOf(at))) noteReference(call, argument, target);
  CHECKS[argument.kind]?.(m, call, argument, target);
}

/** The values of some maps are not the bytes that the helper's prototype speaks of. */
function forMap(m: Machine, call: CallFacts, argument: Argument): Argument {
  if (argument.kind !== "map_value" || call.mapIndex < 0) return argument;
  const { type } = mapOf(m, call);
  if (holdsSockets(type)) {
    if (argument.flags !== undefined) reject("EINVAL", "invalid arg_type for sockmap/sockhash");
    return { kind: "btf_id_sock_common" };
  }
  // Whether a bloom filter has the value is asked with the value itself.
  const asks = type === "bloom_filter" && call.helper.name === "map_peek_elem";
  return asks ? { kind: "map_value" } : argument;
}

/** What is pointed to if it is not null. */
function notNull(target: Target): Target {
  if (!mayBeNull(kindOf(target.at))) return target;
  copyRegister(target.at, SCRATCH.operand);
  setKind(SCRATCH.operand, kindOf(target.at) & ~FLAG.orNull);
  return { ...target, at: SCRATCH.operand };
}

const isNull = (at: number): boolean =>
  kindOf(at) === KIND.scalar && isConstant(at) && smallConstant(at) === 0;

function requireTaken(call: CallFacts, argument: Argument, { number, at }: Target): void {
  const taken = TAKES[argument.kind];
  if (taken === undefined) throw new Unsupported(`helper argument of kind ${argument.kind}`);
  // Of whatever is put into a map's value the field says whether it may be.
  const isPutIn = call.kptr !== undefined && isOwnObject(kindOf(at)) && !hasFlag(kindOf(at), FLAG.rcu);
  // One for each processor is taken as long as a map's value has it, not by who owns it.
  const isOfMap = argument.kind === "percpu_btf_id" && hasFlag(kindOf(at), FLAG.rcu);
  const kind = isPutIn ? kindOf(at) & ~OWN : isOfMap ? kindOf(at) & ~FLAG.allocated : kindOf(at);
  // What may only be read is taken where it is only read; where the memory lies does not matter.
  const anywhere = kind & ~(argument.kind === "mem" ? FLAG.inPacket : nullable(argument));
  if (taken.includes(hasArgumentFlag(argument, "mem_rdonly") ? anywhere & ~FLAG.readOnly : anywhere)) {
    if (taken !== MEMORY || baseOf(kind) !== KIND.btf || hasArgumentFlag(argument, "mem_rdonly")) return;
    const name = `bpf_${call.helper.name}`;
    reject("EACCES", `${name}() may write into memory pointed by R${number} type=${kindName(kind)}`);
  }
  const unlessNull = argument.kind === "btf_id" && taken.includes(kind & ~FLAG.orNull);
  if (unlessNull && hasArgumentFlag(argument, "ptr_maybe_null")) {
    reject("EACCES", `Possibly NULL pointer passed to helper arg${number}`);
  }
  reject("EACCES", `R${number} type=${kindName(kind)} expected=${taken.map(kindName).join(", ")}`);
}

/**
 * What a kind may have besides where the helper itself looks whether it was given null. Of memory and a size it does not, if the size is not 0; and what is handed over is null for sure or is
 * not null.
 */
const nullable = (argument: Argument): number =>
  (argument.kind === "map_value" ||
    (argument.kind === "btf_id" && !hasArgumentFlag(argument, "obj_release"))) &&
  hasArgumentFlag(argument, "ptr_maybe_null")
    ? FLAG.orNull
    : 0;

/** What the objects that a program allocates have besides what others have. */
const OWN = FLAG.allocated | FLAG.perCpu;

/** One argument at most may rest on a reference: it would not be clear which is given back. */
function noteReference(call: CallFacts, argument: Argument, target: Target): void {
  const id = referenceOf(target.at);
  if (call.reference !== 0 && call.reference !== id) {
    reject("EFAULT", `more than one arg with ref_obj_id R${target.number} ${id} ${call.reference}`);
  }
  call.reference = id;
  if (hasArgumentFlag(argument, "obj_release")) call.released = target;
}

type Check = (m: Machine, call: CallFacts, argument: Argument, target: Target) => void;

const checkReleased: Check = (m, call, argument, { number, at }) => {
  if (!hasArgumentFlag(argument, "obj_release")) return;
  if (offOf(at) !== 0) {
    reject("EINVAL", `R${number} must have zero offset when passed to release func or trusted arg to kfunc`);
  }
  if (referenceOf(at) === 0) {
    reject(
      "EINVAL",
      says(m.profile, "release_first")
        ? `release helper bpf_${call.helper.name} expects referenced PTR_TO_BTF_ID passed to R${number}`
        : `R${number} must be referenced when passed to release function`,
    );
  }
};

/** Pointers whose place in the object matters: they must be as the program got them. */
const checkUnmoved: Check = (m, call, argument, target) => {
  checkReleased(m, call, argument, target);
  requireUnmoved(target, kindName(kindOf(target.at)));
};

const CHECKS: { readonly [K in ArgumentKind]?: Check } = {
  const_map_ptr: (_m, call, _argument, { at }) => {
    if (call.helper.name === "timer_init" && call.mapIndex !== objectOf(at)) {
      reject("EINVAL", "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0");
    }
    call.mapIndex = objectOf(at);
  },
  map_key: (m, call, _argument, target) => {
    checkKey(m, target, mapOf(m, call).keySize);
    call.certainlyFound = isCertainlyFound(m, call, mapOf(m, call), target);
  },
  map_value: (m, call, argument, target) => {
    const writes = hasArgumentFlag(argument, "mem_uninit");
    const size = mapOf(m, call).valueSize;
    if (size === 0) reject("EACCES", "invalid zero-sized read");
    checkWhole(m, notNull(target), size, writes ? "write" : "read");
    if (writes) call.filled.push({ target, size, certain: true });
  },
  mem: (m, call, argument, target) => {
    // Memory whose size is another argument is checked with that.
    if (argument.size === undefined) return;
    const writes = hasArgumentFlag(argument, "mem_write") || hasArgumentFlag(argument, "mem_uninit");
    if (writes) checkWhole(m, target, argument.size, "write");
    if (!hasArgumentFlag(argument, "mem_uninit")) checkWhole(m, target, argument.size, "read");
    if (hasArgumentFlag(argument, "mem_aligned"))
      requireNaturallyAligned(target, argument.size, kindOf(target.at));
    if (!writes) return;
    call.filled.push({ target, size: argument.size, certain: true });
  },
  ctx: (_m, _call, _argument, target) => requireUnmoved(target, "ctx"),
  const_size: (m, call, _argument, target) => checkSized(m, call, false, target.number),
  const_size_or_zero: (m, call, _argument, target) => checkSized(m, call, true, target.number),
  const_alloc_size_or_zero: (m, call, _argument, { number, at }) => {
    demand(m.marks, at);
    if (kindOf(at) !== KIND.scalar || !isConstant(at)) {
      reject("EACCES", `R${number} is not a known constant'`);
    }
    const size = smallConstant(at);
    if (size === undefined || size < 0) reject("EINVAL", `R${number} allocation size exceeds u32 max`);
    call.allocated = size;
  },
  func: (_m, call, _argument, target) => {
    if (helperCallingBack(call.helper.id) === undefined && call.helper.name !== "timer_set_callback") {
      throw new Unsupported(`callbacks of helper ${call.label}`);
    }
    requireUnmoved(target, "func");
  },
  sock_common: checkUnmoved,
  socket: checkUnmoved,
  btf_id_sock_common: (m, call, argument, target) => {
    if (kindOf(target.at) === KIND.btf || kindOf(target.at) === (KIND.btf | FLAG.trusted)) {
      requireStruct(m, target, "sock_common");
    }
    checkUnmoved(m, call, argument, target);
  },
  ringbuf_mem: checkUnmoved,
  timer: (m, call, _argument, target) => {
    const map = objectOf(target.at);
    requireTimer(m, target);
    // Which inner map it is would have to be known.
    if (map >= m.program.maps.length) throw new Unsupported("timers in inner maps");
    call.mapIndex = map;
  },
  spin_lock: (m, call, _argument, target) => {
    if (call.helper.name === "spin_lock") takeLock(m, target);
    else releaseLock(m, target);
  },
  btf_id: (m, call, argument, target) => {
    if (call.kptr !== undefined) requireExchangeable(m, call.kptr, target);
    checkReleased(m, call, argument, target);
    if (call.kptr === undefined) requireStruct(m, target, argument.type);
  },
  kptr_xchg_dest: (m, call, _argument, target) => {
    call.kptr = exchangedField(m, target);
  },
  dynptr: checkDynptr,
  const_str: (m, call, _argument, target) => {
    call.text = constantString(m, target);
  },
  percpu_btf_id: (_m, call, _argument, target) => {
    const kind = kindOf(target.at);
    requireUnmoved(target, kindName(kind));
    if (hasFlag(kind, FLAG.rcu) && !isOwnObject(kind)) throw new Unsupported("per-CPU objects under RCU");
    call.ofProgram = isOwnObject(kind);
    call.struct = objectOf(target.at);
  },
};

function checkDynptr(m: Machine, call: CallFacts, argument: Argument, target: Target): void {
  const wanted = dynptrKindOf(argument);
  if (kindOf(target.at) === KIND.dynptr) requireUnmoved(target, kindName(KIND.dynptr));
  if (hasArgumentFlag(argument, "mem_uninit")) {
    if (wanted === undefined) throw new Unsupported(`dynptrs that helper ${call.label} makes`);
    makeDynptr(m, target, wanted);
    return;
  }
  const releases = hasArgumentFlag(argument, "obj_release");
  if (releases) requireOwned(m, target);
  call.dynptr = usedDynptr(m, target, wanted);
  if (releases) call.releasedDynptr = target;
}

/** An object of the type that the helper wants lies where the pointer points. */
function requireStruct(m: Machine, { number, at }: Target, wanted: string | undefined): void {
  const types = typesOf(m);
  const [struct, offset] = [objectOf(at), smallConstant(at)];
  const inner = wanted === undefined ? undefined : types.structId(wanted);
  if (inner === undefined) throw new Unsupported(`kernel objects of type ${wanted ?? "?"}`);
  if (offset !== undefined && types.holdsAt(struct, offOf(at) + offset, inner)) return;
  reject("EACCES", `R${number} is of type ${types.structName(struct)} but ${wanted} is expected`);
}

const OF_TIMERS: ReadonlySet<string> = new Set([
  "timer_init",
  "timer_set_callback",
  "timer_start",
  "timer_cancel",
]);

/** Helpers that take maps of one type, where the profile does not know: calls of them need what a probe does not come by. */
const ONLY_MAPS: Readonly<Record<string, MapType>> = {
  inode_storage_delete: "inode_storage",
  inode_storage_get: "inode_storage",
  user_ringbuf_drain: "user_ringbuf",
  xdp_output: "perf_event_array",
};

/** Checks that the helper may be called with the map that it was given, if it takes one. */
export function checkMapFits(m: Machine, call: CallFacts): void {
  if (call.mapIndex < 0) return;
  const { helper, label } = call;
  const map = mapOf(m, call);
  if (helper.name === "for_each_map_elem") return requireElements(map);
  // A map that has a timer is one that may have.
  if (OF_TIMERS.has(helper.name)) return;
  const only = ONLY_MAPS[helper.name];
  if (only !== undefined && helper.maps === undefined) return requireType(map, only, label);
  if (helper.maps === undefined) throw new Unsupported(`maps of helper ${label}`);
  if (WRITES_MAP.has(helper.name) && isReadOnlyToPrograms(map)) {
    reject("EACCES", "write into map forbidden");
  }
  const without = m.facts.mapsWithout?.[helper.id]?.includes(map.type) === true;
  if (without || !helperTakesMap(helper, map.type)) {
    if (helper.name === "tail_call") reject("EINVAL", "expected prog array map for tail call");
    rejectType(map, label);
  }
}

function requireType(map: MapDefinition, type: MapType, label: string): void {
  if (map.type !== type) rejectType(map, label);
}

const rejectType = ({ type }: MapDefinition, label: string): never =>
  reject("EINVAL", `cannot pass map_type ${MAP_TYPES.indexOf(type)} into func ${label}`);

/** Map types whose elements a callback can be given one by one. */
const HAS_ELEMENTS: ReadonlySet<MapDefinition["type"]> = new Set([
  "hash",
  "percpu_hash",
  "lru_hash",
  "lru_percpu_hash",
  "array",
  "percpu_array",
  "rhash",
]);

function requireElements({ type }: MapDefinition): void {
  if (!HAS_ELEMENTS.has(type)) reject("ENOTSUPP", "callback function not allowed for map");
}

const WRITES_MAP: ReadonlySet<string> = new Set([
  "map_update_elem",
  "map_delete_elem",
  "map_push_elem",
  "map_pop_elem",
]);

function isCertainlyFound(m: Machine, { helper }: CallFacts, map: MapDefinition, key: Target): boolean {
  // Linux looks for constant keys only for those who have cap_bpf.
  if (!m.rights.bpf) return false;
  if (helper.name !== "map_lookup_elem" || (map.type !== "array" && map.type !== "percpu_array"))
    return false;
  if (kindOf(key.at) !== KIND.stack) return false;
  // An inner array may be smaller than its shape says, if the shape allows for that.
  if ((map.flags & MAP_FLAGS.inner_map) !== 0) return false;
  const index = constantAt(m, key, 4);
  return index !== undefined && index < map.maxEntries;
}
