/** Helpers on the checksums that packets carry, and on what is known of them. */
import { EACCES, EFAULT, EINVAL, ENOTSUPP } from "../errno.ts";
import type { Packet } from "../packet.ts";
import type { SocketBuffer } from "../socket-buffer.ts";
import type { Call } from "./call.ts";
import { csumPartial, csumReplace2, csumReplace4, csumReplaceByDiff, csumSub, csumTo16 } from "./checksum.ts";
import type { HelperTable } from "./helper.ts";

const HEADER_FIELD_MASK = 0xfn;
const L4_PSEUDO_HEADER = 0x10n;
const L4_MANGLED_0 = 0x20n;
const L4_ENFORCE = 0x40n;
const L4_IPV6 = 0x80n;
const CHECKSUM_MAX_OFFSET = 0xffff;
const MANGLED_0 = 0xffff;

/** The two bytes of a checksum in the packet; the packet's pointers become stale. */
function checksumField(packet: Packet, offset: number): DataView | undefined {
  packet.invalidate();
  if (offset > CHECKSUM_MAX_OFFSET || offset % 2 === 1) return undefined;
  const field = packet.slice(offset, 2);
  return field === undefined ? undefined : new DataView(field.buffer, field.byteOffset, 2);
}

/** The new checksum, by how many bytes `from` and `to` have; `undefined` where that makes no sense. */
function replaced(old: number, from: bigint, to: bigint, size: bigint): number | undefined {
  const low = (value: bigint, bits: number): number => Number(BigInt.asUintN(bits, value));
  if (size === 0n) return from === 0n ? csumReplaceByDiff(old, low(to, 32)) : undefined;
  if (size === 2n) return csumReplace2(old, low(from, 16), low(to, 16));
  if (size === 4n) return csumReplace4(old, low(from, 32), low(to, 32));
  return undefined;
}

function replaceChecksum(call: Call, layer: 3 | 4): number {
  const packet = call.packet(1);
  const offset = call.u32(2, "offset");
  const from = call.u64(3, "from");
  const to = call.u64(4, "to");
  const flags = call.u64(5, "flags");
  const own = layer === 4 ? L4_PSEUDO_HEADER | L4_MANGLED_0 | L4_ENFORCE | L4_IPV6 : 0n;
  const field = checksumField(packet, offset);
  if ((flags & ~(HEADER_FIELD_MASK | own)) !== 0n) return EINVAL;
  if (field === undefined) return EFAULT;
  const old = field.getUint16(0, true);
  const mangled = (flags & L4_MANGLED_0) !== 0n;
  if (mangled && (flags & L4_ENFORCE) === 0n && old === 0) return 0;
  const value =
    layer === 4 ? replaced4(old, from, to, flags) : replaced(old, from, to, flags & HEADER_FIELD_MASK);
  if (value === undefined) return EINVAL;
  field.setUint16(0, mangled && value === 0 ? MANGLED_0 : value, true);
  return 0;
}

/** UDP and TCP: a 16-bit word counts as a 32-bit one whose upper half is 0. */
function replaced4(old: number, from: bigint, to: bigint, flags: bigint): number | undefined {
  const size = flags & HEADER_FIELD_MASK;
  if (size !== 2n) return replaced(old, from, to, size);
  return replaced(old, BigInt.asUintN(16, from), BigInt.asUintN(16, to), 4n);
}

function csumDiff(call: Call): number {
  const fromSize = call.size(2, "from_size", "zero");
  const from = call.readOrNull(1, fromSize, "from");
  const toSize = call.size(4, "to_size", "zero");
  const to = call.readOrNull(3, toSize, "to");
  const seed = call.u32(5, "seed");
  return csumTo16(difference(from, to, seed));
}

/** Added to a checksum's sum this takes `from` away and puts `to` in; which zero it is depends on what is there. */
function difference(from: Uint8Array, to: Uint8Array, seed: number): number {
  if (from.length > 0 && to.length > 0) return csumSub(csumPartial(to, seed), csumPartial(from, 0));
  if (from.length > 0) return ~csumPartial(from, ~seed >>> 0) >>> 0;
  return csumPartial(to, seed);
}

// --- What is known of them

/** Adds to the sum over the whole packet, which no packet here comes with (CHECKSUM_COMPLETE). */
function csumUpdate(call: Call): number {
  call.context(1);
  call.u32(2, "csum");
  return ENOTSUPP;
}

/** Operations of csum_level (BPF_CSUM_LEVEL_QUERY and so on). */
const LEVEL = { query: 0n, increase: 1n, decrease: 2n, reset: 3n };
const MAX_LEVEL = 3;

function csumLevel(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const { checksum } = socketBuffer;
  switch (call.u64(2, "level")) {
    case LEVEL.query:
      return checksum.kind === "unnecessary" ? checksum.level : EACCES;
    case LEVEL.increase:
      increase(socketBuffer);
      return 0;
    case LEVEL.decrease:
      if (checksum.kind === "unnecessary")
        socketBuffer.checksum =
          checksum.level === 0 ? { kind: "none" } : { ...checksum, level: checksum.level - 1 };
      return 0;
    case LEVEL.reset:
      socketBuffer.resetChecksum();
      return 0;
    default:
      return EINVAL;
  }
}

function increase(socketBuffer: SocketBuffer): void {
  const { checksum } = socketBuffer;
  const level = checksum.kind === "none" ? 0 : Math.min(checksum.level + 1, MAX_LEVEL);
  socketBuffer.checksum = { kind: "unnecessary", level };
}

export const CHECKSUM_HELPERS: HelperTable = {
  l3_csum_replace: (call) => replaceChecksum(call, 3),
  l4_csum_replace: (call) => replaceChecksum(call, 4),
  csum_diff: csumDiff,
  csum_update: csumUpdate,
  csum_level: csumLevel,
};
