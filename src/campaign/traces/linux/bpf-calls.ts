/** bpf(2) of a trace as a system call: descriptors as they are, ids as the kernel has them. */
import { attributeBytes, changesOf, type Pointed } from "../../../kernel/commands/attribute.ts";
import type { BpfOperation } from "../../../kernel/operations/bpf.ts";
import type { Answer, ObjectKind } from "../../../kernel/system.ts";
import type { Memory } from "../../../oracle/linux/calls.ts";
import { COMMANDS, type Command } from "../../../semantics/abi/bpf-commands.ts";
import type { LinuxTrace } from "./linux-trace.ts";

/** Types of maps whose elements read as ids, and of what: program arrays, arrays and hash tables of maps. */
const ID_MAPS: ReadonlyMap<number, ObjectKind> = new Map([
  [3, "program"],
  [12, "map"],
  [13, "map"],
]);
/** Types of maps whose elements read as numbers of sockets: sockmap, sockhash, reuseport_sockarray. */
const SOCKET_MAPS: readonly number[] = [15, 18, 20];
const KINDS: Readonly<Record<string, ObjectKind>> = { prog: "program", map: "map", link: "link", btf: "btf" };
const ENOENT = -2;

/** Which kind of id a command is given. */
const kindOf = (command: Command): ObjectKind | undefined =>
  KINDS[/^(prog|map|link|btf)_get_(?:fd_by|next)_id$/.exec(command)?.[1] ?? ""];

/** A call that can be made: its attribute, and what the attribute leads to. */
interface Call {
  readonly attribute: Memory;
  readonly before: Uint8Array;
  readonly pointed: readonly Pointed[];
  readonly size: number;
}

function prepare(operation: BpfOperation): Call {
  const { command } = operation;
  const fields: Readonly<Record<string, readonly [number, number, unknown?]>> =
    typeof command === "number" ? {} : COMMANDS[command].fields;
  const pointers: [number, Memory][] = [];
  const pointed: Pointed[] = [];
  const bytes = attributeBytes(operation, (field, now) => {
    pointed.push({ field, before: now.slice(), now });
    pointers.push([fields[field]?.[0] ?? 0, { bytes: now, back: "all" }]);
    return 0n;
  });
  const attribute: Memory = { bytes, back: "all", pointers };
  return { attribute, before: bytes.slice(), pointed, size: operation.size ?? bytes.length };
}

/** Makes the call; `attribute` is then as the kernel left it, but for addresses. */
function make(trace: LinuxTrace, process: number, command: number, call: Call): number {
  const { attribute, size } = call;
  const result = trace.call(process, "bpf", command, attribute, size);
  // Addresses are no answer.
  for (const [offset] of attribute.pointers ?? [])
    attribute.bytes.set(call.before.subarray(offset, offset + 8), offset);
  return result;
}

export function doBpf(trace: LinuxTrace, operation: BpfOperation): Answer {
  const { process, command } = operation;
  const call = prepare(operation);
  if (typeof command === "number") return { result: make(trace, process, command, call) };
  const kind = kindOf(command);
  if (kind !== undefined && command.includes("next")) return nextId(trace, process, command, kind, call);
  if (kind !== undefined) putId(trace, call.attribute.bytes, kind);
  const before = call.attribute.bytes.slice();
  const result = make(trace, process, COMMANDS[command].number, call);
  if (command === "map_create" && result >= 0) trace.mapTypes.push(u32(call.attribute.bytes, 0));
  if (result >= 0 && command.startsWith("map_lookup")) showOurIds(trace, process, call);
  return { result, out: changesOf(command, before, call.attribute.bytes, call.pointed) };
}

const u32 = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

function setU32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);
}

/** The id is the first field. */
function putId(trace: LinuxTrace, attribute: Uint8Array, kind: ObjectKind): void {
  if (attribute.length >= 4) setU32(attribute, 0, trace.idOf(kind, u32(attribute, 0)));
}

/** The value of an element of a map that holds objects is an id. */
function showOurIds(trace: LinuxTrace, process: number, { attribute, pointed }: Call): void {
  const fd = u32(attribute.bytes, 0);
  const map = trace.running.get(process)?.find((each) => each.fd === fd);
  const type = trace.mapTypes[(map?.id ?? 0) - 1] ?? 0;
  const held = ID_MAPS.get(type);
  const value = pointed.find(({ field }) => field === "value")?.now;
  if (SOCKET_MAPS.includes(type) && value !== undefined && value.length >= 8) {
    const view = new DataView(value.buffer, value.byteOffset);
    view.setBigUint64(0, cookie(trace, view.getBigUint64(0, true)), true);
  }
  if (held === undefined || value === undefined || value.length < 4) return;
  setU32(value, 0, trace.ours(held, u32(value, 0)) ?? 0);
}

/** The kernel's numbers of sockets, in the order in which they are seen. */
const COOKIES = new WeakMap<LinuxTrace, bigint[]>();

function cookie(trace: LinuxTrace, number: bigint): bigint {
  const known = COOKIES.get(trace) ?? [];
  COOKIES.set(trace, known);
  if (!known.includes(number)) known.push(number);
  return BigInt(known.indexOf(number) + 1);
}

/** Other people's objects are passed over. */
function nextId(trace: LinuxTrace, process: number, command: Command, kind: ObjectKind, call: Call): Answer {
  const { bytes } = call.attribute;
  if (bytes.length < 8) return { result: make(trace, process, COMMANDS[command].number, call) };
  const start = u32(bytes, 0);
  const later = trace.idsAfter(kind, start);
  putId(trace, bytes, kind);
  for (;;) {
    const result = make(trace, process, COMMANDS[command].number, call);
    if (result < 0) return { result };
    const id = u32(bytes, 4);
    const ours = trace.ours(kind, id);
    if (ours !== undefined && later.includes(ours)) return { result, out: { next_id: ours } };
    if (later.every((each) => trace.idOf(kind, each) < id)) return { result: ENOENT };
    setU32(bytes, 0, id);
  }
}
