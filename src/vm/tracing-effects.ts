/** What a tracing program did to the system around it. */
import type { MemoryRange } from "./environment/tracing.ts";

export interface Signal {
  readonly number: number;
  /** To the thread that runs, or to any of its process. */
  readonly to: "thread" | "process";
}

/** What a decoder recognised. */
export type RemoteControlEvent =
  | { readonly kind: "repeat" }
  | {
      readonly kind: "key";
      readonly protocol: number;
      readonly scancode: bigint;
      readonly toggle: boolean;
    }
  | { readonly kind: "pointer"; readonly x: number; readonly y: number };

export interface TracingEffects {
  /** To the task that runs, in order. */
  readonly signals: readonly Signal[];
  /** To the process's memory, in order. */
  readonly writes: readonly MemoryRange[];
  readonly remoteControl: readonly RemoteControlEvent[];
  /** What an iterator's program wrote for whoever reads the iterator, a character a byte. */
  readonly sequence: string;
  /** What the hook returns, where the program has set it (bpf_set_retval). */
  readonly hookResult?: number;
}

/** The same while the program runs. */
export class TracingDone {
  readonly signals: Signal[] = [];
  readonly writes: MemoryRange[] = [];
  readonly remoteControl: RemoteControlEvent[] = [];
  sequence = "";
  hookResult: number | undefined;

  /** Nothing if the program did none of this. */
  get effects(): TracingEffects | undefined {
    const { signals, writes, remoteControl, sequence, hookResult } = this;
    const none = hookResult === undefined && sequence === "";
    if (none && signals.length + writes.length + remoteControl.length === 0) return undefined;
    return {
      signals,
      writes,
      remoteControl,
      sequence,
      ...(hookResult === undefined ? {} : { hookResult }),
    };
  }
}
