/** Where packets end in a pipeline, each with its reason. */
import type { Fault } from "../fault.ts";
import type { VlanTag } from "./flight.ts";

export interface Exit {
  /**
   * `stack`: the network stack of a device has it; `sent`: it is on a device's wire; `socket`: a packet socket has a copy; `dropped`, `aborted` and
   * `consumed` by a program's verdict; `lost` where the kernel itself drops it; `queue`: a processor or socket that a map names has it.
   */
  readonly kind: "stack" | "sent" | "socket" | "dropped" | "aborted" | "consumed" | "lost" | "fault";
  /** The device, or the socket. */
  readonly at: string;
  /** The hook whose program decided (`xdp native`, `tcx ingress`), or what the kernel found wrong. */
  readonly why?: string;
  readonly program?: string;
  /** What the program returned. */
  readonly value?: number;
  readonly fault?: Fault;
  readonly frame: Uint8Array;
  /** How long the frame was before a socket's filter cut it. */
  readonly length: number;
  /** A tag that lies beside the frame. */
  readonly vlan?: VlanTag;
}

/** The name that exits of the same place and reason have in common. */
export function exitName({ kind, at, why, program }: Exit): string {
  const by = program === undefined ? "" : ` by ${program}`;
  switch (kind) {
    case "stack":
      return `${at}: network stack`;
    case "sent":
      return `${at}: wire`;
    case "socket":
      return `socket ${at}`;
    default:
      return `${at}: ${kind}, ${why ?? ""}${by}`;
  }
}

/** The trace event xdp:xdp_exception, by the names of its fields (trace/events/xdp.h). */
export interface XdpException {
  readonly event: "xdp:xdp_exception";
  readonly program: string;
  /** What the program returned. */
  readonly act: number;
  readonly ifindex: number;
}
