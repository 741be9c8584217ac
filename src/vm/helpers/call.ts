/**
 * A helper call as the helper sees it: arguments r1 … r5, each checked when it is taken, as strictly as a program's own loads and stores.
 */
import { checkBytes, checkInitialised, checkKept, pointer } from "../access.ts";
import { fault, memoryFault } from "../fault.ts";
import { kernelBytes } from "../kernel-memory.ts";
import type { MapStorage } from "../maps/map.ts";
import type { Packet } from "../packet.ts";
import { type Region, SCALAR, UNINITIALISED } from "../region.ts";
import type { Run } from "../run.ts";
import type { SocketBuffer } from "../socket-buffer.ts";
import type { State } from "../state.ts";

/** The longest memory that a helper takes (BPF_MAX_VAR_SIZ in linux/bpf_verifier.h). */
const MAX_SIZE = 2 ** 29;

const EMPTY = new Uint8Array(0);

export class Call {
  readonly helper: string;
  readonly run: Run;
  readonly state: State;

  constructor(helper: string, run: Run) {
    this.helper = helper;
    this.run = run;
    this.state = run.state;
  }

  /** How a fault calls an argument. */
  what(register: number, name: string): string {
    return `call ${this.helper}: argument ${register} (${name})`;
  }

  /** Ends the run: an argument is not what the helper's prototype asks for. */
  refuse(register: number, name: string, problem: string): never {
    return fault("helper_argument", `${this.what(register, name)}: ${problem}`);
  }

  /** The provenance of an argument, whatever it is. */
  initialised(register: number, name: string): Region {
    const tag = this.state.tag(register);
    if (tag === UNINITIALISED) {
      fault("uninitialised_register", `${this.what(register, name)}: r${register} is not initialised`);
    }
    return tag;
  }

  // --- Arguments that are numbers

  /** All 64 bits, unsigned. */
  u64(register: number, name: string): bigint {
    this.initialised(register, name);
    return this.state.value(register);
  }

  u32(register: number, name: string): number {
    return Number(BigInt.asUintN(32, this.u64(register, name)));
  }

  u16(register: number, name: string): number {
    return Number(BigInt.asUintN(16, this.u64(register, name)));
  }

  i32(register: number, name: string): number {
    return Number(BigInt.asIntN(32, this.u64(register, name)));
  }

  /** A size in bytes, which must be a number, and not 0 unless the helper says so. */
  size(register: number, name: string, zero: "zero" | "positive" = "positive"): number {
    const tag = this.initialised(register, name);
    // A number that was loaded from the kernel's memory may look like an address there.
    if (tag !== SCALAR && tag.place.kind !== "kernel_memory")
      this.refuse(register, name, "a size is a number, not a pointer");
    const size = this.u64(register, name);
    if (size > BigInt(MAX_SIZE)) this.refuse(register, name, `a size of ${BigInt.asIntN(64, size)} bytes`);
    if (size === 0n && zero !== "zero") this.refuse(register, name, "a size of 0 bytes");
    return Number(size);
  }

  /** An offset or count of 64 bits. Those beyond 2^53 are rounded, which is far beyond every limit. */
  offset(register: number, name: string): number {
    return Number(this.u64(register, name));
  }

  // --- Arguments that are pointers

  #place(register: number, size: number, access: "read" | "write", name: string): readonly [Region, number] {
    const what = this.what(register, name);
    const region = pointer(this.state, register, what);
    const offset = this.state.offset(register, region);
    if (region.place.kind === "context")
      memoryFault("context_access", region, offset, size, `${what} is the context`);
    checkBytes(region, offset, size, access, what);
    if (access === "read") checkInitialised(this.state, region, offset, size, what);
    if (access === "read" || region.keeps !== undefined) checkKept(region, offset, size, what);
    return [region, offset];
  }

  /** The region that an argument points into. */
  region(register: number, name: string): Region {
    return pointer(this.state, register, this.what(register, name));
  }

  /** Memory that the helper reads: the bytes themselves, not a copy, unless they are the kernel's. */
  read(register: number, size: number, name: string): Uint8Array {
    if (this.state.tag(register).place.kind === "kernel_memory")
      return kernelBytes(this.state, this.state.value(register), size, this.what(register, name));
    const [region, offset] = this.#place(register, size, "read", name);
    return region.bytes.subarray(region.origin + offset, region.origin + offset + size);
  }

  /** The same where the prototype allows a null pointer, for 0 bytes. */
  readOrNull(register: number, size: number, name: string): Uint8Array {
    const isNull = this.initialised(register, name) === SCALAR && this.state.value(register) === 0n;
    return isNull && size === 0 ? EMPTY : this.read(register, size, name);
  }

  /** A text that is constant and ends within a map's value: its bytes without the final NUL. */
  text(register: number, name: string): Uint8Array {
    const region = pointer(this.state, register, this.what(register, name));
    const offset = this.state.offset(register, region);
    if (region.place.kind !== "map_value") return this.refuse(register, name, "is not in a map's value");
    const rest = this.read(register, Math.max(1, region.end - offset), name);
    const end = rest.indexOf(0);
    return end === -1 ? this.refuse(register, name, "has no end") : rest.subarray(0, end);
  }

  /** Memory that the helper fills, whatever it held before. */
  write(register: number, size: number, name: string): Uint8Array {
    const [region, offset] = this.#place(register, size, "write", name);
    const at = region.origin + offset;
    region.shadow?.write(at, size);
    return region.bytes.subarray(at, at + size);
  }

  /** Where memory lies that may be written later on, or by the program through what it is given. */
  writable(register: number, size: number, name: string): readonly [Region, number] {
    return this.#place(register, size, "write", name);
  }

  /** The context itself. */
  context(register: number): void {
    const what = this.what(register, "ctx");
    const region = pointer(this.state, register, what);
    if (region !== this.state.input.context.region) this.refuse(register, "ctx", "is not the context");
    const offset = this.state.offset(register, region);
    if (offset !== 0) memoryFault("context_access", region, offset, 0, `${what} was moved`);
  }

  /** The context of a program on packets, with its packet. */
  packet(register: number): Packet {
    this.context(register);
    const { packet } = this.state;
    return packet ?? this.refuse(register, "ctx", `a ${this.type} program has no packet`);
  }

  /** The context of a program on socket buffers. */
  socketBuffer(register: number): SocketBuffer {
    this.context(register);
    const { socketBuffer } = this.state.input;
    return socketBuffer ?? this.refuse(register, "ctx", `a ${this.type} program has no socket buffer`);
  }

  /** The first slot of a function of the program. */
  functionStart(register: number): number {
    const what = this.what(register, "callback_fn");
    const region = pointer(this.state, register, what);
    const offset = this.state.offset(register, region);
    if (region.place.kind !== "function") return this.refuse(register, "callback_fn", "is not a function");
    if (offset !== 0) memoryFault("opaque_pointer", region, offset, 0, `${what} was moved`);
    return region.place.slot;
  }

  map(register: number): MapStorage {
    const region = pointer(this.state, register, this.what(register, "map"));
    if (region.map === undefined) return this.refuse(register, "map", "is not a map");
    const offset = this.state.offset(register, region);
    if (offset !== 0)
      memoryFault("opaque_pointer", region, offset, 0, `${this.what(register, "map")} was moved`);
    return region.map;
  }

  /** The result of what has none: r0 holds nothing. */
  noResult(): undefined {
    this.state.setTag(0, UNINITIALISED);
    return undefined;
  }

  // --- What is the same for all

  get type(): string {
    return this.state.loaded.program.type;
  }

  /** The clock, in nanoseconds. */
  get now(): bigint {
    return (this.state.environment.clockNs ?? 0n) + BigInt(this.state.steps);
  }

  get cpu(): number {
    return this.state.environment.cpu ?? 0;
  }
}
