/**
 * Memory of a process that makes system calls, in pieces with nothing behind them: each piece ends where a page ends that no page follows, so that a call that reads or
 * writes on meets EFAULT. The pages are those of a file in memory, so what lies in them is written and read by system calls alone.
 */
import type { Kernel, Memory, SystemCall } from "../../oracle/linux/calls.ts";

/** System calls of x86-64. */
const X64 = {
  close: 3,
  mmap: 9,
  pread64: 17,
  pwrite64: 18,
  fcntl: 72,
  ftruncate: 77,
  memfd_create: 319,
} as const;
const MFD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = 1030;
/** Where the file's descriptor is: out of the way of the calls. */
const LEAST_DESCRIPTOR = 1500;
const PROT_READ_WRITE = 3;
const MAP_SHARED_FIXED = 0x11;
const MAP_PRIVATE_ANONYMOUS = 0x22;

const PAGE = 4096;
/** Room of a piece, and how many there are. */
const ROOM = 16 * PAGE;
const PIECES = 12;
const STRIDE = ROOM + PAGE;

const NOTHING = new Uint8Array(0);

export class GuardedMemory {
  readonly #file: number;
  readonly #address: number;

  /** @throws Error  where the process cannot have it */
  constructor(kernel: Kernel) {
    const one = (number: number, ...values: SystemCall["arguments"]): number => {
      const [outcome] = kernel.calls([{ number, arguments: values }]);
      if (outcome === undefined || outcome.errno !== 0) throw new Error(`${kernel.name}: no memory to guard`);
      return outcome.result;
    };
    const name: Memory = { bytes: new TextEncoder().encode("guarded\0"), back: "nothing" };
    const file = one(X64.memfd_create, name, MFD_CLOEXEC);
    this.#file = one(X64.fcntl, file, F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR);
    one(X64.close, file);
    one(X64.ftruncate, this.#file, PIECES * ROOM);
    this.#address = one(X64.mmap, 0, PIECES * STRIDE, 0, MAP_PRIVATE_ANONYMOUS, -1, 0);
    for (let piece = 0; piece < PIECES; piece += 1) {
      one(
        X64.mmap,
        this.#address + piece * STRIDE,
        ROOM,
        PROT_READ_WRITE,
        MAP_SHARED_FIXED,
        this.#file,
        piece * ROOM,
      );
    }
  }

  /** Where a piece of so many bytes begins. */
  address(piece: number, size: number): bigint {
    if (piece >= PIECES || size > ROOM)
      throw new Error(`${size} bytes are no piece ${piece} of guarded memory`);
    return BigInt(this.#address + piece * STRIDE + ROOM - size);
  }

  #transfer(number: number, piece: number, bytes: Uint8Array, back: "nothing" | "all"): SystemCall {
    const at = (piece + 1) * ROOM - bytes.length;
    return { number, arguments: [this.#file, { bytes, back }, bytes.length, at] };
  }

  /** The call that puts bytes there. */
  store(piece: number, bytes: Uint8Array): SystemCall {
    return this.#transfer(X64.pwrite64, piece, bytes.length === 0 ? NOTHING : bytes, "nothing");
  }

  /** The call that gets them back, into the same array. */
  fetch(piece: number, bytes: Uint8Array): SystemCall {
    return this.#transfer(X64.pread64, piece, bytes, "all");
  }
}
