/** What a kernel makes of the stack: whose functions have stacks of their own, and whether it may be read before it is written. */
import type { Kernel } from "../calls.ts";
import type { Ask } from "./ask.ts";
import { EXIT, insn, type Kind, loads, setImm } from "./program.ts";

/** Bytes of a function's stack (MAX_BPF_STACK in linux/filter.h). */
const STACK_BYTES = 512;
/** Frames are rounded up to so many bytes. */
const ALIGNMENT = 16;
/** More than the half of what a chain of calls may have. */
const MORE_THAN_HALF = STACK_BYTES / 2 + ALIGNMENT;

/** Whether two functions of a program of the kind may have more stack together than one. */
export const probePrivateStack = (kernel: Kernel, kind: Kind): Ask<boolean> =>
  loads(kernel, kind, [], { end: chain(kind, 2, MORE_THAN_HALF) });

/**
 * The fewest bytes of a frame that has a stack of its own, in multiples of 16; no less than what can be told from chains of `frames` calls.
 *
 * @param kind  one with `probePrivateStack`
 */
export function* probePrivateFrame(kernel: Kernel, kind: Kind, frames: number): Ask<number> {
  const least = Math.floor(STACK_BYTES / frames / ALIGNMENT) * ALIGNMENT + ALIGNMENT;
  for (let bytes = least; bytes < MORE_THAN_HALF; bytes += ALIGNMENT) {
    if (yield* loads(kernel, kind, [], { end: chain(kind, frames, bytes) })) return bytes;
  }
  return MORE_THAN_HALF;
}

/** Functions with frames of so many bytes, each of which calls the next. */
function chain({ retval }: Kind, frames: number, bytes: number): Uint8Array[] {
  const store = insn(0x7a, 10, 0, -bytes, 0);
  const call = insn(0x85, 0, 1, 0, 2);
  return Array.from({ length: frames }, (_, i) =>
    i === frames - 1 ? [store, setImm(0, retval), EXIT] : [store, call, setImm(0, retval), EXIT],
  ).flat();
}

/** Whether a program may read what it has not written. */
export const probeUninitialisedStack = (kernel: Kernel, kind: Kind): Ask<boolean> =>
  loads(kernel, kind, [insn(0x79, 0, 10, -8, 0)]);
