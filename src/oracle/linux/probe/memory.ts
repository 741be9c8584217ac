/**
 * Reads the kernel's own data, as root may: a program of ours that is run by BPF_PROG_TEST_RUN copies it with the helper
 * probe_read_kernel. Nothing is written. Where things lie, /proc/kallsyms says.
 */

import type { Kernel } from "../calls.ts";
import { KernelError } from "../errno.ts";
import { loadRaw } from "../load.ts";
import { createMap } from "../maps.ts";
import { testRun } from "../test-run.ts";
import { code, insn } from "./program.ts";

const CHUNK = 1 << 16;
const PAGE = 1 << 12;
/** The map's value: the address, its length in bytes, and what was read. */
const HEADER = 16;

const PROBE_READ_KERNEL = 113;
const R = { result: 0, to: 1, size: 2, from: 3, value: 6 } as const;

/** r6 = the map's value; probe_read_kernel(r6 + 16, min(its length, CHUNK), its address). */
const READER = code([
  insn(0xb7, R.result, 0, 0, 1),
  insn(0x18, R.value, 2),
  insn(0x00),
  insn(0x79, R.from, R.value, 0),
  insn(0x79, R.size, R.value, 8),
  insn(0x25, R.size, 0, 3, CHUNK),
  insn(0xbf, R.to, R.value),
  insn(0x07, R.to, 0, 0, HEADER),
  insn(0x85, 0, 0, 0, PROBE_READ_KERNEL),
  insn(0x95),
]);

export interface KernelMemory {
  /** The bytes from `address` on; pages that are not there read as zeros. */
  readonly read: (address: bigint, length: number) => Uint8Array;
  readonly close: () => void;
}

/** @throws KernelError if the kernel does not let this user read its memory */
export function openMemory(kernel: Kernel): KernelMemory {
  const map = createMap(
    { name: "reader", type: "array", keySize: 4, valueSize: HEADER + CHUNK, maxEntries: 1, flags: 0 },
    undefined,
    kernel,
  );
  const loaded = loadRaw({ type: "xdp", insns: READER, maps: [map] }, { logLevel: 1, kernel });
  if (loaded.verdict === "reject") {
    map.close();
    throw new KernelError("reading kernel memory", loaded.errno, loaded.log);
  }
  const key = new Uint8Array(4);
  const chunk = (from: bigint, length: number): Uint8Array | undefined => {
    const value = new Uint8Array(HEADER + CHUNK);
    const view = new DataView(value.buffer);
    view.setBigUint64(0, from, true);
    view.setUint32(8, length, true);
    map.update(key, value);
    const run = testRun(loaded.fd, { packet: new Uint8Array(14) }, kernel);
    if (!run.ran) throw new KernelError("reading kernel memory", run.errno);
    return run.retval === 0 ? map.lookup(key)?.subarray(HEADER, HEADER + length) : undefined;
  };
  return {
    read: (address, length) => readChunks(address, length, chunk),
    close: () => {
      loaded.close();
      map.close();
    },
  };
}

function readChunks(
  start: bigint,
  length: number,
  chunk: (from: bigint, length: number) => Uint8Array | undefined,
): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += CHUNK) {
    const size = Math.min(CHUNK, length - at);
    const whole = chunk(start + BigInt(at), size);
    if (whole !== undefined) {
      bytes.set(whole, at);
      continue;
    }
    for (let page = at; page < at + size; page += PAGE) {
      const part = chunk(start + BigInt(page), Math.min(PAGE, at + size - page));
      if (part !== undefined) bytes.set(part, page);
    }
  }
  return bytes;
}

// --- Symbols

export interface KernelSymbols {
  readonly address: ReadonlyMap<string, bigint>;
  /** Functions by address, without the prefix of the padding in front of them. */
  readonly functions: ReadonlyMap<bigint, string>;
}

const KALLSYMS = "/proc/kallsyms";
/** Symbols that a read needs begin so, or are a part of the image's layout. */
const FUNCTION = /^[tTwW]$/;

/** The kernel's own symbols, without its modules'. `undefined` if it hides their addresses. */
export function readSymbols(kernel: Kernel): KernelSymbols | undefined {
  const file = kernel.readFile(KALLSYMS);
  if (file === undefined) return undefined;
  const address = new Map<string, bigint>();
  const functions = new Map<bigint, string>();
  for (const line of new TextDecoder().decode(file).split("\n")) {
    const [digits, kind, name, module] = line.split(/[ \t]/);
    if (digits === undefined || kind === undefined || name === undefined || module !== undefined) continue;
    const at = BigInt(`0x${digits}`);
    if (at === 0n) continue;
    address.set(name, at);
    if (FUNCTION.test(kind) && !name.startsWith("__pfx_") && !functions.has(at)) functions.set(at, name);
  }
  return functions.size === 0 ? undefined : { address, functions };
}
