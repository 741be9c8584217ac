/** Parts of the kernel's messages that print abstract values. */
import { component64 } from "../register.ts";
import { LAYOUT } from "../scalar/operators.ts";
import * as scalar from "../scalar/text.ts";

/** A register's tnum as the kernel prints it: `(value; mask)` in hexadecimal, and a constant as the number it is. */
export const tnumText = (at: number): string =>
  scalar.tnumText({ value: component64(at, LAYOUT.value), mask: component64(at, LAYOUT.mask) });
