/**
 * What packets pass through: devices with programs at their hooks, and sockets that receive copies. The order of the hooks is the
 * kernel's: `walk.ts` says which.
 */
import type { Machine } from "../machine.ts";

/** Where an XDP program runs: on the device itself, in its driver, or on socket buffers after they have been allocated. */
export type XdpMode = "offloaded" | "native" | "generic";

/** An action of a classifier that does not act itself: a program, or one of the fixed verdicts (TC_ACT_*). */
export type Action =
  | { readonly kind: "verdict"; readonly verdict: number }
  /** `verdict` is what TC_ACT_UNSPEC of the program stands for. */
  | { readonly kind: "program"; readonly machine: Machine; readonly verdict: number };

/** A program of the clsact queueing discipline. */
export interface Classifier {
  readonly machine: Machine;
  /** What the program returns is the verdict; otherwise it is whether the packet matches, and which class it is of. */
  readonly direct: boolean;
  /** The class of packets that match, major number in the upper half; 0 for none. */
  readonly classid: number;
  /** What is done with packets that match, in order; of those that act themselves none. */
  readonly actions: readonly Action[];
}

/** The programs of traffic control on one of a device's two ways. */
export interface TrafficControl {
  /** Run before clsact's. */
  readonly tcx: readonly Machine[];
  readonly clsact: readonly Classifier[];
}

export interface Device {
  readonly name: string;
  readonly ifindex: number;
  /** The link-layer address: 6 bytes. */
  readonly address: Uint8Array;
  /** Bytes that a packet may have without its Ethernet header. */
  readonly mtu: number;
  /** The device that receives what this one sends (a veth pair); without one it goes on a wire. */
  readonly peer?: string;
  readonly xdp: { readonly [M in XdpMode]?: Machine };
  readonly ingress: TrafficControl;
  readonly egress: TrafficControl;
}

/** A packet socket: it receives copies of the packets that come into a device. */
export interface PacketSocket {
  readonly name: string;
  readonly device: string;
  /** All protocols, before traffic control; or one (a number such as 0x0800), after it. */
  readonly protocol: "all" | number;
  /** Says how many bytes of each packet are kept, 0 for none of it. */
  readonly filter?: Machine;
}

export interface Pipeline {
  readonly devices: readonly Device[];
  readonly sockets: readonly PacketSocket[];
}
