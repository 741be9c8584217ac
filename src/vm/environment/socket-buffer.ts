/** What the kernel keeps of a packet beside its bytes: the part of `struct sk_buff` that programs can see or change. */

import type { Socket } from "./sockets.ts";

/** What is known of the packet's checksums. */
export type ChecksumState =
  /** Nothing (CHECKSUM_NONE). */
  | { readonly kind: "none" }
  /** They are right (CHECKSUM_UNNECESSARY), those of `level` headers inside of the first as well: 0 to 3. */
  | { readonly kind: "unnecessary"; readonly level: number };

/** The header that a tunnel device shall put around the packet, or has taken off (`struct ip_tunnel_info`). */
export interface TunnelInfo {
  readonly family: "ipv4" | "ipv6";
  readonly id: bigint;
  readonly tos: number;
  readonly ttl: number;
  /** The flow label of IPv6, in host order; 0 for IPv4. */
  readonly label: number;
  /** 4 or 16 bytes in network order. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** The bits that BPF_F_TUNINFO_FLAGS asks for: TUNNEL_KEY and so on (linux/if_tunnel.h), as big-endian numbers of 16 bits. */
  readonly flags: number;
  /** Options of the tunnel's type; none for 0 bytes. */
  readonly options: Uint8Array;
}

export interface SocketBufferState {
  /** All of the packet's `__sk_buff` but pointers: protocol, type, mark, priority, VLAN tag, hash, time and so on. */
  readonly context: Uint8Array;
  readonly checksum: ChecksumState;
  readonly tunnel: TunnelInfo | undefined;
}

export interface PacketSocket {
  readonly cookie: bigint;
  /** The user that it belongs to. */
  readonly uid: number;
  /** What else programs may ask of it; a test run's socket has the packet's addresses. */
  readonly socket?: Socket;
}

/** What a packet may come with, beside its context. */
export interface SocketBufferGiven {
  /** Nothing is known by default. */
  readonly checksum?: ChecksumState;
  readonly tunnel?: TunnelInfo | undefined;
  /** The socket that it belongs to; none by default at a device's hook, while a test run makes one. */
  readonly socket?: PacketSocket | "none";
}
