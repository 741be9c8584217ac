/**
 * Dynptrs: memory with a length, which is checked when the memory is used. The kernel keeps them for a program on its stack, and tells errors by numbers: an empty one
 * has no memory. Which numbers Linux gives in which order of checks has been tried (`properties/machine/objects-kernel.test.ts`).
 */

import { E2BIG, EFAULT, EINVAL, ERANGE } from "../errno.ts";
import { memoryFault } from "../fault.ts";
import type { Call } from "../helpers/call.ts";
import type { Packet } from "../packet.ts";
import type { Region } from "../region.ts";
import { findInSlots } from "./in-slots.ts";
import type { InSlots } from "./slots.ts";

/** The greatest length (DYNPTR_MAX_SIZE in kernel/bpf/helpers.c). */
export const DYNPTR_MAX = 0xff_ffff;

/** What a dynptr leads to. */
type Memory =
  | { readonly kind: "local" | "ringbuf"; readonly region: Region; readonly offset: number }
  | { readonly kind: "skb" | "xdp"; readonly packet: Packet }
  /** The metadata in front of a socket buffer's data. */
  | { readonly kind: "skb_meta"; readonly packet: Packet };

export class Dynptr implements InSlots {
  readonly what = "a dynptr";
  readonly size = 16;
  memory: Memory | undefined;
  offset = 0;
  /** Bytes. */
  length: number;
  readonly readOnly: boolean;

  constructor(memory: Memory | undefined, length: number, readOnly = false) {
    this.memory = memory;
    this.length = length;
    this.readOnly = readOnly;
  }

  /** Ends it: it has no memory from now on. */
  empty(): void {
    this.memory = undefined;
    this.length = 0;
  }

  clone(): Dynptr {
    const copy = new Dynptr(this.memory, this.length, this.readOnly);
    copy.offset = this.offset;
    return copy;
  }

  /** Whether the bytes are within its length. */
  covers(offset: number, size: number): boolean {
    return size <= this.length && offset <= this.length - size;
  }

  /** Leaves out what lies in front of `start` and from `end` on. Returns 0 or an error number. */
  adjust(start: number, end: number): number {
    if (this.memory === undefined || start > end) return EINVAL;
    if (start > this.length || end > this.length) return ERANGE;
    this.offset += start;
    this.length = end - start;
    return 0;
  }

  /** The bytes themselves, where they lie in one piece; nothing where the packet does not have them. */
  bytes(offset: number, size: number): Uint8Array | undefined {
    const place = this.place(offset, size);
    if (place === undefined) return undefined;
    const at = place.region.origin + place.offset;
    return place.region.bytes.subarray(at, at + size);
  }

  /** Where the bytes lie. */
  place(offset: number, size: number): { readonly region: Region; readonly offset: number } | undefined {
    const { memory } = this;
    const at = this.offset + offset;
    if (memory === undefined) return undefined;
    switch (memory.kind) {
      case "local":
      case "ringbuf":
        if (!memory.region.live)
          memoryFault("stale_pointer", memory.region, at, size, "a dynptr's memory was given back");
        return { region: memory.region, offset: memory.offset + at };
      case "skb_meta": {
        const { region } = memory.packet;
        return at + size > -region.start ? undefined : { region, offset: region.start + at };
      }
      default: {
        const { region } = memory.packet;
        return at + size > region.end ? undefined : { region, offset: at };
      }
    }
  }

  /** Copies from it. Returns 0 or an error number. */
  read(out: Uint8Array, offset: number): number {
    if (this.memory === undefined) return EINVAL;
    if (!this.covers(offset, out.length)) return E2BIG;
    const found = this.bytes(offset, out.length);
    if (found === undefined) return EFAULT;
    out.set(found.slice());
    return 0;
  }

  /** Copies into it. Returns 0 or an error number. */
  write(from: Uint8Array, offset: number, flags: bigint): number {
    if (this.memory === undefined || this.readOnly) return EINVAL;
    if (!this.covers(offset, from.length)) return E2BIG;
    const packet = this.memory.kind === "skb" ? this.memory.packet : undefined;
    if ((flags & ~(packet === undefined ? 0n : STORE_FLAGS)) !== 0n) return EINVAL;
    const bytes = from.slice();
    packet?.invalidate();
    const found = this.bytes(offset, bytes.length);
    if (found === undefined) return EFAULT;
    found.set(bytes);
    return 0;
  }
}

/** BPF_F_RECOMPUTE_CSUM and BPF_F_INVALIDATE_HASH. */
const STORE_FLAGS = 0x3n;

/** The dynptr that an argument points to. */
export function dynptrAt(call: Call, register: number, name: string): Dynptr {
  const found = findInSlots(call, register, name);
  return found instanceof Dynptr ? found : call.refuse(register, name, "there is no dynptr");
}
