/**
 * System calls in the running kernel, synchronously, through the foreign function library koffi. koffi is an optional dependency: without it,
 * or on a system that is not Linux, `syscallProblem` says why there are none, and none must be made.
 */
import { closeSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { release } from "node:os";
import type Koffi from "koffi";
import { SYSCALL_NUMBERS } from "./abi.ts";
import type { Argument, Kernel, Memory, Outcome, SystemCall } from "./calls.ts";

type Word = number | bigint;

interface Binding {
  readonly call: (number: number, a: Word, b: Word, c: Word, d: Word, e: Word, f: Word) => number;
  readonly address: (bytes: Uint8Array) => bigint;
  readonly errno: () => number;
}

let binding: Binding | string | undefined;

function bind(): Binding | string {
  if (process.platform !== "linux") return `${process.platform} has no bpf(2)`;
  if (SYSCALL_NUMBERS[process.arch] === undefined) return `bpf(2) on ${process.arch} is not supported`;
  try {
    const koffi: typeof Koffi = createRequire(import.meta.url)("koffi");
    const call: Binding["call"] = koffi
      .load(null)
      .func("long syscall(long, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t)");
    return { call, address: koffi.address, errno: koffi.errno };
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
    if (missing) return "koffi is not installed (npm install koffi)";
    return `koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Why bpf(2) cannot be called from this process at all, in one line; `undefined` if it can (it may still answer EPERM). */
export function syscallProblem(): string | undefined {
  binding ??= bind();
  return typeof binding === "string" ? binding : undefined;
}

/**
 * Keeps what a call points to reachable while the kernel works on it. The bytes do not move: asking koffi for an address gives a
 * small array, which V8 may keep inside its own heap, a place outside it.
 */
const held: unknown[] = [];

function makeCalls(list: readonly SystemCall[]): readonly Outcome[] {
  binding ??= bind();
  if (typeof binding === "string") throw new Error(`no bpf(2): ${binding}`);
  held.push(list);
  const outcomes: Outcome[] = [];
  for (const one of list) outcomes.push(makeCall(binding, one, outcomes));
  held.pop();
  return outcomes;
}

function makeCall(
  { call, address, errno }: Binding,
  { number, arguments: given }: SystemCall,
  earlier: readonly Outcome[],
): Outcome {
  const word = (index: number): Word => wordOf(given[index] ?? 0, earlier, address);
  const result = call(number, word(0), word(1), word(2), word(3), word(4), word(5));
  return { result, errno: result === -1 ? errno() : 0 };
}

function wordOf(value: Argument, earlier: readonly Outcome[], address: Binding["address"]): Word {
  // Negative numbers are passed as the same 64 bits.
  if (typeof value === "number") return value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
  if (typeof value === "bigint") return BigInt.asUintN(64, value);
  if ("bytes" in value) return place(value, address);
  const outcome = earlier[value.resultOf];
  if (outcome === undefined) throw new Error(`call ${value.resultOf} is not an earlier one`);
  return wordOf(outcome.result, [], address);
}

/** Fills in the addresses that the memory holds; its own. */
function place({ bytes, back, pointers = [] }: Memory, address: Binding["address"]): bigint {
  if (back === "text") bytes[0] = 0;
  if (pointers.length > 0) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [offset, to] of pointers) view.setBigUint64(offset, place(to, address), true);
  }
  return address(bytes);
}

/** The running kernel. */
export const THIS_MACHINE: Kernel = {
  name: "this machine",
  arch: process.arch,
  release: release(),
  calls: makeCalls,
  close: closeSync,
  readFile(path) {
    try {
      return readFileSync(path);
    } catch {
      return undefined;
    }
  },
};
