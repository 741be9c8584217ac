/** A ring buffer of the kernel, of either direction, as user space has it in its memory: positions and data. */
import { call, type Memory } from "../../src/oracle/linux/calls.ts";
import type { KernelMap } from "../../src/oracle/linux/maps.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";

/** asm/unistd_64.h of x86. */
const CALLS = { mmap: 9, munmap: 11, process_vm_readv: 310, process_vm_writev: 311 };
const PAGE = 4096;
const READ = 1;
const WRITE = 2;
const SHARED = 1;

export class KernelRing {
  readonly #size: number;
  readonly #consumer: number;
  readonly #rest: number;

  constructor({ fd, definition }: KernelMap) {
    this.#size = definition.maxEntries;
    const isWritten = definition.type === "user_ringbuf";
    this.#consumer = this.#map(PAGE, isWritten ? READ : READ | WRITE, fd, 0);
    this.#rest = this.#map(PAGE + 2 * this.#size, isWritten ? READ | WRITE : READ, fd, PAGE);
  }

  #map(length: number, protection: number, fd: number, offset: number): number {
    const { result, errno } = call(THIS_MACHINE, CALLS.mmap, [0, length, protection, SHARED, fd, offset]);
    if (errno !== 0) throw new Error(`mmap of a ring buffer: error ${errno}`);
    return result;
  }

  #copy(number: number, address: number, bytes: Uint8Array): void {
    const local: Memory = { bytes, back: "all" };
    const here = new Uint8Array(16);
    const there = new Uint8Array(16);
    new DataView(here.buffer).setBigUint64(8, BigInt(bytes.length), true);
    new DataView(there.buffer).setBigUint64(0, BigInt(address), true);
    new DataView(there.buffer).setBigUint64(8, BigInt(bytes.length), true);
    const { errno } = call(THIS_MACHINE, number, [
      process.pid,
      { bytes: here, back: "nothing", pointers: [[0, local]] },
      1,
      { bytes: there, back: "nothing" },
      1,
      0,
    ]);
    if (errno !== 0) throw new Error(`memory of a ring buffer: error ${errno}`);
  }

  #number(address: number): number {
    const bytes = new Uint8Array(8);
    this.#copy(CALLS.process_vm_readv, address, bytes);
    return Number(new DataView(bytes.buffer).getBigUint64(0, true));
  }

  get consumer(): number {
    return this.#number(this.#consumer);
  }

  set consumer(position: number) {
    this.#setNumber(this.#consumer, position);
  }

  #setNumber(address: number, value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    this.#copy(CALLS.process_vm_writev, address, bytes);
  }

  get producer(): number {
    return this.#number(this.#rest);
  }

  set producer(position: number) {
    this.#setNumber(this.#rest, position);
  }

  /** Writes where a position is in the data; what is behind the end is at the beginning as well. */
  write(position: number, bytes: Uint8Array): void {
    this.#copy(CALLS.process_vm_writev, this.#rest + PAGE + (position % this.#size), bytes);
  }

  get data(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    this.#copy(CALLS.process_vm_readv, this.#rest + PAGE, bytes);
    return bytes;
  }

  close(): void {
    call(THIS_MACHINE, CALLS.munmap, [this.#consumer, PAGE]);
    call(THIS_MACHINE, CALLS.munmap, [this.#rest, PAGE + 2 * this.#size]);
  }
}
