/** What tracing programs see of the system around them. All of it may be left out: then the system is idle and there is nothing to see. */
import type { Context } from "../../semantics/profile/profile.ts";

/** Bytes at an address, of the process that runs (below 2^47) or of the kernel (above). */
export interface MemoryRange {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Whether the process may not write there. */
  readonly readOnly?: boolean;
}

/** An object of the kernel's in memory that programs may store into: callbacks (`struct_ops`) into fields of some structures, iterators into what they are lent. */
export interface ObjectInMemory {
  readonly address: bigint;
  /** Which stores are allowed. Where objects overlap, what one of them allows is allowed. */
  readonly layout: Context;
}

/** A variable of the kernel's, as /proc/kallsyms has it. */
export interface KernelVariable {
  readonly name: string;
  readonly address: bigint;
}

/** A function of the kernel, as /proc/kallsyms has it. */
export interface KernelFunction {
  readonly name: string;
  readonly address: bigint;
  /** Bytes. */
  readonly size: number;
}

/** The hook that a program is attached to. */
export interface Attachment {
  /** What the attachment was given for bpf_get_attach_cookie. */
  readonly cookie?: bigint;
  /** The address of the function that a probe is at; 0 for a probe that is not at a function's beginning. */
  readonly functionAddress?: bigint;
}

/** What the hardware counters of a perf event have counted: `struct bpf_perf_event_value`. */
export interface CounterValue {
  readonly counter: bigint;
  /** Nanoseconds. */
  readonly enabled: bigint;
  readonly running: bigint;
}

export interface TracingEnvironment {
  /**
   * Memory beside the program's own; there is nothing else at any other address. Ranges do not overlap. A pointer that a program loads from the kernel's objects can be followed if
   * there is a byte at the address itself.
   */
  readonly memory?: readonly MemoryRange[];
  /**
   * Makes up what the kernel has beside and between what programs may access, from a number: any bytes, the same each time in a run. Without it, reading there is not modelled.
   */
  readonly unknownMemory?: number;
  /** Where in that memory the kernel has its own context, of which the program's shows a part: `struct sk_buff` behind a `__sk_buff`. */
  readonly contextAddress?: bigint;
  readonly variables?: readonly KernelVariable[];
  /** Where in memory the kernel has the structures of the program's maps, by the maps' names. */
  readonly mapAddresses?: Readonly<Record<string, bigint>>;
  /** By processor, what is added to the address of a variable of which each processor has its own (`__per_cpu_offset`). */
  readonly processorOffsets?: readonly bigint[];
  /** What lies in that memory, where programs store into it. */
  readonly objects?: readonly ObjectInMemory[];
  readonly functions?: readonly KernelFunction[];
  /** The file of the namespace of process ids, by default the first one's. */
  readonly pidNamespace?: { readonly device: bigint; readonly inode: bigint };
  /**
   * The record that a writable tracepoint shows its programs, as long as the tracepoint lets them reach. A program that reaches further is not attached to it, and not run.
   */
  readonly tracepointRecord?: Uint8Array;
  /** Return addresses, innermost first. */
  readonly kernelStack?: readonly bigint[];
  readonly userStack?: readonly bigint[];
  readonly attachment?: Attachment;
  /** What the hook would return so far: bpf_get_retval. */
  readonly hookResult?: number;
  /** Nanoseconds since 1970 at the start of the clock. */
  readonly wallClockNs?: bigint;
  /** Of what user space has put into perf event arrays, by map and index. */
  readonly counters?: Readonly<Record<string, Readonly<Record<number, CounterValue>>>>;
}
