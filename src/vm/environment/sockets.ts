/** Sockets that programs can look up. Addresses are bytes in network order. */

export interface SocketAddress {
  /** 4 or 16 bytes, all zeros for any; none at all for a socket of neither family. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** States of a TCP socket (linux/tcp.h); a UDP socket is `established` if it is connected, else `close`. */
export const SOCKET_STATES = {
  established: 1,
  syn_sent: 2,
  syn_recv: 3,
  fin_wait1: 4,
  fin_wait2: 5,
  time_wait: 6,
  close: 7,
  close_wait: 8,
  last_ack: 9,
  listen: 10,
  closing: 11,
  new_syn_recv: 12,
} as const;

export interface Socket {
  readonly protocol: "tcp" | "udp" | "other";
  readonly state: keyof typeof SOCKET_STATES;
  readonly local: SocketAddress;
  /** Of a connected socket. */
  readonly remote?: SocketAddress;
  /** An IPv6 socket takes nothing of IPv4 (IPV6_V6ONLY). */
  readonly ipv6Only?: boolean;
  /** The device that it is bound to; any by default. */
  readonly boundTo?: number;
  readonly mark?: number;
  readonly priority?: number;
  /** Values of `struct bpf_tcp_sock`, by the fields' names; 0 by default. */
  readonly tcp?: Readonly<Record<string, bigint>>;
}
