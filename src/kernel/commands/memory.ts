/** A process's memory as far as a call of bpf(2) reaches it: the bytes that the call's addresses lead to, each with nothing behind it. */

import { EFAULT, ENOSPC } from "../../vm/errno.ts";

/** Where the first bytes lie, and how far apart they are: no address that a trace gives as a number leads to any. */
const BASE = 0x1000_0000_0000n;
const SPACING = 0x1_0000_0000n;

interface Place {
  readonly bytes: Uint8Array;
  readonly offset: number;
}

export class UserMemory {
  readonly #places: Uint8Array[] = [];

  /** Gives the bytes an address. */
  put(bytes: Uint8Array): bigint {
    this.#places.push(bytes);
    return BASE + BigInt(this.#places.length - 1) * SPACING;
  }

  #find(address: bigint): Place | undefined {
    if (address < BASE) return undefined;
    const bytes = this.#places[Number((address - BASE) / SPACING)];
    return bytes === undefined ? undefined : { bytes, offset: Number((address - BASE) % SPACING) };
  }

  /** The bytes from an address on; nothing if not all of them are there. */
  read(address: bigint, length: number): Uint8Array | undefined {
    if (length === 0) return new Uint8Array(0);
    const place = this.#find(address);
    if (place === undefined || place.offset + length > place.bytes.length) return undefined;
    return place.bytes.slice(place.offset, place.offset + length);
  }

  /** All bytes from an address on. */
  rest(address: bigint): Uint8Array {
    const place = this.#find(address);
    return place === undefined ? new Uint8Array(0) : place.bytes.subarray(place.offset);
  }

  /**
   * The text that begins at an address, up to its NUL, or the first `most` bytes of it; nothing if memory ends before both. Each byte is a character.
   */
  readText(address: bigint, most: number): string | undefined {
    const place = this.#find(address);
    if (place === undefined) return undefined;
    const bytes = place.bytes.subarray(place.offset, place.offset + most);
    const end = bytes.indexOf(0);
    if (end === -1 && bytes.length < most) return undefined;
    return String.fromCharCode(...(end === -1 ? bytes : bytes.subarray(0, end)));
  }

  /** Writes as much as there is room for; whether that was all. */
  write(address: bigint, bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    const place = this.#find(address);
    if (place === undefined) return false;
    const room = Math.max(0, place.bytes.length - place.offset);
    place.bytes.set(bytes.subarray(0, room), place.offset);
    return bytes.length <= room;
  }

  /**
   * Writes a name and the NUL that ends it where the caller says that there is room; where that is not enough for all of it, its beginning, also with a NUL.
   * Returns 0, ENOSPC or EFAULT.
   */
  writeName(address: bigint, room: number, name: string): number {
    const text = new TextEncoder().encode(`${name.slice(0, room - 1)}\0`);
    if (!this.write(address, text)) return EFAULT;
    return room > name.length ? 0 : ENOSPC;
  }
}
