/** Memory by address, as helpers reach it that take any address at all: that of the program's own objects, and what the environment says is there. */
import { Unsupported } from "../semantics/errors.ts";
import { ADDRESS_OF_ZERO, CODE_END } from "./memory.ts";
import { liveRegionAt, type Region } from "./region.ts";
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

/** The byte at one of the machine's own addresses; `undefined` if it is no program's to see, or nobody knows it. */
function ownByte(state: State, address: bigint): number | undefined {
  const at = Number(address - ADDRESS_OF_ZERO);
  const region = liveRegionAt(at);
  if (region === undefined || isHidden(state, region)) return undefined;
  return region.bytes[at];
}

/** Whether the kernel has something else there than what the program sees. */
const isHidden = (state: State, { place }: Region): boolean =>
  place.kind === "context" && !CONTEXT_IN_MEMORY.has(state.loaded.program.type);

/** A byte of which nothing is known: any, but the same each time in a run. */
function unknownByte(seed: number, address: bigint): number {
  const mixed = Math.imul(Number(BigInt.asIntN(32, address)) ^ seed, 0x9e3779b1);
  return ((mixed >>> 15) ^ (mixed >>> 24)) & 0xff;
}

/** Bytes beside and between what programs may access. */
function bytesAround(state: State, address: bigint, size: number, why: string): Uint8Array {
  const seed = state.environment.unknownMemory;
  if (seed === undefined) throw new Unsupported(why);
  return Uint8Array.from({ length: size }, (_, i) => {
    const at = address + BigInt(i);
    return (isOwnAddress(at) ? ownByte(state, at) : undefined) ?? unknownByte(seed, at);
  });
}

const AROUND = "reading kernel memory around what the program may access";

/** Bytes from an address on that lie in one place, at most `most`. Where nothing is known there are as many as were asked for. */
function ownBytes(state: State, address: bigint, most: number): Uint8Array | undefined {
  if (!isOwnAddress(address)) return undefined;
  const at = Number(address - ADDRESS_OF_ZERO);
  const region = liveRegionAt(at);
  if (region === undefined) return bytesAround(state, address, most, AROUND);
  if (isHidden(state, region))
    return bytesAround(state, address, most, "reading what the kernel has behind a context");
  return region.bytes.subarray(at, Math.min(at + most, region.origin + region.end));
}

/**
 * A copy of the bytes at an address; `undefined` if nothing is there.
 *
 * @throws Unsupported  for the kernel's memory next to a program's own, which the machine does not have, unless the environment has it made up
 */
export function bytesAt(state: State, address: bigint, size: number): Uint8Array | undefined {
  const own = ownBytes(state, address, size);
  if (own === undefined) return state.image.read(address, size);
  return own.length < size ? bytesAround(state, address, size, AROUND) : own.slice();
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
    const all = end === -1 && own.length < most ? bytesAround(state, address, most, AROUND) : own;
    const last = all.indexOf(0);
    return { bytes: all.slice(0, last === -1 ? all.length : last), ended: last !== -1 };
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
