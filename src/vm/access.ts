/**
 * Access to memory: every check that is made, in one place, for loads and stores and for what helpers are given alike.
 *
 * Generated code goes past it only where nothing but bounds can be wrong (`region-record.ts`).
 */
import { Unsupported } from "../semantics/errors.ts";
import type { Size } from "../semantics/isa/instruction.ts";
import type { ContextField } from "../semantics/profile/profile.ts";
import { isArena, loadArena, storeArena } from "./arena-memory.ts";
import { TRACES_FUNCTION } from "./contexts/traced-function.ts";
import { DEFAULT_TASK, TASK_ADDRESS } from "./environment.ts";
import { fault, memoryFault } from "./fault.ts";
import { kernelPointerOrNumber, loadKernel, storeKernel } from "./kernel-memory.ts";
import { LOADED_AT, REGISTERS_AT, STORED_AT } from "./memory.ts";
import {
  addressIn,
  type KeptBytes,
  type Place,
  type Region,
  SCALAR,
  type SocketStruct,
  UNINITIALISED,
} from "./region.ts";
import type { SocketBuffer } from "./socket-buffer.ts";
import { isLeftOver, socketField } from "./sockets.ts";
import type { State } from "./state.ts";

const LOADED = (LOADED_AT - REGISTERS_AT) / 4;
const STORED = (STORED_AT - REGISTERS_AT) / 4;

/** Addresses below this are null pointers that were moved a little. */
const NULL_PAGE = 4096n;

/** The region that a register points into; `what` is who wants to know. */
export function pointer(state: State, register: number, what: string): Region {
  const region = state.tag(register);
  if (region === UNINITIALISED) fault("uninitialised_register", `${what}: r${register} is not initialised`);
  if (region === SCALAR) {
    const value = state.value(register);
    if (value < NULL_PAGE)
      fault("null_pointer", `${what}: r${register} is a null pointer (0x${value.toString(16)})`);
    fault("not_a_pointer", `${what}: r${register} is the number 0x${value.toString(16)}, not a pointer`);
  }
  return region;
}

/** Why memory is there no longer. */
const GONE: { readonly [K in Place["kind"]]?: string } = {
  packet: "the packet may have moved since",
  stack: "the frame was left",
};

/** Checks that the bytes may be read or written, apart from alignment and what the stack holds. */
export function checkBytes(
  region: Region,
  offset: number,
  size: number,
  access: "read" | "write",
  what: string,
): void {
  if (region.place.kind === "map") {
    // Programs may read it where the kernel has told its types.
    if (what === "load" && offset >= 0)
      throw new Unsupported("the kernel's structure behind a pointer to a map");
    memoryFault("opaque_pointer", region, offset, size, `${what}: a map has no bytes to access`);
  }
  if (region.place.kind === "function") {
    memoryFault("opaque_pointer", region, offset, size, `${what}: a function has no bytes to access`);
  }
  if (region.place.kind === "kept") {
    memoryFault("kept_bytes", region, offset, size, `${what} of what the kernel keeps`);
  }
  if (region.place.kind === "kernel_memory") {
    if (access === "write")
      memoryFault("read_only", region, offset, size, `${what} to memory that is the kernel's`);
    throw new Unsupported(`${what} of the kernel's memory`);
  }
  if (!region.live) {
    const gone = GONE[region.place.kind] ?? "it was given back";
    memoryFault("stale_pointer", region, offset, size, `${what} through a stale pointer (${gone})`);
  }
  // A tracepoint whose record is shorter than a program reaches is one that the program is not attached to.
  if (region.place.kind === "tracepoint_record" && offset >= 0 && offset + size > region.end)
    throw new Unsupported(
      `${what}: bytes ${offset} to ${offset + size} of a tracepoint's record of ${region.end}, to which Linux attaches no such program`,
    );
  if (region.place.kind === "kernel_object" && offset + size > region.end) {
    throw new Unsupported(`fields of ${region.place.struct}`);
  }
  if (offset < region.start || offset + size > region.end) {
    const bounds = `out of bounds (it has ${region.start} to ${region.end})`;
    memoryFault("out_of_bounds", region, offset, size, `${what} ${bounds}`);
  }
  if (access === "write" && !region.writable)
    memoryFault("read_only", region, offset, size, `${what} to read-only memory`);
  if (access === "read" && !region.readable)
    memoryFault("write_only", region, offset, size, `${what} from write-only memory`);
}

/** Checks that none of the bytes, which are the region's, are the kernel's. */
export function checkKept(region: Region, offset: number, size: number, what: string): void {
  const field = region.keeps?.at(offset, size);
  if (field !== undefined)
    memoryFault("kept_bytes", region, offset, size, `${what} of bytes that the kernel keeps (${field.kind})`);
  const { shadow } = region;
  if (shadow === undefined || size === 0) return;
  for (let at = region.origin + offset; at < region.origin + offset + size; at = (at & ~7) + 8) {
    if (shadow.spilled(at)?.place.kind === "kept")
      memoryFault("kept_bytes", region, offset, size, `${what} of what the kernel keeps`);
  }
}

/** Checks that stack bytes to be read have been written. */
export function checkInitialised(
  state: State,
  region: Region,
  offset: number,
  size: number,
  what: string,
): void {
  if (region.shadow === undefined || state.options.uninitialisedStack === "allow") return;
  const at = region.shadow.firstUninitialised(region.origin + offset, size);
  if (at === undefined) return;
  const byte = at - region.origin;
  memoryFault("uninitialised_stack", region, offset, size, `${what} of uninitialised stack (byte ${byte})`);
}

/** For an offset that is within bounds. */
function checkAligned(region: Region, offset: number, size: number, what: string): void {
  if ((offset & (size - 1)) !== 0) memoryFault("misaligned", region, offset, size, `${what} misaligned`);
}

/**
 * Whether accesses of a stack have to be aligned: the kernel wants it of those that it knows to be of the stack. A global function that is given its caller's does not
 * know what memory it is.
 */
const isAligned = (state: State, { place, shadow }: Region): boolean =>
  shadow !== undefined && !(place.kind === "stack" && place.frame < state.depth);

// --- Moving bytes between memory and the processor's scratch words

/** Reads into the scratch word for what memory holds, zero-extended. */
export function fetch(words: Int32Array, view: DataView, at: number, size: number): void {
  if (size === 8) {
    words[LOADED] = view.getInt32(at, true);
    words[LOADED + 1] = view.getInt32(at + 4, true);
    return;
  }
  words[LOADED + 1] = 0;
  if (size === 4) words[LOADED] = view.getInt32(at, true);
  else if (size === 1) words[LOADED] = view.getUint8(at);
  else words[LOADED] = view.getUint16(at, true);
}

/** Writes the low bytes of the scratch word for what memory shall hold. */
export function put(words: Int32Array, view: DataView, at: number, size: number): void {
  const low = words[STORED] ?? 0;
  if (size === 8) {
    view.setInt32(at, low, true);
    view.setInt32(at + 4, words[STORED + 1] ?? 0, true);
  } else if (size === 4) view.setInt32(at, low, true);
  else if (size === 1) view.setUint8(at, low);
  else view.setUint16(at, low, true);
}

// --- Loads and stores

/** Where an access by a pointer of the kernel's goes. */
export const kernelAddress = (state: State, register: number, off: number): bigint =>
  BigInt.asUintN(64, state.value(register) + BigInt(off));

/**
 * Loads into the scratch word, and returns the region of the value loaded; a pointer that a context field gives is left in the
 * scratch word as its address.
 */
export function load(state: State, register: number, off: number, size: Size, aligned: boolean): Region {
  if (state.lostKernelPointer && state.tag(register) === SCALAR)
    throw new Unsupported("a load through a pointer of the kernel's to where the memory image has nothing");
  const region = pointer(state, register, "load");
  if (region.place.kind === "kernel_memory")
    return loadKernel(state, kernelAddress(state, register, off), size);
  if (isArena(region)) return loadArena(state, register, off, size);
  const offset = state.offset(register, region) + off;
  if (region.place.kind === "context") return loadField(state, region, offset, size, aligned);
  const kernels = kernelStructure(state, region);
  if (kernels !== undefined && offset >= 0) return loadKernel(state, kernels + BigInt(offset), size);
  checkBytes(region, offset, size, "read", "load");
  if (region.place.kind === "socket") checkSocketLoad(region, region.place.struct, offset, size);
  if (region.keeps !== undefined && region.keeps.at(offset, size) !== undefined) {
    return loadKept(state, region, region.keeps, offset, size);
  }
  const { shadow } = region;
  if (aligned || isAligned(state, region)) checkAligned(region, offset, size, "load");
  checkInitialised(state, region, offset, size, "load");
  fetch(state.words, region.view, region.origin + offset, size);
  const at = region.origin + offset;
  const spilled = size === 8 && (at & 7) === 0 ? shadow?.spilled(at) : undefined;
  if (shadow !== undefined) checkKept(region, offset, size, "load");
  return spilled ?? SCALAR;
}

/** Where the kernel has the structure behind a pointer to a map or to a task that is held, if the environment says so. */
function kernelStructure(state: State, region: Region): bigint | undefined {
  const { place } = region;
  if (place.kind === "map") return state.environment.mapAddresses?.[place.map];
  if (place.kind !== "kernel_object" || place.struct !== "task_struct" || !region.live) return undefined;
  const { task, otherTasks = [] } = state.environment;
  const pid = state.things.thingOf(region)?.key;
  const current = BigInt(task?.pid ?? DEFAULT_TASK.pid);
  if (pid === current) return state.image.given ? (task?.address ?? TASK_ADDRESS) : undefined;
  return otherTasks.find((other) => BigInt(other.pid) === pid)?.address;
}

function checkSocketLoad(region: Region, struct: SocketStruct, offset: number, size: Size): void {
  const field = socketField(struct, offset, size);
  if (field === undefined)
    memoryFault("context_access", region, offset, size, "load that no field of the socket allows");
  if (isLeftOver(region, struct, field.name))
    throw new Unsupported("IPv6 addresses of an IPv4 socket, which are what an earlier socket left");
  // Linux 6.18 loads 64 bits of ones where its verifier takes the upper half for zeros.
  if (field.name === "rx_queue_mapping" && size === 4)
    throw new Unsupported("the queue of a socket that has none");
}

/** Loads a pointer that lies in a map's value or in an object. */
function loadKept(state: State, region: Region, keeps: KeptBytes, offset: number, size: Size): Region {
  const field = keeps.at(offset, size);
  const target = field?.offset === offset && size === 8 ? keeps.load(field) : undefined;
  if (target === undefined) {
    const kind = field?.kind ?? "nothing";
    return memoryFault("kept_bytes", region, offset, size, `load of bytes that the kernel keeps (${kind})`);
  }
  const { low, high } = target === SCALAR ? { low: 0, high: 0 } : addressIn(target, 0);
  state.words[LOADED] = low;
  state.words[LOADED + 1] = high;
  return target;
}

/** Stores the scratch word; `tag` is the region of the value stored, or nothing for an immediate. */
export function store(
  state: State,
  register: number,
  off: number,
  size: Size,
  aligned: boolean,
  tag: Region | undefined,
): void {
  const region = pointer(state, register, "store");
  if (isArena(region)) return storeArena(state, register, off, size);
  if (region.place.kind === "kernel_memory")
    return storeKernel(state, kernelAddress(state, register, off), size, STORED_AT, "store");
  const offset = state.offset(register, region) + off;
  if (region.place.kind === "context") {
    storeField(state, region, offset, size, aligned, tag === undefined);
    return;
  }
  checkBytes(region, offset, size, "write", "store");
  const field = region.keeps?.at(offset, size);
  if (field !== undefined) {
    const isPointer = field.offset === offset && size === 8;
    if (isPointer && region.keeps?.store(field, tag ?? SCALAR) === true) return;
    memoryFault("kept_bytes", region, offset, size, `store to bytes that the kernel keeps (${field.kind})`);
  }
  const { shadow } = region;
  if (aligned || isAligned(state, region)) checkAligned(region, offset, size, "store");
  const at = region.origin + offset;
  put(state.words, region.view, at, size);
  if (shadow === undefined) return;
  if (size === 8 && (at & 7) === 0 && tag !== undefined && tag !== SCALAR) shadow.spill(at, tag);
  else shadow.write(at, size);
}

/** The checks for an atomic operation on memory; returns the place. */
export function atomicPlace(
  state: State,
  register: number,
  off: number,
  size: number,
): { readonly region: Region; readonly at: number } {
  const region = pointer(state, register, "atomic operation");
  const offset = state.offset(register, region) + off;
  if (region.place.kind === "context") {
    memoryFault("context_access", region, offset, size, "atomic operation on the context");
  }
  checkBytes(region, offset, size, "read", "atomic operation");
  checkBytes(region, offset, size, "write", "atomic operation");
  checkAligned(region, offset, size, "atomic operation");
  checkKept(region, offset, size, "atomic operation");
  checkInitialised(state, region, offset, size, "atomic operation");
  return { region, at: region.origin + offset };
}

// --- The context

function fieldOf(
  state: State,
  region: Region,
  offset: number,
  size: Size,
  access: "read" | "write",
): ContextField {
  const field = state.input.context.field(access, offset, size);
  const what = access === "read" ? "load" : "store";
  return (
    field ??
    memoryFault("context_access", region, offset, size, `${what} that no field of the context allows`)
  );
}

function loadField(state: State, region: Region, offset: number, size: Size, aligned: boolean): Region {
  if (aligned) memoryFault("context_access", region, offset, size, "load with acquire from the context");
  const { value, name } = fieldOf(state, region, offset, size, "read");
  if (value === "scalar") {
    fetch(state.words, region.view, region.origin + offset, size);
    return SCALAR;
  }
  if (value === "btf_id") {
    // Of a function's arguments it is not known which are pointers.
    if (!state.image.given && !TRACES_FUNCTION.has(state.loaded.program.type))
      throw new Unsupported(`the context field ${name} without a memory image`);
    fetch(state.words, region.view, region.origin + offset, size);
    if (size !== 8) return SCALAR;
    return kernelPointerOrNumber(state, region.view.getBigUint64(region.origin + offset, true));
  }
  if (value === "socket" && state.loaded.program.type === "sk_lookup") return loadNull(state);
  if (value === "sock_common" && state.input.socketBuffer !== undefined)
    return loadSocket(state, state.input.socketBuffer);
  if (value === "socket" || value === "sock_common") return loadHookSocket(state, name);
  const target = targetOf(value, state);
  if (value === "tp_buffer" && target === undefined)
    throw new Unsupported("a tracepoint's record without one in the environment");
  const at = target === undefined ? undefined : pointedAt(value, target);
  if (target === undefined || at === undefined) throw new Unsupported(`the context field ${name}`);
  const { low, high } = addressIn(target, at);
  state.words[LOADED] = low;
  state.words[LOADED + 1] = high;
  return target;
}

/** What a field that is no number and no object points into. */
function targetOf(value: ContextField["value"], { input }: State): Region | undefined {
  if (value === "flow_keys") return input.flowKeys;
  return value === "tp_buffer" ? input.tracepointRecord : input.packet?.region;
}

/** The socket that a packet belongs to. */
function loadSocket(state: State, socketBuffer: SocketBuffer): Region {
  const target = state.sockets.ofPacket(socketBuffer);
  return target === undefined ? loadNull(state) : loadStart(state, target);
}

/** The socket that the hook is about. Nobody takes over from another one where sockets are chosen (`migrating_sk`). */
function loadHookSocket(state: State, name: string): Region {
  if (name === "migrating_sk") return loadNull(state);
  const socket = state.environment.hookSocket?.socket;
  if (socket === undefined) throw new Unsupported(`the context field ${name} without the hook's socket`);
  return loadStart(state, state.sockets.ofHook(socket));
}

function loadStart({ words }: State, target: Region): Region {
  const { low, high } = addressIn(target, 0);
  words[LOADED] = low;
  words[LOADED + 1] = high;
  return target;
}

/** A pointer to a socket that has not been chosen. */
function loadNull({ words }: State): Region {
  words[LOADED] = 0;
  words[LOADED + 1] = 0;
  return SCALAR;
}

/** Where in its region a field points; `undefined` for what points into none of these. */
function pointedAt(value: ContextField["value"], { start, end }: Region): number | undefined {
  switch (value) {
    case "packet":
    case "flow_keys":
    case "tp_buffer":
      return 0;
    case "packet_end":
      return end;
    case "packet_meta":
      return start;
    default:
      return undefined;
  }
}

function storeField(
  state: State,
  region: Region,
  offset: number,
  size: Size,
  aligned: boolean,
  immediate: boolean,
): void {
  if (aligned) memoryFault("context_access", region, offset, size, "store with release to the context");
  const field = fieldOf(state, region, offset, size, "write");
  const { context } = state.input;
  const before = field.size === 4 ? region.view.getUint32(region.origin + field.offset, true) : 0;
  put(state.words, region.view, region.origin + offset, size);
  context.settle(field, before, immediate);
}
