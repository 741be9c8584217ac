/** Helpers on perf events: what programs send to them, and what they have counted. */
import { Unsupported } from "../../semantics/errors.ts";
import type { CounterValue } from "../environment/tracing.ts";
import { E2BIG, EFAULT, EINVAL, ENOENT, EOPNOTSUPP } from "../errno.ts";
import type { PerfEventArray } from "../maps/slots.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

const INDEX_MASK = 0xffffffffn;
const CURRENT_CPU = 0xffffffff;
const CONTEXT_LENGTH_MASK = 0xfffffn << 32n;

function eventsOf(call: Call, register: number): PerfEventArray {
  const map = call.map(register);
  return map.kind === "events"
    ? map
    : call.refuse(register, "map", `is a map of type ${map.definition.type}`);
}

/** The index that the flags mean. */
function indexOf(call: Call, flags: bigint): number {
  const index = Number(flags & INDEX_MASK);
  return index === CURRENT_CPU ? call.cpu : index;
}

/**
 * Sends a record to the event of a processor, which must be the one that the program runs on; for programs on packets followed by as much of the packet as bits 32
 * to 51 of the flags say.
 */
function output(call: Call): number {
  call.context(1);
  const map = eventsOf(call, 2);
  const flags = call.u64(3, "flags");
  const data = call.read(4, call.size(5, "size", "zero"), "data").slice();
  const { packet } = call.state;
  const known = packet === undefined ? INDEX_MASK : INDEX_MASK | CONTEXT_LENGTH_MASK;
  if ((flags & ~known) !== 0n) return EINVAL;
  const taken = packet?.slice(0, Number((flags & CONTEXT_LENGTH_MASK) >> 32n));
  if (packet !== undefined && taken === undefined) {
    if (packet.fragments.length > 0) throw new Unsupported("records of a packet in several buffers");
    return EFAULT;
  }
  const index = indexOf(call, flags);
  if (index < map.definition.maxEntries && map.at(index) !== undefined && index !== call.cpu)
    return EOPNOTSUPP;
  const record = Buffer.concat([data, taken ?? new Uint8Array(0)]);
  return map.output(index, Uint8Array.from(record));
}

const NOTHING: CounterValue = { counter: 0n, enabled: 0n, running: 0n };

/** What an event has counted; or a negative error number. */
function counted(call: Call, map: PerfEventArray, flags: bigint): CounterValue | number {
  if ((flags & ~INDEX_MASK) !== 0n) return EINVAL;
  const index = indexOf(call, flags);
  if (index >= map.definition.maxEntries) return E2BIG;
  if (map.at(index) === undefined) return ENOENT;
  return call.state.environment.counters?.[map.definition.name]?.[index] ?? NOTHING;
}

function read(call: Call): bigint | number {
  const value = counted(call, eventsOf(call, 1), call.u64(2, "flags"));
  return typeof value === "number" ? value : value.counter;
}

/** Bytes of `struct bpf_perf_event_value`. */
const VALUE = 24;

function readValue(call: Call): number {
  const map = eventsOf(call, 1);
  const flags = call.u64(2, "flags");
  const out = call.write(3, call.size(4, "buf_size"), "buf");
  out.fill(0);
  const value = out.length === VALUE ? counted(call, map, flags) : EINVAL;
  if (typeof value === "number") return value;
  const words = BigUint64Array.of(value.counter, value.enabled, value.running);
  out.set(new Uint8Array(words.buffer));
  return 0;
}

export const PERF_HELPERS: HelperTable = {
  perf_event_output: output,
  perf_event_read: read,
  perf_event_read_value: readValue,
};
