/** Helpers that read and write the bytes of XDP packets. */
import { EFAULT, EINVAL } from "../errno.ts";
import type { Packet } from "../packet.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Offsets and lengths beyond are refused before the packet is looked at. */
const MAX = 0xffff;

function bytesOf(packet: Packet, offset: number, size: number): Uint8Array | number {
  if (offset > MAX || size > MAX) return EFAULT;
  return packet.slice(offset, size) ?? EINVAL;
}

function loadBytes(call: Call): number {
  const packet = call.packet(1);
  const offset = call.u32(2, "offset");
  const size = call.size(4, "len");
  const out = call.write(3, size, "buf");
  const found = bytesOf(packet, offset, size);
  if (typeof found === "number") return found;
  out.set(found.slice());
  return 0;
}

function storeBytes(call: Call): number {
  const packet = call.packet(1);
  const offset = call.u32(2, "offset");
  const from = call.read(3, call.size(4, "len"), "buf").slice();
  const target = bytesOf(packet, offset, from.length);
  if (typeof target === "number") return target;
  target.set(from);
  return 0;
}

export const XDP_BYTES_HELPERS: HelperTable = {
  xdp_load_bytes: loadBytes,
  xdp_store_bytes: storeBytes,
  xdp_get_buff_len: (call) => call.packet(1).length,
};
