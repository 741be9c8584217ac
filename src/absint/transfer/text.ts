/** Parts of the kernel's messages that print abstract values. */
import { component64 } from "../register.ts";
import { LAYOUT } from "../scalar/operators.ts";

const hex = (x: bigint): string => `0x${x.toString(16)}`;

/** A tnum as the kernel prints it: `(value; mask)` in hexadecimal. */
export function tnumText(at: number): string {
  return `(${hex(component64(at, LAYOUT.value))}; ${hex(component64(at, LAYOUT.mask))})`;
}
