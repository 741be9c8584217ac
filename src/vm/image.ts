/** The memory around a program: what an environment says is at which addresses. Programs can read it only with help, and nothing is at any other address. */
import { InputError } from "../semantics/errors.ts";
import type { MemoryRange } from "./environment/tracing.ts";

interface Range {
  readonly address: bigint;
  bytes: Uint8Array;
  readonly readOnly: boolean;
  /** Whether the bytes are a copy of the environment's. */
  own: boolean;
}

export class MemoryImage {
  /** By address. */
  readonly #ranges: readonly Range[];

  /**
   * @param ranges  stay as they are: what is written to is copied first
   * @throws InputError  for ranges that overlap
   */
  constructor(ranges: readonly MemoryRange[] = []) {
    this.#ranges = ranges
      .map(({ address, bytes, readOnly = false }) => ({ address, bytes, readOnly, own: false }))
      .sort((a, b) => (a.address < b.address ? -1 : 1));
    for (const [i, { address, bytes }] of this.#ranges.entries()) {
      const next = this.#ranges[i + 1];
      if (next !== undefined && address + BigInt(bytes.length) > next.address)
        throw new InputError(`memory: two ranges have the address 0x${next.address.toString(16)}`);
    }
  }

  /** Whether the environment says anything about memory. */
  get given(): boolean {
    return this.#ranges.length > 0;
  }

  #rangeAt(address: bigint): Range | undefined {
    return this.#ranges.find(
      (range) => address >= range.address && address < range.address + BigInt(range.bytes.length),
    );
  }

  /** A copy of the bytes; `undefined` if one of them is not there. */
  read(address: bigint, size: number): Uint8Array | undefined {
    const out = new Uint8Array(size);
    const found = this.#each(address, size, ({ bytes }, from, to, done) => {
      out.set(bytes.subarray(from, to), done);
      return true;
    });
    return found ? out : undefined;
  }

  /** Returns whether all bytes could be written; none are if not. */
  write(address: bigint, bytes: Uint8Array): boolean {
    if (!this.#each(address, bytes.length, ({ readOnly }) => !readOnly)) return false;
    return this.#each(address, bytes.length, (range, from, to, done) => {
      if (!range.own) {
        range.bytes = range.bytes.slice();
        range.own = true;
      }
      range.bytes.set(bytes.subarray(done, done + to - from), from);
      return true;
    });
  }

  /** Goes through the ranges that the bytes lie in, until one is missing or the step says no. */
  #each(
    address: bigint,
    size: number,
    step: (range: Range, from: number, to: number, done: number) => boolean,
  ): boolean {
    for (let done = 0; done < size; ) {
      const at = address + BigInt(done);
      const range = this.#rangeAt(at);
      if (range === undefined) return false;
      const from = Number(at - range.address);
      const to = Math.min(range.bytes.length, from + size - done);
      if (!step(range, from, to, done)) return false;
      done += to - from;
    }
    return true;
  }
}
