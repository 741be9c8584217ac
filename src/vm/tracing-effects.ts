/** What a tracing program did to the system around it. */
import type { MemoryRange } from "./environment/tracing.ts";

export interface Signal {
  readonly number: number;
  /** To the thread that runs, or to any of its process. */
  readonly to: "thread" | "process";
}

export interface TracingEffects {
  /** To the task that runs, in order. */
  readonly signals: readonly Signal[];
  /** To the process's memory, in order. */
  readonly writes: readonly MemoryRange[];
  /** What the probed function returns instead of running (bpf_override_return). */
  readonly overriddenReturn?: bigint;
  /** What the hook returns, where the program has set it (bpf_set_retval). */
  readonly hookResult?: number;
}

/** The same while the program runs. */
export class TracingDone {
  readonly signals: Signal[] = [];
  readonly writes: MemoryRange[] = [];
  overriddenReturn: bigint | undefined;
  hookResult: number | undefined;

  /** Nothing if the program did none of this. */
  get effects(): TracingEffects | undefined {
    const { signals, writes, overriddenReturn, hookResult } = this;
    const none = overriddenReturn === undefined && hookResult === undefined;
    if (none && signals.length === 0 && writes.length === 0) return undefined;
    return {
      signals,
      writes,
      ...(overriddenReturn === undefined ? {} : { overriddenReturn }),
      ...(hookResult === undefined ? {} : { hookResult }),
    };
  }
}
