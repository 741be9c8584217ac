/** Addresses of global data: a place in the only element of an array. */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { reject } from "./rejection.ts";

/**
 * Checks a 16-byte load of such an address.
 *
 * @param off  bytes behind the value's start
 * @throws Rejection  with the kernel's message
 */
export function requireDirectValue({ type, valueSize, maxEntries }: MapDefinition, off: number): void {
  if (type !== "array") reject("EINVAL", "no direct value access support for this map type");
  if (off >= 2 ** 29) reject("EINVAL", `direct value offset of ${off} is not allowed`);
  if (maxEntries !== 1 || off >= valueSize) {
    reject(
      maxEntries === 1 ? "EINVAL" : "ENOTSUPP",
      `invalid access to map value pointer, value_size=${valueSize} off=${off}`,
    );
  }
}
