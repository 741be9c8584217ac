/** Helpers that resize XDP packets. */
import { EACCES, EINVAL } from "../errno.ts";
import { XDP_FRAME } from "../input.ts";
import { ETHERNET_HEADER, PAGE, type Packet } from "../packet.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Metadata is a multiple of this many bytes, and at most 255 fit the kernel's count. */
const METADATA_UNIT = 4;
const METADATA_MAX = 255;

function adjustHead(call: Call): number {
  const packet = call.packet(1);
  const data = packet.data + call.i32(2, "delta");
  const metadata = packet.data - packet.meta;
  if (data < XDP_FRAME + metadata || data > packet.end - ETHERNET_HEADER) {
    packet.invalidate();
    return EINVAL;
  }
  packet.buffer.copyWithin(data - metadata, packet.meta, packet.data);
  packet.resize(data - metadata, data, packet.end);
  return 0;
}

function adjustTail(call: Call): number {
  const packet = call.packet(1);
  const delta = call.i32(2, "delta");
  if (packet.fragments.length > 0) {
    const done = delta < 0 ? shrinkFragments(packet, -delta | 0) : growFragment(packet, delta);
    packet.invalidate();
    return done;
  }
  const end = packet.end + delta;
  if (end > packet.buffer.length || end < packet.data + ETHERNET_HEADER) {
    packet.invalidate();
    return EINVAL;
  }
  if (end > packet.end) packet.buffer.fill(0, packet.end, end);
  packet.resize(packet.meta, packet.data, end);
  return 0;
}

/** The last buffers go first; what is left to take is taken from the first one. The least of all numbers, which has no opposite, takes nothing. */
function shrinkFragments(packet: Packet, size: number): number {
  if (size > packet.wholeLength - ETHERNET_HEADER) return EINVAL;
  let left = size;
  for (let last = packet.fragments.at(-1); last !== undefined && left > 0; last = packet.fragments.at(-1)) {
    const taken = Math.min(left, last.length);
    left -= taken;
    last.length -= taken;
    if (last.length > 0) break;
    packet.fragments.pop();
  }
  if (packet.fragments.length === 0) packet.resize(packet.meta, packet.data, packet.end - left);
  return 0;
}

/** The last buffer grows within its page. */
function growFragment({ fragments }: Packet, size: number): number {
  const last = fragments.at(-1);
  if (last === undefined || last.length + size > PAGE) return EINVAL;
  last.page.fill(0, last.length, last.length + size);
  last.length += size;
  return 0;
}

function adjustMeta(call: Call): number {
  const packet = call.packet(1);
  const meta = packet.meta + call.i32(2, "delta");
  const length = packet.data - meta;
  if (meta < XDP_FRAME || length < 0) {
    packet.invalidate();
    return EINVAL;
  }
  if (length % METADATA_UNIT !== 0 || length > METADATA_MAX) {
    packet.invalidate();
    return EACCES;
  }
  packet.resize(meta, packet.data, packet.end);
  return 0;
}

export const XDP_HELPERS: HelperTable = {
  xdp_adjust_head: adjustHead,
  xdp_adjust_tail: adjustTail,
  xdp_adjust_meta: adjustMeta,
};
