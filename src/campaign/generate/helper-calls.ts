/** Calls of helpers made from their prototypes: any helper of the profile that the program's kind may call and the machine has, with arguments of the classes that it takes. */
import type { Argument, Prototype } from "../../semantics/profile/profile.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import {
  CONTEXT,
  drawer,
  type Emit,
  FRAME,
  HANDED,
  immediate,
  pick,
  slip,
  slotOffset,
  type Writer,
} from "./context.ts";
import { type Held, memory, NOTHING, NUMBER } from "./held.ts";
import type { Callable } from "./kinds.ts";
import { MAP_NAMES, type MapName, mapNamed } from "./maps.ts";
import { found } from "./memory.ts";

/**
 * What this does not call: what has steps of its own, since its calls belong together; and what signals processes or writes their memory, since programs may be
 * run by kernels too.
 */
const NOT_HERE: ReadonlySet<string> = new Set([
  "tail_call",
  "loop",
  "for_each_map_elem",
  "user_ringbuf_drain",
  "find_vma",
  "spin_lock",
  "spin_unlock",
  "ringbuf_reserve",
  "map_lookup_percpu_elem",
  "kptr_xchg",
  "send_signal",
  "send_signal_thread",
  "probe_write_user",
]);

/** The classes of arguments that are made here. */
const MADE: ReadonlySet<Argument["kind"]> = new Set([
  "const_map_ptr",
  "map_key",
  "map_value",
  "mem",
  "const_size",
  "const_size_or_zero",
  "ctx",
  "anything",
  "scalar",
  "const_str",
  "const_alloc_size_or_zero",
  "btf_id_sock_common",
  "sock_common",
]);
const RESULTS: ReadonlySet<Prototype["returns"]["kind"]> = new Set([
  "integer",
  "void",
  "map_value",
  "socket",
  "sock_common",
]);

const mayBeMade = (callable: Callable): boolean =>
  !NOT_HERE.has(callable.name) &&
  callable.prototype.args.every(({ kind }) => MADE.has(kind)) &&
  RESULTS.has(callable.prototype.returns.kind);

const candidates = new WeakMap<ReadonlyMap<string, Callable>, readonly Callable[]>();

function candidatesOf(helpers: ReadonlyMap<string, Callable>): readonly Callable[] {
  let known = candidates.get(helpers);
  if (known === undefined) {
    known = [...helpers.values()].filter(mayBeMade);
    candidates.set(helpers, known);
  }
  return known;
}

const mapsFor = new WeakMap<Callable, readonly MapName[]>();

/** The maps of programs that a helper takes. */
function mapsOf(callable: Callable): readonly MapName[] {
  let known = mapsFor.get(callable);
  if (known === undefined) {
    known = MAP_NAMES.filter((name) => fits(callable, name));
    mapsFor.set(callable, known);
  }
  return known;
}

/** Maps of sockets, devices and programs hold nothing that could be written as a value. */
const HOLDS_REFERENCES: ReadonlySet<string> = new Set([
  "sockmap",
  "sockhash",
  "xskmap",
  "array_of_maps",
  "hash_of_maps",
]);

function fits({ maps, name: helper, prototype }: Callable, name: MapName): boolean {
  const { type, fields, frozen } = mapNamed(name);
  if (maps?.includes(type) !== true || (fields !== undefined && name !== "locked")) return false;
  const values = prototype.args.some(({ kind }) => kind === "map_value");
  if (values && HOLDS_REFERENCES.has(type)) return false;
  return frozen !== true || helper === "map_lookup_elem";
}

/** A call in the making: where the next buffer on the stack may be, and the map. */
interface Call {
  readonly w: Writer;
  readonly callable: Callable;
  readonly draw: (limit: number) => number;
  nextSlot: number;
  map: MapDefinition | undefined;
  mapName: MapName | undefined;
}

/** Slots for buffers. */
const BUFFERS = HANDED + 9;

/** So many bytes of the stack, written if helpers read them; `undefined` if there are no more. @returns the slot of the lowest byte */
function buffer(call: Call, size: number, written: boolean): number | undefined {
  const { draft } = call.w;
  const count = Math.max(1, Math.ceil(size / 8));
  const last = call.nextSlot + count - 1;
  if (last >= BUFFERS) return undefined;
  if (written) {
    for (let slot = call.nextSlot; slot <= last; slot += 1)
      draft.emit("stdw", { dst: FRAME, off: slotOffset(slot), imm: immediate(call.draw(0x10000)) });
  }
  call.nextSlot = last + 1;
  return last;
}

const has = (argument: Argument, flag: "ptr_maybe_null" | "mem_uninit" | "mem_write"): boolean =>
  argument.flags?.includes(flag) === true;

/** Memory for a helper and, in the next register, its size. @returns whether there is any */
function sized(call: Call, number: number, argument: Argument, size: Argument): boolean {
  const { w, draw } = call;
  const { draft } = w;
  const writes = has(argument, "mem_uninit") || has(argument, "mem_write");
  if (has(argument, "ptr_maybe_null") && draw(4) === 0) {
    draft.emit("mov64_imm", { dst: number, imm: 0 });
    draft.emit("mov64_imm", { dst: number + 1, imm: 0 });
    return true;
  }
  const there = w.holding(draw(16), (held) => isUsable(call, held, writes));
  const room = there === undefined ? 8 * (1 + draw(3)) : roomOf(w.draft.held(there));
  const least = size.kind === "const_size" ? 1 : 0;
  const bounded =
    draw(3) === 0
      ? w.holding(draw(16), (held) => held.kind === "number" && held.most !== undefined && held.most <= room)
      : undefined;
  const usesBound = bounded !== undefined && bounded > number + 1;
  const fixed = fixedSize(call.callable.name, number) ?? least + draw(room - least + 1);
  const needed = usesBound ? room : fixed;
  if (there !== undefined && there > number && needed <= room) w.copy(number, there);
  else {
    const slot = buffer(call, Math.max(needed, 1), !has(argument, "mem_uninit") || draw(4) === 0);
    if (slot === undefined) return false;
    w.pointToSlot(number, slot);
    w.drop(number);
  }
  if (!usesBound) draft.emit("mov64_imm", { dst: number + 1, imm: fixed + slip(draw(256)) * 64 });
  else {
    draft.emit("mov64_reg", { dst: number + 1, src: bounded });
    if (least > 0) draft.emit("or64_imm", { dst: number + 1, imm: 1 });
  }
  return true;
}

/** Helpers that want structures of certain sizes: `struct bpf_fib_lookup`, `bpf_sock_tuple`, `bpf_redir_neigh`, …. */
const FIXED_SIZES: ReadonlyMap<string, number> = new Map([
  ["fib_lookup", 64],
  ["sk_lookup_tcp", 12],
  ["sk_lookup_udp", 12],
  ["skc_lookup_tcp", 12],
  ["skb_get_tunnel_key", 44],
  ["skb_set_tunnel_key", 44],
  ["redirect_neigh", 20],
  ["perf_event_read_value", 24],
  ["get_ns_current_pid_tgid", 8],
  ["get_stack", 64],
  ["csum_diff", 8],
]);

/** The text that helpers are given has three numbers in it, in the fourth argument. */
const fixedSize = (helper: string, number: number): number | undefined =>
  helper === "snprintf" && number === 4 ? 24 : FIXED_SIZES.get(helper);

const roomOf = (held: Held): number =>
  Math.min(held.kind === "memory" ? held.size : held.kind === "packet" ? held.range : 0, 512);

function isUsable({ callable }: Call, held: Held, writes: boolean): boolean {
  if (held.kind === "packet")
    return callable.prototype.packetMemory === true && held.range > 0 && !held.meta && !writes;
  return (
    held.kind === "memory" && held.plain && held.life === 0 && held.size > 0 && (held.writable || !writes)
  );
}

/** A value for a map, or room for one. */
function valueFor(call: Call, number: number, argument: Argument): boolean {
  const { w, draw, map } = call;
  if (map === undefined) return false;
  if (has(argument, "ptr_maybe_null") && draw(2) === 0) {
    w.draft.emit("mov64_imm", { dst: number, imm: 0 });
    return true;
  }
  const there = w.holding(
    draw(16),
    (held) => held.kind === "memory" && held.plain && held.life === 0 && held.size >= map.valueSize,
  );
  if (there !== undefined && there > number) {
    w.copy(number, there);
    return true;
  }
  const slot = buffer(call, map.valueSize, !has(argument, "mem_uninit"));
  if (slot === undefined) return false;
  w.pointToSlot(number, slot);
  return true;
}

function keyOf(call: Call, number: number): boolean {
  const { w, draw, map } = call;
  if (map === undefined) return false;
  const slot = buffer(call, map.keySize, false);
  if (slot === undefined) return false;
  const count = Math.ceil(map.keySize / 8);
  for (let i = 0; i < count; i += 1)
    w.draft.emit("stdw", { dst: FRAME, off: slotOffset(slot - i), imm: draw(map.keySize === 4 ? 3 : 8) });
  w.pointToSlot(number, slot);
  return true;
}

function socketFor({ w, draw }: Call, number: number): boolean {
  const socket = w.holding(draw(8), ({ kind }) => kind === "socket");
  if (socket === undefined || socket <= number) return false;
  w.copy(number, socket);
  return true;
}

/** Any number: one that is there, one near an edge, or 0, as flags mostly are. */
function anything({ w, draw, callable }: Call, number: number): void {
  const src = draw(3) === 0 ? w.number(draw(16)) : undefined;
  if (src !== undefined && src > number) w.draft.emit("mov64_reg", { dst: number, src });
  else {
    const flags = number >= callable.prototype.args.length && draw(4) > 0;
    w.draft.emit("mov64_imm", {
      dst: number,
      imm: flags ? 0 : draw(2) === 0 ? draw(64) : immediate(draw(0x10000)),
    });
  }
}

/** Makes the argument in register `number`. @returns whether that could be done */
function make(call: Call, argument: Argument, number: number): boolean {
  const { w, callable } = call;
  const next = callable.prototype.args[number];
  switch (argument.kind) {
    case "ctx":
      if (!w.hasContext) return false;
      w.draft.emit("mov64_reg", { dst: number, src: CONTEXT });
      return true;
    case "const_map_ptr":
      if (call.mapName === undefined) return false;
      w.loadMap(number, call.mapName);
      return true;
    case "map_key":
      return keyOf(call, number);
    case "map_value":
      return valueFor(call, number, argument);
    case "mem":
      if (next?.kind === "const_size" || next?.kind === "const_size_or_zero")
        return sized(call, number, argument, next);
      return fixedMemory(call, number, argument);
    case "const_size":
    case "const_size_or_zero":
      // Made with the memory.
      return true;
    case "const_str":
      w.draft.emit("ld_imm64_map_value", { dst: number, imm: w.map("text") });
      return true;
    case "const_alloc_size_or_zero":
      w.draft.emit("mov64_imm", { dst: number, imm: 8 * call.draw(6) });
      return true;
    case "btf_id_sock_common":
    case "sock_common":
      return socketFor(call, number);
    case "anything":
    case "scalar":
      anything(call, number);
      return true;
    default:
      return false;
  }
}

function fixedMemory(call: Call, number: number, argument: Argument): boolean {
  if (argument.size === undefined) return false;
  const slot = buffer(call, argument.size, !has(argument, "mem_uninit"));
  if (slot === undefined) return false;
  call.w.pointToSlot(number, slot);
  return true;
}

/** The arguments in the order of their registers, so that what is copied is in those that come later. */
function makeArguments(call: Call): boolean {
  return call.callable.prototype.args.every((argument, index) => {
    const made = make(call, argument, index + 1);
    // Arguments that are ready are nothing that others may take.
    call.w.drop(index + 1);
    if (argument.kind === "mem") call.w.drop(index + 2);
    return made;
  });
}

/** Calls a helper that the program's kind has. */
export const anyHelper: Emit = (w, { a, b, c }) => {
  if (w.locked) return;
  const callable = pick(candidatesOf(w.abilities.helpers), a);
  if (callable !== undefined) callAny(w, callable, b, c);
};

function callAny(w: Writer, callable: Callable, b: number, c: number): void {
  const draw = drawer(c);
  const takesMap = callable.prototype.args.some(({ kind }) => kind === "const_map_ptr");
  const mapName = takesMap ? pick(mapsOf(callable), b) : undefined;
  if (takesMap && (mapName === undefined || !w.mayUse(mapName))) return;
  if (!w.hasContext && callable.prototype.args.some(({ kind }) => kind === "ctx")) return;
  const map = mapName === undefined ? undefined : mapNamed(mapName);
  const call: Call = { w, callable, draw, nextSlot: HANDED, map, mapName };
  if (!makeArguments(call)) {
    // What was begun is of no use: its registers hold what nobody knows of.
    for (let r = 1; r <= 5; r += 1) w.drop(r);
    return;
  }
  // It takes flags of which its prototype says nothing.
  if (callable.name === "get_branch_snapshot") w.draft.emit("mov64_imm", { dst: 3, imm: b % 2 });
  w.call(callable.name, NOTHING);
  result(call, b >> 4);
}

function result({ w, callable, map }: Call, choice: number): void {
  const { kind, flags } = callable.prototype.returns;
  const { draft } = w;
  if (kind === "integer") draft.set(0, NUMBER);
  else if (kind === "map_value" && map !== undefined) {
    if (map.type === "array_of_maps" || map.type === "hash_of_maps") return;
    if (HOLDS_REFERENCES.has(map.type)) return released(w);
    const size = map.fields === undefined ? map.valueSize : 0;
    const held = memory(size);
    if (flags?.includes("ptr_maybe_null") === true) found(w, held, choice);
    else draft.set(0, held);
  } else if (kind === "socket" || kind === "sock_common") released(w, callable.name);
}

/** Look-ups of sockets give references: they are given back at once, or some steps later (`objects.ts`). */
function released(w: Writer, helper = ""): void {
  const { draft } = w;
  if (!REFERENCES.has(helper) && helper !== "") return;
  const over = draft.label();
  draft.jump("jeq64_imm", over, { dst: 0, imm: 0 });
  draft.emit("mov64_reg", { dst: 1, src: 0 });
  w.call("sk_release", NUMBER);
  draft.place(over);
  draft.set(0, NOTHING);
}

const REFERENCES: ReadonlySet<string> = new Set([
  "sk_lookup_tcp",
  "sk_lookup_udp",
  "skc_lookup_tcp",
  "map_lookup_elem",
]);
