/** Parts of the kernel's messages that print abstract values. */
import { component64 } from "../register.ts";
import { LAYOUT } from "../scalar/operators.ts";

const hex = (x: bigint): string => `0x${x.toString(16)}`;

/** Signed numbers of 16 bits are printed in decimal, others in hexadecimal. */
export function signedText(x: bigint): string {
  return x >= -0x8000n && x <= 0x7fffn ? `${x}` : hex(BigInt.asUintN(64, x));
}

/** A tnum as the kernel prints it: `(value; mask)` in hexadecimal, and a constant as the number it is. */
export function tnumText(at: number): string {
  const [value, mask] = [component64(at, LAYOUT.value), component64(at, LAYOUT.mask)];
  return mask === 0n ? signedText(BigInt.asIntN(64, value)) : `(${hex(value)}; ${hex(mask)})`;
}
