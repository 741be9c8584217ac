/** Helpers that read, write and pull in the bytes of socket buffers. */
import { EFAULT, EINVAL, ENOMEM } from "../errno.ts";
import type { SocketBuffer } from "../socket-buffer.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Offsets are unsigned 32-bit numbers of which those over the largest signed one are refused. */
const MAX_OFFSET = 0x7fffffff;

function loadBytes(call: Call): number {
  const packet = call.packet(1);
  const offset = call.u32(2, "offset");
  const size = call.size(4, "len");
  const out = call.write(3, size, "to");
  // The frame that a flow dissector is tested with is not in a socket buffer.
  const isThere = offset <= MAX_OFFSET && call.type !== "flow_dissector";
  return copied(out, isThere ? packet.slice(offset, size) : undefined);
}

/** Copies what was found; what was not is zeros. */
function copied(out: Uint8Array, found: Uint8Array | undefined): number {
  if (found === undefined) {
    out.fill(0);
    return EFAULT;
  }
  out.set(found.slice());
  return 0;
}

/** Where `skb_load_bytes_relative` may begin to count (BPF_HDR_START_MAC, BPF_HDR_START_NET). */
function headerAt({ headers }: SocketBuffer, start: number): number | undefined {
  if (start === 0) return headers.link;
  return start === 1 ? headers.network : undefined;
}

function loadBytesRelative(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const { packet } = socketBuffer;
  const offset = call.u32(2, "offset");
  const size = call.size(4, "len");
  const out = call.write(3, size, "to");
  const header = headerAt(socketBuffer, call.u32(5, "start_header"));
  const at = (header ?? 0) + offset;
  const isThere = header !== undefined && offset <= MAX_OFFSET && at + size <= packet.end;
  return copied(out, isThere ? packet.buffer.subarray(at, at + size) : undefined);
}

const STORE_INVALIDATES_HASH = 0x2n;
const STORE_FLAGS = 0x3n;

function storeBytes(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const { packet } = socketBuffer;
  const offset = call.u32(2, "offset");
  const from = call.read(3, call.size(4, "len"), "from").slice();
  const flags = call.u64(5, "flags");
  packet.invalidate();
  if ((flags & ~STORE_FLAGS) !== 0n) return EINVAL;
  const target = offset > MAX_OFFSET ? undefined : packet.slice(offset, from.length);
  if (target === undefined) return EFAULT;
  target.set(from);
  if ((flags & STORE_INVALIDATES_HASH) !== 0n) socketBuffer.clearHash();
  return 0;
}

function pullData(call: Call): number {
  const packet = call.packet(1);
  const size = call.u32(2, "len");
  packet.invalidate();
  return size > packet.length ? ENOMEM : 0;
}

export const SOCKET_BUFFER_HELPERS: HelperTable = {
  skb_load_bytes: loadBytes,
  skb_load_bytes_relative: loadBytesRelative,
  skb_store_bytes: storeBytes,
  skb_pull_data: pullData,
};
