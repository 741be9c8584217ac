/** Helpers that read and write the bytes of XDP packets. */
import { EFAULT, EINVAL } from "../errno.ts";
import type { Packet } from "../packet.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Offsets and lengths beyond are refused before the packet is looked at. */
const MAX = 0xffff;

/** Whether the packet, in all its buffers, has the bytes: 0 or an error number. */
function check(packet: Packet, offset: number, size: number): number {
  if (offset > MAX || size > MAX) return EFAULT;
  return offset + size > packet.wholeLength ? EINVAL : 0;
}

function loadBytes(call: Call): number {
  const packet = call.packet(1);
  const offset = call.u32(2, "offset");
  const size = call.size(4, "len");
  const out = call.write(3, size, "buf");
  const wrong = check(packet, offset, size);
  if (wrong !== 0) return wrong;
  packet.forParts(offset, size, (bytes, at) => out.set(bytes.slice(), at));
  return 0;
}

function storeBytes(call: Call): number {
  const packet = call.packet(1);
  const offset = call.u32(2, "offset");
  const from = call.read(3, call.size(4, "len"), "buf").slice();
  const wrong = check(packet, offset, from.length);
  if (wrong !== 0) return wrong;
  packet.forParts(offset, from.length, (bytes, at) => bytes.set(from.subarray(at, at + bytes.length)));
  return 0;
}

export const XDP_BYTES_HELPERS: HelperTable = {
  xdp_load_bytes: loadBytes,
  xdp_store_bytes: storeBytes,
  xdp_get_buff_len: (call) => call.packet(1).wholeLength,
};
