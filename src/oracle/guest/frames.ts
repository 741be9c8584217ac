/**
 * Lists of system calls as bytes, for the agent in a guest (`agent/agent.c`), and its answers. Everything is little-endian, and every part
 * begins at a multiple of 8 bytes:
 *
 * - header: magic, sequence number, size of what follows, numbers of memories, pointers and calls, number of the
 *   process that is meant (the agent itself is 0; it hands on what is for others), unused (4 bytes each);
 * - memories: size, flags; pointers: memory, offset in it, memory whose address goes there, unused;
 * - calls: system call number, kinds of the arguments (two bits each), six arguments of 8 bytes: a value, the index of a memory, or the
 *   index of an earlier call whose result is meant;
 * - contents of the memories that are sent. Others are zeros there too.
 *
 * An answer is a header with the same number, for each call the result (8 bytes) and errno (4, and 4 unused), and what comes back of the
 * memories: all bytes, or a text's length (8 bytes) and its bytes.
 */
import type { Memory, Outcome, SystemCall } from "../linux/calls.ts";

const MAGIC = 0x6b63646e;
export const HEADER_SIZE = 32;
const MEMORY_SIZE = 8;
const POINTER_SIZE = 16;
const CALL_SIZE = 56;
const OUTCOME_SIZE = 16;
const MOST_ARGUMENTS = 6;

/** What the agent has room for: a request or an answer, and memories. */
const MOST_BYTES = 64 << 20;
const MOST_MEMORIES = 1 << 16;

const SENT = 1;
const BACK = { nothing: 0, all: 2, text: 4 } as const;
const VALUE = 0;
const MEMORY = 1;
const RESULT = 2;

const aligned = (size: number): number => (size + 7) & ~7;

/** A list of calls that was sent: its bytes, and what is needed to read the answer. */
export interface Request {
  readonly frame: Buffer;
  readonly calls: number;
  readonly memories: readonly Memory[];
}

/**
 * @param process  who makes the calls: the agent (0), or one of the processes that it has started
 * @throws Error for a list that the agent has no room for.
 */
export function request(sequence: number, list: readonly SystemCall[], process = 0): Request {
  const memories = new Map<Memory, number>();
  let pointers = 0;
  const collect = (memory: Memory): void => {
    if (memories.has(memory)) return;
    memories.set(memory, memories.size);
    for (const [, to] of memory.pointers ?? []) {
      pointers++;
      collect(to);
    }
  };
  for (const { arguments: given } of list) {
    for (const value of given) if (typeof value === "object" && "bytes" in value) collect(value);
  }
  const sent = [...memories.keys()].map((memory) => memory.back !== "text" && !allZero(memory.bytes));
  let size = HEADER_SIZE + memories.size * MEMORY_SIZE + pointers * POINTER_SIZE + list.length * CALL_SIZE;
  let room = 0;
  for (const [memory, index] of memories) {
    room += aligned(memory.bytes.length);
    if (sent[index] === true) size += aligned(memory.bytes.length);
  }
  if (room > MOST_BYTES / 2 || size > MOST_BYTES || memories.size > MOST_MEMORIES) {
    throw new Error(`${list.length} calls with ${room} bytes are more than a guest takes at once`);
  }

  const frame = Buffer.alloc(size);
  const header = [MAGIC, sequence, size - HEADER_SIZE, memories.size, pointers, list.length, process];
  header.forEach((value, index) => void frame.writeUInt32LE(value, index * 4));
  let at = HEADER_SIZE;
  for (const [memory, index] of memories) {
    frame.writeUInt32LE(memory.bytes.length, at);
    frame.writeUInt32LE((sent[index] === true ? SENT : 0) | BACK[memory.back], at + 4);
    at += MEMORY_SIZE;
  }
  for (const [memory, index] of memories) {
    for (const [offset, to] of memory.pointers ?? []) {
      if (offset + 8 > memory.bytes.length) throw new Error(`no room for an address at ${offset}`);
      frame.writeUInt32LE(index, at);
      frame.writeUInt32LE(offset, at + 4);
      frame.writeUInt32LE(memories.get(to) ?? 0, at + 8);
      at += POINTER_SIZE;
    }
  }
  for (const call of list) {
    writeCall(frame, at, call, memories);
    at += CALL_SIZE;
  }
  for (const [{ bytes }, index] of memories) {
    if (sent[index] !== true) continue;
    frame.set(bytes, at);
    at += aligned(bytes.length);
  }
  return { frame, calls: list.length, memories: [...memories.keys()] };
}

function writeCall(
  frame: Buffer,
  at: number,
  { number, arguments: given }: SystemCall,
  memories: ReadonlyMap<Memory, number>,
): void {
  if (given.length > MOST_ARGUMENTS) throw new Error(`system call ${number} with ${given.length} arguments`);
  let kinds = 0;
  for (const [index, value] of given.entries()) {
    const place = at + 8 + 8 * index;
    if (typeof value === "object") {
      const memory = "bytes" in value;
      kinds |= (memory ? MEMORY : RESULT) << (2 * index);
      frame.writeUInt32LE(memory ? (memories.get(value) ?? 0) : value.resultOf, place);
    } else {
      kinds |= VALUE << (2 * index);
      frame.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), place);
    }
  }
  frame.writeUInt32LE(number, at);
  frame.writeUInt32LE(kinds, at + 4);
}

const ZEROS = new Uint8Array(4096);

function allZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}

/** What is asked of an agent and is no system call of the kernel's; `agent.c` says what they do. */
export const AGENT = { fork: 0x1_0000, exec: 0x1_0001, exit: 0x1_0002, gone: 0x1_0003 } as const;

/** The header of an answer: its sequence number and the size of what follows. @throws Error if it is none. */
export function answerHeader(header: Buffer): { readonly sequence: number; readonly size: number } {
  const size = header.readUInt32LE(8);
  if (header.readUInt32LE(0) !== MAGIC || size > MOST_BYTES) throw new Error("what came is no answer");
  return { sequence: header.readUInt32LE(4), size };
}

/** Reads what follows the header, and changes the memories of the request. @throws Error if it is no answer to the request. */
export function readAnswer({ calls, memories }: Request, body: Buffer): readonly Outcome[] {
  let at = 0;
  const take = (size: number): number => {
    const from = at;
    at += aligned(size);
    if (at > body.length) throw new Error("an answer is too short");
    return from;
  };
  const outcomes: Outcome[] = [];
  for (let index = 0; index < calls; index++) {
    const from = take(OUTCOME_SIZE);
    outcomes.push({ result: Number(body.readBigInt64LE(from)), errno: body.readUInt32LE(from + 8) });
  }
  for (const { bytes, back } of memories) {
    if (back === "nothing") continue;
    const size = back === "all" ? bytes.length : Number(body.readBigUInt64LE(take(8)));
    const from = take(size);
    if (size > bytes.length) throw new Error("an answer is longer than its place");
    bytes.set(body.subarray(from, from + size));
    if (back === "text" && size < bytes.length) bytes[size] = 0;
  }
  if (at !== body.length) throw new Error("an answer is too long");
  return outcomes;
}
