/**
 * What a program did that it must not do. A fault is data: it ends the run and is its result. A wrong value never takes its place.
 */
import { type Place, placeName, type Region } from "./region.ts";

export const FAULT_KINDS = [
  /** Bytes that the region does not have. */
  "out_of_bounds",
  "uninitialised_register",
  "uninitialised_stack",
  /** The region is gone: a packet that was resized, the frame of a subprogram that returned. */
  "stale_pointer",
  "read_only",
  /** The region may be written but not read (BPF_F_WRONLY_PROG). */
  "write_only",
  "misaligned",
  /** No field of the context may be accessed like that. */
  "context_access",
  "null_pointer",
  /** A number was used as an address. */
  "not_a_pointer",
  /** The pointer's target has no bytes to access: a map. */
  "opaque_pointer",
  /** Execution left the program, or entered the second half of a 16-byte load. */
  "invalid_jump",
  "call_depth",
  /** r10 was written. */
  "frame_pointer_write",
  /** A helper was given what its prototype forbids. */
  "helper_argument",
  /** The program's type or license does not permit the helper. */
  "forbidden_helper",
  /** The program's type has no such instruction. */
  "invalid_instruction",
  /** The program ended with something that it had to give back. */
  "reference_leak",
  /** Something was given back that the program did not have. */
  "not_held",
  /** A lock was taken that the program has already. */
  "deadlock",
  /** Bytes that the kernel keeps for the program were read or written like others. */
  "kept_bytes",
  /** The step limit was reached. */
  "budget",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** The slot of the instruction that faulted. */
  readonly insn: number;
  /** The program that it belongs to: after a tail call another than the one that was started. */
  readonly program: string;
  /** One line, without the instruction's index. */
  readonly message: string;
  /** Which memory was meant, for faults about memory. */
  readonly region?: Place;
  /** Bytes from the region's offset 0 (for a stack frame its upper end, for a packet its first byte). */
  readonly offset?: number;
  /** Bytes. */
  readonly size?: number;
}

type Unplaced = Omit<Fault, "insn" | "program">;

/** How a fault travels from where it is noticed to the edge of the machine, which alone catches it. */
export class FaultSignal extends Error {
  override readonly name = "FaultSignal";
  readonly fault: Unplaced;

  constructor(fault: Unplaced) {
    super(fault.message);
    this.fault = fault;
  }
}

export function fault(kind: FaultKind, message: string): never {
  throw new FaultSignal({ kind, message });
}

/** A fault about `size` bytes at `offset` of a region; `what` says how they were accessed and what is wrong. */
export function memoryFault(
  kind: FaultKind,
  region: Region,
  offset: number,
  size: number,
  what: string,
): never {
  const bytes = size === 1 ? "1 byte" : `${size} bytes`;
  const message = `${what}: ${bytes} at offset ${offset} of ${placeName(region.place)}`;
  throw new FaultSignal({ kind, message, region: region.place, offset, size });
}
