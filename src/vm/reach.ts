/** Memory by address, as helpers reach it that take any address at all: that of the program's own objects, and what the environment says is there. */
import { Unsupported } from "../semantics/errors.ts";
import { ADDRESS_OF_ZERO, CODE_END } from "./memory.ts";
import { liveRegionAt } from "./region.ts";
import type { State } from "./state.ts";

/** Addresses of the process are below (TASK_SIZE on x86-64 with four levels of page tables). */
export const USER_END = 0x7fff_ffff_f000n;
const KERNEL_START = 0xffff_8000_0000_0000n;
/** The page of vsyscalls, which is the process's although it lies above. */
const VSYSCALL = 0xffff_ffff_ff60_0000n;
const PAGE = 4096n;

/** Whether the kernel tries to read its own memory there at all. */
export const isKernelAddress = (address: bigint): boolean =>
  address >= KERNEL_START && (address < VSYSCALL || address >= VSYSCALL + PAGE);

/** Types whose context lies in memory as the program sees it. */
const CONTEXT_IN_MEMORY: ReadonlySet<string> = new Set([
  "kprobe",
  "tracepoint",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "tracing",
  "lsm",
  "syscall",
]);

/** Whether the machine has its own memory there: all that programs have pointers to. */
export function isOwnAddress(address: bigint): boolean {
  const index = address - ADDRESS_OF_ZERO;
  return index >= 0n && index < BigInt(CODE_END);
}

/** How many bytes from an address on lie in one place, at most `most`; and the bytes. */
function ownBytes(state: State, address: bigint, most: number): Uint8Array | undefined {
  if (!isOwnAddress(address)) return undefined;
  const at = Number(address - ADDRESS_OF_ZERO);
  const region = liveRegionAt(at);
  if (region === undefined) throw new Unsupported("reading kernel memory around what the program may access");
  if (region.place.kind === "context" && !CONTEXT_IN_MEMORY.has(state.loaded.program.type))
    throw new Unsupported("reading what the kernel has behind a context");
  return region.bytes.subarray(at, Math.min(at + most, region.origin + region.end));
}

/**
 * A copy of the bytes at an address; `undefined` if nothing is there.
 *
 * @throws Unsupported  for the kernel's memory next to a program's own, which the machine does not have
 */
export function bytesAt(state: State, address: bigint, size: number): Uint8Array | undefined {
  const own = ownBytes(state, address, size);
  if (own === undefined) return state.image.read(address, size);
  if (own.length < size) throw new Unsupported("reading kernel memory around what the program may access");
  return own.slice();
}

/** A text: its bytes without the final NUL, and whether it ended within the bytes that were looked at. */
export interface FoundText {
  readonly bytes: Uint8Array;
  readonly ended: boolean;
}

/**
 * The text at an address, of which at most `most` bytes are looked at; `undefined` if one of these is not there.
 *
 * @throws Unsupported  as `bytesAt`
 */
export function textAt(state: State, address: bigint, most: number): FoundText | undefined {
  const own = ownBytes(state, address, most);
  if (own !== undefined) {
    const end = own.indexOf(0);
    if (end === -1 && own.length < most)
      throw new Unsupported("reading kernel memory around what the program may access");
    return { bytes: own.slice(0, end === -1 ? own.length : end), ended: end !== -1 };
  }
  const bytes: number[] = [];
  while (bytes.length < most) {
    const [byte] = state.image.read(address + BigInt(bytes.length), 1) ?? [];
    if (byte === undefined) return undefined;
    if (byte === 0) return { bytes: Uint8Array.from(bytes), ended: true };
    bytes.push(byte);
  }
  return { bytes: Uint8Array.from(bytes), ended: false };
}
