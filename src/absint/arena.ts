/**
 * The linear memory in which abstract registers and states live, shared with the WebAssembly operators. Blocks are addressed by
 * number; nothing here is collected: a verification starts with `reset` and everything before it is gone.
 */

import { Unsupported } from "../semantics/errors.ts";
import { bind } from "../semantics/wasm/engine.ts";
import { FunctionBuilder } from "../semantics/wasm/function.ts";
import { encodeFunctions } from "../semantics/wasm/module.ts";

const PAGE = 65536;
/** 2 GiB: addresses stay numbers of 31 bits, which `>> 2` makes indices of. */
const MAX_PAGES = 32768;

/**
 * 256 MiB, of which the system gives what is touched: enough for next to all programs. Growing is dear: it takes the buffer from under all views, and
 * from then on an engine looks at each access whether that has happened.
 */
const INITIAL_PAGES = 4096;

export const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES });

/** Views of the memory, replaced whenever it grows: read them through `arena`, never keep one. */
export const arena = {
  i32: new Int32Array(memory.buffer),
  u8: new Uint8Array(memory.buffer),
  u64: new BigUint64Array(memory.buffer),
};

/** Copies `bytes` bytes. Blocks here are short, and calling `copyWithin` takes longer than copying them. */
export const copyBytes: (to: number, from: number, bytes: number) => void = makeCopyBytes();

function makeCopyBytes(): (to: number, from: number, bytes: number) => void {
  const copy = new FunctionBuilder("copy", ["i32", "i32", "i32"], []);
  for (const parameter of [0, 1, 2]) copy.get(parameter);
  copy.memoryCopy();
  const made = bind(encodeFunctions([copy]), memory)["copy"];
  if (typeof made !== "function") throw new Error("the module exports a function");
  return (to, from, bytes) => {
    made(to, from, bytes);
  };
}

/** Address 0 is kept free, so that 0 can mean "none". */
const FIRST = 64;
let permanent = FIRST;
let top = FIRST;
const free = new Map<number, number[]>();

function grow(needed: number): void {
  const pages = memory.buffer.byteLength / PAGE;
  const wanted = Math.max(Math.ceil(needed / PAGE), Math.min(pages * 2, MAX_PAGES));
  if (wanted > MAX_PAGES) throw new Unsupported("more abstract states than 2 GiB hold");
  memory.grow(wanted - pages);
  arena.i32 = new Int32Array(memory.buffer);
  arena.u8 = new Uint8Array(memory.buffer);
  arena.u64 = new BigUint64Array(memory.buffer);
}

/** A block of at least `bytes` bytes, 8-byte aligned, with whatever was there before. */
export function allocate(bytes: number): number {
  const size = (bytes + 7) & ~7;
  const reused = free.get(size)?.pop();
  if (reused !== undefined) return reused;
  const at = top;
  top += size;
  if (top > memory.buffer.byteLength) grow(top);
  return at;
}

/** Gives a block back; `bytes` as it was asked for. */
export function release(at: number, bytes: number): void {
  const size = (bytes + 7) & ~7;
  const list = free.get(size);
  if (list === undefined) free.set(size, [at]);
  else list.push(at);
}

/** A block that survives every `reset`. To be taken when a module is loaded, before the first `allocate`. */
export function allocatePermanent(bytes: number): number {
  if (top !== permanent) throw new Error("permanent blocks come before all others");
  const at = permanent;
  permanent += (bytes + 7) & ~7;
  top = permanent;
  if (top > memory.buffer.byteLength) grow(top);
  return at;
}

/** Forgets every block but the permanent ones. */
export function reset(): void {
  free.clear();
  top = permanent;
}
