/**
 * The machine's memory: one WebAssembly memory for the process, in which everything lies that a program can address, with the registers and what
 * generated code needs to know of both. It never grows, so that views of it stay valid; pages that nothing touches cost nothing.
 *
 * The byte at index i has the 64-bit address 0xffff888000000000 + i, so that the low half of an address is the index. Index 0 up to
 * `FIXED_SIZE` is laid out below; behind it each run takes what it needs and gives it back zeroed (`address-space.ts`); at the end, from `CODE_AT` on, lie
 * prepared programs.
 */

/** The upper half of every address, as int32. */
export const ADDRESS_HIGH = 0xffff8880 | 0;
/** The address of index 0. */
export const ADDRESS_OF_ZERO = 0xffff_8880_0000_0000n;

const PAGE = 65536;
/** 1 GiB. */
const MEMORY_SIZE = 2 ** 30;
/** Where prepared programs lie: the last 64 MiB. */
export const CODE_AT = MEMORY_SIZE - 2 ** 26;
export const CODE_END = MEMORY_SIZE;

export const memory = new WebAssembly.Memory({ initial: MEMORY_SIZE / PAGE, maximum: MEMORY_SIZE / PAGE });
export const memoryBytes = new Uint8Array(memory.buffer);
export const memoryView = new DataView(memory.buffer);
/** The same memory in words of 32 and 64 bits. */
export const memoryWords = new Uint32Array(memory.buffer);

const REGISTERS = 11;
export const FRAME_POINTER = 10;

// --- The fixed part, by index. It belongs to the run that is in progress; a run within a run saves and restores it.

/** Records (`region-record.ts`) of the regions that stand for no memory: all zeros. */
export const UNINITIALISED_RECORD = 0;
export const SCALAR_RECORD = 64;
/** The register file: r0 … r10, 8 bytes each. */
export const REGISTERS_AT = 128;
/** Scratch: the operand of an instruction that takes an immediate, what memory holds before an instruction, and what it holds after it. */
export const OPERAND_AT = REGISTERS_AT + 8 * REGISTERS;
export const LOADED_AT = OPERAND_AT + 8;
export const STORED_AT = OPERAND_AT + 16;
/** The register file and scratch together. */
export const PROCESSOR_SIZE = 8 * REGISTERS + 24;
/** For each register the record of its region, as u32 at every 8th byte: as far from one to the next as the registers are. */
export const TAGS_AT = 256;
/**
 * The run's packet: the record of its region (u32, 0 if there is none), and at +8, +16 and +24 the addresses of its data, its end and its metadata (i64).
 */
export const PACKET_AT = 352;
/** Words of generated code that runs: `interpreter.ts` and the JIT say what they hold. */
export const CONTROL_AT = 384;
/** Records of frames (`frame-record.ts`), and how many frames there may be: the main program and fifteen functions deep, as Linux 7.3 allows (8 frames before; MAX_CALL_FRAMES in linux/bpf_verifier.h). */
export const FRAMES_AT = 512;
export const MAX_FRAMES = 16;
/** With a record of 32 bytes for each frame and two more. */
export const FIXED_SIZE = FRAMES_AT + 32 * (MAX_FRAMES + 2);
/** The rest of the first page is left free, so that no run's memory has the index of anything above. */
export const RUNS_AT = 4096;
