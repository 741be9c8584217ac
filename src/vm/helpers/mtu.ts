/** check_mtu: whether a packet, made longer or shorter, may leave by a device. */
import { Unsupported } from "../../semantics/errors.ts";
import { deviceOf } from "../environment/network.ts";
import { EINVAL, ENODEV } from "../errno.ts";
import { ETHERNET_HEADER } from "../packet.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

const FRAGMENTATION_NEEDED = 1;
/** BPF_MTU_CHK_SEGS: each of the packets that this one stands for is to fit. */
const CHECK_SEGMENTS = 1n;

function checkMtu(call: Call): number {
  const packet = call.packet(1);
  const ifindex = call.u32(2, "ifindex");
  const place = call.write(3, 4, "mtu_len");
  const difference = call.i32(4, "len_diff");
  const flags = call.u64(5, "flags");
  const view = new DataView(place.buffer, place.byteOffset, 4);
  const given = view.getUint32(0, true);
  const { socketBuffer } = call.state.input;
  const wrong = checkFlags(flags, socketBuffer !== undefined, difference, given);
  const { environment } = call.state;
  const context = socketBuffer?.get("ifindex") ?? 1;
  const device = deviceOf(environment, ifindex === 0 ? context : ifindex);
  if (wrong !== 0) return wrong;
  if (device === undefined) return ENODEV;
  view.setUint32(0, device.mtu, true);
  // Of an XDP packet in several buffers, Linux counts the first.
  const length = (given === 0 ? packet.length : (given + ETHERNET_HEADER) | 0) + difference;
  if ((length | 0) <= device.mtu + ETHERNET_HEADER) return 0;
  if (socketBuffer?.isSegmented !== true) return FRAGMENTATION_NEEDED;
  if (flags !== 0n) throw new Unsupported("check_mtu of the segments of a packet");
  return 0;
}

function checkFlags(flags: bigint, forSegments: boolean, difference: number, given: number): number {
  if ((flags & ~(forSegments ? CHECK_SEGMENTS : 0n)) !== 0n) return EINVAL;
  return flags !== 0n && (difference !== 0 || given !== 0) ? EINVAL : 0;
}

export const MTU_HELPERS: HelperTable = { check_mtu: checkMtu };
