/** Reading the attribute of a call of bpf(2) by field names. */
import type { AttributeValue, BpfOperation } from "../operations/bpf.ts";

export class Attributes {
  readonly #values: BpfOperation["attr"];

  constructor({ attr }: BpfOperation) {
    this.#values = attr;
  }

  #value(field: string): AttributeValue {
    return this.#values[field] ?? 0;
  }

  /** A field of 4 bytes as an unsigned number. */
  u32(field: string): number {
    const value = this.#value(field);
    return typeof value === "number" ? value >>> 0 : 0;
  }

  /** A field of 4 bytes as a signed number, as descriptors are. */
  s32(field: string): number {
    return this.u32(field) | 0;
  }

  u64(field: string): bigint {
    const value = this.#value(field);
    if (typeof value === "number") return BigInt.asUintN(64, BigInt(value));
    return "u64" in value ? BigInt(value.u64) : 0n;
  }

  /** What lies at the address that the field holds; nothing if the address is bad. */
  bytes(field: string): Uint8Array | undefined {
    const value = this.#value(field);
    if (typeof value === "number" || "u64" in value) return undefined;
    if ("hex" in value) return new Uint8Array(Buffer.from(value.hex, "hex"));
    return new TextEncoder().encode(`${value.text}\0`);
  }

  /** A text without the NUL that ends it: that of a name field, or what lies at an address. */
  text(field: string): string | undefined {
    const bytes = this.bytes(field);
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
  }
}
