/** What the kernel keeps of a packet beside its bytes: the part of `struct sk_buff` that programs can see or change. */

/** What is known of the packet's checksums. */
export type ChecksumState =
  /** Nothing (CHECKSUM_NONE). */
  | { readonly kind: "none" }
  /** They are right (CHECKSUM_UNNECESSARY), those of `level` headers inside of the first as well: 0 to 3. */
  | { readonly kind: "unnecessary"; readonly level: number };

/** A VLAN tag that lies beside the packet. */
export interface VlanTag {
  /** The tag's protocol: 0x8100 or 0x88a8. */
  readonly protocol: number;
  /** 16 bits: priority, drop eligible, identifier. */
  readonly tci: number;
}

/** The header that a tunnel device shall put around the packet, or has taken off: `struct bpf_tunnel_key`, by the kernel's side. */
export interface TunnelKey {
  readonly family: "ipv4" | "ipv6";
  readonly id: bigint;
  readonly tos: number;
  readonly ttl: number;
  /** Of IPv6. */
  readonly label: number;
  /** 4 or 16 bytes in network order. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** Whether it is of a packet that is to be sent, or of one that was received. */
  readonly direction: "transmit" | "receive";
  /** As in the key that BPF_F_TUNINFO_FLAGS asks for: big-endian bits TUNNEL_CSUM 1, TUNNEL_KEY 4, TUNNEL_SEQ 8, TUNNEL_DONT_FRAGMENT 256, …, in host order. */
  readonly flags: number;
  readonly options: Uint8Array;
}

export interface SocketBufferState {
  /** The protocol of what follows the link-layer header, in host order (`0x0800`). */
  readonly protocol: number;
  /** PACKET_HOST 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3. */
  readonly packetType: number;
  readonly mark: number;
  readonly priority: number;
  readonly queueMapping: number;
  readonly tcIndex: number;
  /** The class that a classifier chose; 0 for none. */
  readonly tcClassid: number;
  /** 20 bytes. */
  readonly cb: Uint8Array;
  /** 0 while there is none. */
  readonly hash: number;
  readonly vlan: VlanTag | undefined;
  readonly checksum: ChecksumState;
  /** Nanoseconds. */
  readonly tstamp: bigint;
  /** The clock of `tstamp`: BPF_SKB_CLOCK_REALTIME 0, MONOTONIC 1, TAI 2. */
  readonly tstampType: number;
  readonly gsoSize: number;
  readonly gsoSegments: number;
  readonly tunnel: TunnelKey | undefined;
}
