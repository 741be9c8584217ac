/** Helpers on dynptrs. */

import { E2BIG, EINVAL } from "../errno.ts";
import { DYNPTR_MAX, Dynptr, dynptrAt } from "../objects/dynptr.ts";
import { putInSlots } from "../objects/in-slots.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

function fromMemory(call: Call): number {
  const size = call.size(2, "size", "zero");
  const [region, offset] = call.writable(1, size, "data");
  const flags = call.u64(3, "flags");
  const error = size > DYNPTR_MAX ? E2BIG : flags === 0n ? 0 : EINVAL;
  const made = error === 0 ? new Dynptr({ kind: "local", region, offset }, size) : new Dynptr(undefined, 0);
  putInSlots(call, 4, "ptr", made);
  return error;
}

function read(call: Call): number {
  const out = call.write(1, call.size(2, "len", "zero"), "dst");
  const dynptr = dynptrAt(call, 3, "src");
  const offset = call.offset(4, "offset");
  return call.u64(5, "flags") === 0n ? dynptr.read(out, offset) : EINVAL;
}

function write(call: Call): number {
  const dynptr = dynptrAt(call, 1, "dst");
  const from = call.read(3, call.size(4, "len", "zero"), "src");
  return dynptr.write(from, call.offset(2, "offset"), call.u64(5, "flags"));
}

/** A pointer into the dynptr's memory, unless it may only be read or is a packet's. */
function data(call: Call): number | undefined {
  const dynptr = dynptrAt(call, 1, "ptr");
  const [offset, size] = [call.offset(2, "offset"), call.size(3, "len", "zero")];
  const inPieces = dynptr.memory?.kind !== "local" && dynptr.memory?.kind !== "ringbuf";
  if (inPieces || dynptr.readOnly || !dynptr.covers(offset, size)) return 0;
  const place = dynptr.place(offset, size);
  if (place === undefined) return 0;
  call.state.setPointer(0, place.region, place.offset);
  return undefined;
}

export const DYNPTR_HELPERS: HelperTable = {
  dynptr_from_mem: fromMemory,
  dynptr_read: read,
  dynptr_write: write,
  dynptr_data: data,
};
