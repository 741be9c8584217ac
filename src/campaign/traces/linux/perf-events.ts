/** What perf_event_open(2) is given: `struct perf_event_attr`, with the numbers that this kernel has for tracepoints. */
import { errnoName, KernelError } from "../../../oracle/linux/errno.ts";
import { resultOf, room, systemCall, text } from "./syscalls.ts";
import type { World } from "./world.ts";

export const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_TYPE_SOFTWARE = 1;
const PERF_TYPE_TRACEPOINT = 2;
const PERF_ATTR_SIZE = 64;
const PERF_COUNT_SW_DUMMY = 9n;
const DISABLED = 1n;
const FSCONFIG_CMD_CREATE = 6;

/** An event that does not count: of a tracepoint, by its group and name, or of nothing. */
export function eventAttribute(world: World, tracepoint: string | undefined): Uint8Array {
  const bytes = new Uint8Array(PERF_ATTR_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, tracepoint === undefined ? PERF_TYPE_SOFTWARE : PERF_TYPE_TRACEPOINT, true);
  view.setUint32(4, PERF_ATTR_SIZE, true);
  view.setBigUint64(8, tracepoint === undefined ? PERF_COUNT_SW_DUMMY : numberOf(world, tracepoint), true);
  view.setBigUint64(40, DISABLED, true);
  return bytes;
}

const NUMBERS = new WeakMap<World, Map<string, bigint>>();

/** By a mount of the tracing file system that is nowhere. @throws KernelError  where there is no such tracepoint */
function numberOf(world: World, tracepoint: string): bigint {
  const known = NUMBERS.get(world) ?? new Map<string, bigint>();
  NUMBERS.set(world, known);
  const before = known.get(tracepoint);
  if (before !== undefined) return before;
  const digits = room(20);
  const of = (call: number): { resultOf: number } => ({ resultOf: call });
  const outcomes = world.oversee([
    systemCall("fsopen", text("tracefs"), 0),
    systemCall("fsconfig", of(0), FSCONFIG_CMD_CREATE, 0, 0, 0),
    systemCall("fsmount", of(0), 0, 0),
    systemCall("close", of(0)),
    systemCall("openat", of(2), text(`events/${tracepoint}/id`), 0, 0),
    systemCall("close", of(2)),
    systemCall("read", of(4), digits, digits.bytes.length),
    systemCall("close", of(4)),
  ]);
  const length = resultOf(outcomes[6]);
  if (length < 0) throw new KernelError(`the number of the tracepoint ${tracepoint}`, errnoName(-length));
  const number = BigInt(Buffer.from(digits.bytes.subarray(0, length)).toString("latin1").trim());
  known.set(tracepoint, number);
  return number;
}
