/**
 * What a run did to the world beside its maps and its packet's bytes. Plain data, so that whoever runs packets through several programs can go on from it.
 */
import type { SocketBufferState } from "./environment/socket-buffer.ts";
import type { TracingEffects } from "./tracing-effects.ts";

/** Where a program asked its packet to be sent. It goes there only if the program then returns that it is redirected. */
export type Redirect =
  /** bpf_redirect: out of a device, or into its receiving side. */
  | { readonly to: "device"; readonly ifindex: number; readonly ingress: boolean }
  /** bpf_redirect_peer: to the receiving side of the device's peer, in the peer's network namespace. */
  | { readonly to: "peer"; readonly ifindex: number }
  /** bpf_redirect_neigh: out of a device, with link-layer addresses that the neighbour tables give, for the packet's destination or another address. */
  | { readonly to: "neighbour"; readonly ifindex: number; readonly nextHop?: NextHop }
  /** bpf_redirect_map: to what the map holds at the key; with `all` to everything that it holds, with `exceptIngress` not to where the packet came from. */
  | {
      readonly to: "map";
      readonly map: string;
      readonly key: number;
      readonly all: boolean;
      readonly exceptIngress: boolean;
    };

export interface NextHop {
  /** AF_INET 2 or AF_INET6 10, or whatever else the program gave. */
  readonly family: number;
  /** 16 bytes, of which IPv4 uses the first 4. */
  readonly address: Uint8Array;
}

/** A copy of the packet that bpf_clone_redirect sent. */
export interface Clone {
  readonly ifindex: number;
  /** To the device's receiving side. */
  readonly ingress: boolean;
  /** As it is sent: from where the program's data begins. */
  readonly packet: Uint8Array;
  readonly socketBuffer: SocketBufferState;
}

export interface Effects {
  readonly redirect?: Redirect;
  /** In the order in which they were sent. */
  readonly clones: readonly Clone[];
  /** For programs on socket buffers: what the kernel keeps beside the packet's bytes, as the program left it. */
  readonly socketBuffer?: SocketBufferState;
  /** To the system around the program, if it did anything to it. */
  readonly tracing?: TracingEffects;
}
