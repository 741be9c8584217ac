/** Helpers on the header that a tunnel device puts around a packet or has taken off (`struct bpf_tunnel_key`). */
import type { TunnelInfo } from "../environment/socket-buffer.ts";
import { EINVAL, ENOENT, ENOMEM, EPROTO } from "../errno.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** Offsets in `struct bpf_tunnel_key` and its size. */
const KEY = { id: 0, remote: 4, tos: 20, ttl: 21, flags: 22, label: 24, local: 28, size: 44 };
/** Sizes that it had before: without all local addresses, without any, without the label, with one remote address. */
const OLDER_SIZES: ReadonlySet<number> = new Set([28, 24, 22]);
const OLDEST_SIZE = 8;

/** Flags of the helpers: they share a number where only one of them has it. */
const IPV6 = 0x1n;
const GET_FLAGS = 0x10n;
const SET = { zeroChecksum: 0x2n, dontFragment: 0x4n, sequence: 0x8n, noKey: 0x10n };
const SET_FLAGS = IPV6 | SET.zeroChecksum | SET.dontFragment | SET.sequence | SET.noKey;

/** Bits of a tunnel's header (linux/if_tunnel.h), as big-endian numbers of 16 bits. */
const TUNNEL = { checksum: 0x01, key: 0x04, sequence: 0x08, dontFragment: 0x100, noCache: 0x800 };

function getKey(call: Call): number {
  const { tunnel } = call.socketBuffer(1);
  const size = call.size(3, "size");
  const out = call.write(2, size, "key");
  const flags = call.u64(4, "flags");
  out.fill(0);
  if (tunnel === undefined || (flags & ~(IPV6 | GET_FLAGS)) !== 0n) return EINVAL;
  if ((tunnel.family === "ipv6") !== ((flags & IPV6) !== 0n)) return EPROTO;
  const oldest = size === OLDEST_SIZE && tunnel.family === "ipv4";
  if (size !== KEY.size && !OLDER_SIZES.has(size) && !oldest) return EINVAL;
  out.set(keyBytes(tunnel, (flags & GET_FLAGS) !== 0n).subarray(0, size));
  return 0;
}

function keyBytes(tunnel: TunnelInfo, withFlags: boolean): Uint8Array {
  const bytes = new Uint8Array(KEY.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(KEY.id, Number(BigInt.asUintN(32, tunnel.id)), true);
  view.setUint8(KEY.tos, tunnel.tos);
  view.setUint8(KEY.ttl, tunnel.ttl);
  if (withFlags) view.setUint16(KEY.flags, tunnel.flags);
  view.setUint32(KEY.label, tunnel.label, true);
  // IPv4 addresses are numbers in the machine's order.
  const put = (at: number, address: Uint8Array): void =>
    bytes.set(tunnel.family === "ipv4" ? address.toReversed() : address, at);
  put(KEY.remote, tunnel.source);
  put(KEY.local, tunnel.destination);
  return bytes;
}

function setKey(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const size = call.size(3, "size");
  const given = call.read(2, size, "key");
  const flags = call.u64(4, "flags");
  if ((flags & ~SET_FLAGS) !== 0n) return EINVAL;
  if (size !== KEY.size && !OLDER_SIZES.has(size) && size !== OLDEST_SIZE) return EINVAL;
  const bytes = new Uint8Array(KEY.size);
  bytes.set(given);
  const view = new DataView(bytes.buffer);
  const isIpv6 = (flags & IPV6) !== 0n;
  const label = view.getUint32(KEY.label, true);
  if ((!isIpv6 && label !== 0) || view.getUint16(KEY.flags) !== 0) return EINVAL;
  const address = (at: number): Uint8Array =>
    isIpv6 ? bytes.slice(at, at + 16) : bytes.slice(at, at + 4).toReversed();
  socketBuffer.tunnel = {
    family: isIpv6 ? "ipv6" : "ipv4",
    id: BigInt(view.getUint32(KEY.id, true)),
    tos: view.getUint8(KEY.tos),
    ttl: view.getUint8(KEY.ttl),
    label: label & 0xf_ffff,
    source: address(KEY.local),
    destination: address(KEY.remote),
    flags: tunnelFlags(flags),
    options: new Uint8Array(0),
  };
  return 0;
}

function tunnelFlags(flags: bigint): number {
  let bits = TUNNEL.noCache;
  if ((flags & SET.noKey) === 0n) bits |= TUNNEL.key;
  if ((flags & SET.zeroChecksum) === 0n) bits |= TUNNEL.checksum;
  if ((flags & SET.dontFragment) !== 0n) bits |= TUNNEL.dontFragment;
  return (flags & SET.sequence) === 0n ? bits : bits | TUNNEL.sequence;
}

const MAX_OPTIONS = 255;

function getOptions(call: Call): number {
  const { tunnel } = call.socketBuffer(1);
  const size = call.size(3, "size");
  const out = call.write(2, size, "opt");
  out.fill(0);
  if (tunnel === undefined || tunnel.options.length === 0) return ENOENT;
  if (size < tunnel.options.length) return ENOMEM;
  out.set(tunnel.options);
  return tunnel.options.length;
}

/** Only a header that set_tunnel_key has made takes options. */
function setOptions(call: Call): number {
  const socketBuffer = call.socketBuffer(1);
  const size = call.size(3, "size");
  const options = call.read(2, size, "opt").slice();
  const { tunnel } = socketBuffer;
  if (tunnel === undefined || size % 4 !== 0) return EINVAL;
  if (size > MAX_OPTIONS) return ENOMEM;
  socketBuffer.tunnel = { ...tunnel, options };
  return 0;
}

export const TUNNEL_HELPERS: HelperTable = {
  skb_get_tunnel_key: getKey,
  skb_set_tunnel_key: setKey,
  skb_get_tunnel_opt: getOptions,
  skb_set_tunnel_opt: setOptions,
};
