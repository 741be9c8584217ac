/** Arguments that point to what the kernel keeps on the stack, or to where it shall. */
import { checkBytes, pointer } from "../access.ts";
import { fault, memoryFault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import type { Region } from "../region.ts";
import type { InSlots } from "./slots.ts";

const SLOT = 8;

/** Puts `thing` where an argument points to. */
export function putInSlots(call: Call, register: number, name: string, thing: InSlots): void {
  const [region, offset] = placeOf(call, register, name, thing);
  const mark = call.state.opaqueRegion({ kind: "kept", what: thing.what });
  call.state.slots.put(region, offset, thing, mark);
}

/** What lies where an argument points to, whole; nothing if there is none. */
export function findInSlots(call: Call, register: number, name: string): InSlots | undefined {
  const region = pointer(call.state, register, call.what(register, name));
  return call.state.slots.find(region, call.state.offset(register, region));
}

/** The slots where an argument points to hold bytes again. */
export function removeFromSlots(call: Call, register: number, name: string, thing: InSlots): void {
  const [region, offset] = placeOf(call, register, name, thing);
  region.shadow?.write(region.origin + offset, thing.size);
}

function placeOf(
  call: Call,
  register: number,
  name: string,
  { what, size }: InSlots,
): readonly [Region, number] {
  const said = call.what(register, name);
  const region = pointer(call.state, register, said);
  const offset = call.state.offset(register, region);
  if (region.place.kind !== "stack") fault("helper_argument", `${said}: ${what} is to lie on the stack`);
  checkBytes(region, offset, size, "write", said);
  if (offset % SLOT !== 0) memoryFault("misaligned", region, offset, size, said);
  return [region, offset];
}
