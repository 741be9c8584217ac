import type { Context } from "../context.ts";
import type { Packet } from "../packet.ts";
import type { Region } from "../region.ts";

/** What a program is given. */
export interface Made {
  readonly context: Context;
  /** Programs on packets have one. */
  readonly packet?: Packet;
  /** Flow dissectors: what they fill. */
  readonly flowKeys?: Region;
  /** Programs at writable tracepoints: the record that they may change, if the environment has one. */
  readonly tracepointRecord?: Region;
  /** What comes back after the run, where that is not the packet and context of the types on packets. */
  readonly results?: () => {
    readonly packet?: Uint8Array;
    readonly context?: Uint8Array;
    readonly tracepointRecord?: Uint8Array;
  };
}
