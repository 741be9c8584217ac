/** Helpers on ring buffers: records that are reserved and given back, by pointer or by dynptr, and records at once. */

import { pointer } from "../access.ts";
import { E2BIG, EINVAL } from "../errno.ts";
import { fault, memoryFault } from "../fault.ts";
import type { RingBuffer } from "../maps/ring-buffer.ts";
import { DYNPTR_MAX, Dynptr, dynptrAt } from "../objects/dynptr.ts";
import { putInSlots, removeFromSlots } from "../objects/in-slots.ts";
import type { ReservedRecord } from "../objects/record.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

function ringOf(call: Call): RingBuffer {
  const map = call.map(1);
  return map.kind === "ring" ? map : call.refuse(1, "ringbuf", `is a map of type ${map.definition.type}`);
}

/** Reserves a record, which the program has to give back; nothing if there is no room. */
function reserveRecord(call: Call, ring: RingBuffer, size: number): ReservedRecord | undefined {
  const record = ring.reserve(size);
  if (record === undefined) return undefined;
  const place = { kind: "record", map: ring.definition.name } as const;
  const reserved = { ring, record, region: call.state.space.borrow(record, { place }) };
  call.run.records.set(reserved.region, reserved);
  call.run.held.acquire(reserved.region, `a record of map ${ring.definition.name}`);
  return reserved;
}

/** Gives a record back, after which nothing may look at it. */
function commit(
  { run, helper }: Call,
  { ring, record, region }: ReservedRecord,
  discard: boolean,
  flags: bigint,
): void {
  if (!run.held.release(region)) fault("not_held", `call ${helper}: the record was given back before`);
  ring.commit(record, discard, flags);
  region.live = false;
}

function reserve(call: Call): number | undefined {
  const ring = ringOf(call);
  const size = call.offset(2, "size");
  const reserved = call.u64(3, "flags") === 0n ? reserveRecord(call, ring, size) : undefined;
  if (reserved === undefined) return 0;
  call.state.setPointer(0, reserved.region, 0);
  return undefined;
}

function giveBack(call: Call, discard: boolean): undefined {
  const what = call.what(1, "sample");
  const region = pointer(call.state, 1, what);
  const offset = call.state.offset(1, region);
  const reserved = call.run.records.get(region);
  if (reserved === undefined) return call.refuse(1, "sample", "is no record");
  if (offset !== 0) memoryFault("opaque_pointer", region, offset, 0, `${what} was moved`);
  commit(call, reserved, discard, call.u64(2, "flags"));
  return call.noResult();
}

function output(call: Call): number {
  const ring = ringOf(call);
  return ring.output(call.read(2, call.size(3, "size", "zero"), "data"), call.u64(4, "flags"));
}

function reserveDynptr(call: Call): number {
  const ring = ringOf(call);
  const size = call.u32(2, "size");
  const isTooLong = size > DYNPTR_MAX;
  const isRefused = call.u64(3, "flags") !== 0n;
  const reserved = isTooLong || isRefused ? undefined : reserveRecord(call, ring, size);
  const made =
    reserved === undefined
      ? new Dynptr(undefined, 0)
      : new Dynptr({ kind: "ringbuf", region: reserved.region, offset: 0 }, size);
  putInSlots(call, 4, "ptr", made);
  if (isTooLong && !isRefused) return E2BIG;
  return reserved === undefined ? EINVAL : 0;
}

/** Gives back the record that a dynptr leads to; the dynptr, and all that are made of it, lead nowhere from then on. */
function giveBackDynptr(call: Call, discard: boolean): undefined {
  const dynptr = dynptrAt(call, 1, "ptr");
  const { memory } = dynptr;
  const flags = call.u64(2, "flags");
  if (memory?.kind === "ringbuf") {
    const reserved = call.run.records.get(memory.region);
    if (reserved === undefined) throw new Error("a dynptr of a record that nobody reserved");
    commit(call, reserved, discard, flags);
  } else if (memory !== undefined) call.refuse(1, "ptr", "is no dynptr of a record");
  removeFromSlots(call, 1, "ptr", dynptr);
  return call.noResult();
}

export const RING_BUFFER_HELPERS: HelperTable = {
  ringbuf_reserve: reserve,
  ringbuf_submit: (call) => giveBack(call, false),
  ringbuf_discard: (call) => giveBack(call, true),
  ringbuf_output: output,
  ringbuf_query: (call) => ringOf(call).query(call.u64(2, "flags")),
  ringbuf_reserve_dynptr: reserveDynptr,
  ringbuf_submit_dynptr: (call) => giveBackDynptr(call, false),
  ringbuf_discard_dynptr: (call) => giveBackDynptr(call, true),
};
