/** Faults of synchronisation: what one component of a number tells another is more than it knows. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("S");

const RULES = "absint/scalar/rules";
const PRODUCT = "absint/scalar/product";

export const BOUNDS: readonly SeededBug[] = [
  bug(
    "bits-of-the-low-half-from-64-bit-bounds",
    "verifier",
    "CVE-2020-8835, f2d67fec0b43",
    "the known bits of the low half come of the low halves of the 64-bit bounds, although upper halves differ",
    edit(
      RULES,
      "const range = tnum.fromRange(s.umin32, s.umax32);",
      "const range = tnum.fromRange(lowHalf(s.umin), lowHalf(s.umax));",
    ),
  ),
  bug(
    "32-bit-bound-from-one-side",
    "verifier",
    "CVE-2021-31440, 10bf4e83167c",
    "the least low half is that of the least number if this fits in 32 bits, whatever the greatest is",
    edit(
      RULES,
      "umin32: ite(same, umax(s.umin32, lowHalf(s.umin)), s.umin32),",
      "umin32: ite(ult(s.umin, constant(64, 0x100000000n)), umax(s.umin32, lowHalf(s.umin)), s.umin32),",
    ),
  ),
  bug(
    "32-bit-bound-off-by-one",
    "verifier",
    "b9979db83401, the follow-up of CVE-2021-31440",
    "upper halves that differ by one count as the same",
    edit(RULES, "eq(lshr(xor(a, b), constant(64, 32)), ZERO)", "eq(lshr(xor(a, b), constant(64, 33)), ZERO)"),
  ),
  bug(
    "zero-extension-signed-bound",
    "verifier",
    "3a71dc366d4a, Linux 5.7",
    "the greatest signed number after a zero extension is the greatest signed low half, which may be less",
    edit(PRODUCT, "smax: zext(64, half.umax),", "smax: zext(64, half.smax),"),
  ),
  bug(
    "zero-extension-keeps-sign",
    "verifier",
    "CVE-2021-45402, 3cf2b61eb067",
    "after a zero extension the least signed number is that of the low half, as if it were not negative",
    edit(PRODUCT, "smin: zext(64, half.umin),", "smin: zext(64, half.smin),"),
  ),
  bug(
    "signed-to-unsigned-across-zero",
    "verifier",
    "4cabc5b186b5 and 468f6eafa6c4: bounds of one sign taken for the other's",
    "numbers of both signs are bounded as if none were negative",
    edit(
      "absint/scalar/exchange",
      "const noneNegative = or(sge(p.smin, zero), ult(greatestNegative, leastNegative));",
      "const noneNegative = or(sge(p.smax, zero), ult(greatestNegative, leastNegative));",
    ),
  ),
  bug(
    "constant-by-its-low-half",
    "verifier",
    "3844d153a41a: what counts as a constant",
    "a number counts as constant if the bits of its low half are known",
    edit("absint/register", "return m[i + 2] === 0 && m[i + 3] === 0;", "return m[i + 2] === 0;"),
  ),
];
