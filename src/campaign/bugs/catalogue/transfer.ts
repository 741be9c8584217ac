/** Faults of transfer functions: an operator gives a result that does not hold all that can come out. */
import { edit, ofClass, type SeededBug } from "../bug.ts";

const bug = ofClass("T");

const OPERATIONS = "absint/scalar/operations";
const HALF = "return zeroExtended(operation.apply(low(a), low(b)));";
const BOTH =
  "return operation.congruent ? combine(whole, operation.apply(low(a), low(b))) : fromWide(whole);";

export const TRANSFER: readonly SeededBug[] = [
  bug(
    "mov32-immediate-sign-extends",
    "verifier",
    "CVE-2017-16995, 95a762e2c8c9",
    "a 32-bit move of an immediate is followed as if it filled the upper half with the sign",
    edit(
      "absint/transfer/arithmetic",
      "tightAluOperator(op, width)(destination, destination, destination);",
      'if (operation.operand !== "imm") tightAluOperator(op, width)(destination, destination, destination);',
    ),
  ),
  bug(
    "truncation-keeps-bounds",
    "verifier",
    "CVE-2017-16996, 0c17d1d2c619",
    "cutting a number to its low bits keeps its bounds without looking whether the upper bits vary",
    edit(
      "absint/scalar/narrow",
      "const round = halves.map((half) => goesRound(half, bits));",
      "const round = halves.slice(2).map((half) => goesRound(half, bits));",
    ),
  ),
  bug(
    "alu32-by-64-bit-bounds",
    "verifier",
    "CVE-2017-17852, 468f6eafa6c4",
    "the bounds of a 32-bit operation are those of the same operation on whole numbers",
    edit(
      OPERATIONS,
      HALF,
      "return combine(operation.apply(wide(a), wide(b)), operation.apply(low(a), low(b)));",
    ),
  ),
  bug(
    "rsh-keeps-the-sign",
    "verifier",
    "CVE-2017-17853, 4374f256ce81",
    "a logical shift to the right of what may be negative is bounded as an arithmetic one",
    edit("absint/scalar/shift", "rsh: inPlace(lshr)", "rsh: inPlace(ashr)"),
  ),
  bug(
    "rsh32-without-truncation",
    "verifier",
    "CVE-2018-18445, b799207e1e18",
    "a 32-bit shift to the right shifts the whole number, so that bits of the upper half come down",
    edit(
      OPERATIONS,
      HALF,
      'return zeroExtended(op === "rsh" ? low(combine(rsh(wide(a), wide(b)), anything(32))) : operation.apply(low(a), low(b)));',
    ),
  ),
  bug(
    "arsh32-as-64-bit",
    "verifier",
    "0af2ffc93a4b, up to Linux 5.5",
    "a 32-bit arithmetic shift is followed on the whole number, whose sign is another one",
    edit(
      OPERATIONS,
      HALF,
      'return zeroExtended(op === "arsh" ? low(combine(arsh(wide(a), wide(b)), anything(32))) : operation.apply(low(a), low(b)));',
    ),
  ),
  bug(
    "or32-by-64-bit-bounds",
    "verifier",
    "CVE-2020-27194, 5b9fbeb75b6a",
    "the signed 32-bit bounds of an or are the low halves of the unsigned 64-bit ones",
    edit(
      OPERATIONS,
      "import { and, constant, sext, ule, ult, zext } from",
      "import { and, constant, extract, sext, ule, ult, zext } from",
    ),
    edit(
      OPERATIONS,
      BOTH,
      'const half = operation.congruent ? operation.apply(low(a), low(b)) : anything(32); return combine(whole, op === "or" ? { ...half, smin: extract(32, whole.umin), smax: extract(32, whole.umax) } : half);',
    ),
  ),
  bug(
    "add32-misses-overflow",
    "verifier",
    "CVE-2021-20268, bc895e8b2a64",
    "a sum of 32 bits never counts as overflowing its signed bounds",
    edit(
      "absint/scalar/alu",
      " like.map(acrossSigned)",
      " a.umin.width === 32 ? [] : like.map(acrossSigned)",
    ),
  ),
  bug(
    "bitwise-keeps-32-bit-bounds",
    "verifier",
    "CVE-2021-3490, 049c4e13714e",
    "and, or and xor of two numbers whose low halves are known leave the 32-bit bounds that were there before",
    edit(
      OPERATIONS,
      BOTH,
      'const half = operation.congruent ? operation.apply(low(a), low(b)) : anything(32); const known = and(tnum.isConstant(low(a).tnum), tnum.isConstant(low(b).tnum)); return combine(whole, op === "and" || op === "or" || op === "xor" ? choose(known, { ...low(a), tnum: half.tnum }, half) : half);',
    ),
  ),
  bug(
    "range-to-bits-without-smearing",
    "verifier",
    "CVE-2022-2905, a657182a5c51",
    "of an interval those bits count as known in which its two ends agree, also below one in which they differ",
    edit(
      "absint/scalar/tnum",
      "const varying = smear(xorTerm(min, max));",
      "const varying = xorTerm(min, max);",
    ),
  ),
  bug(
    "movsx-bits-zero-extended",
    "verifier",
    "380d5f89a481, 44b7f7151dfc, Linux 6.6 to 6.9",
    "the known bits of a sign-extending move say that the upper bits are 0",
    edit(
      "absint/scalar/narrow",
      "tnum: tnum.signExtend(width, tnum.truncate(from, a.tnum)),",
      "tnum: tnum.zeroExtend(width, tnum.truncate(from, a.tnum)),",
    ),
  ),
  bug(
    "movsx32-fast-path",
    "verifier",
    "PREVAIL, 2026",
    "a sign-extending move of 32 bits that changes no low bit skips the zero extension",
    edit(
      "absint/transfer/arithmetic",
      "if (umaxOf(source) <= greatest)",
      'if (umaxOf(source) <= greatest || (op !== "mov" && sminOf(source) >= -1 - greatest && Number(BigInt.asIntN(64, component64(source, LAYOUT.smax))) <= greatest))',
    ),
  ),
  bug(
    "tnum-add-loses-carries",
    "verifier",
    "a mistake of its own: known bits of sums",
    "a sum's known bits do not mind carries out of unknown ones",
    edit(
      "absint/scalar/tnum",
      "return known(values, orTerm(carries, orTerm(a.mask, b.mask)));",
      "return known(values, orTerm(a.mask, b.mask));",
    ),
  ),
  bug(
    "lsh-ignores-what-is-shifted-out",
    "verifier",
    "up to Linux 4.14: shifts to the left",
    "the bounds of a shift to the left are the shifted bounds, whatever was shifted out",
    edit(
      "absint/scalar/shift",
      "one: ule(xor(a.least, a.greatest), staying),",
      "one: ule(a.least, a.greatest),",
    ),
  ),
  bug(
    "division-by-the-wrong-end",
    "verifier",
    "bounds of division, as in PREVAIL, 2026",
    "the greatest quotient is taken of the greatest divisor",
    edit("absint/scalar/divide", "udiv(a.greatest, b.least)", "udiv(a.greatest, b.greatest)"),
  ),
  bug(
    "remainder-below-the-least-divisor",
    "verifier",
    "bounds of remainders (a class of its own in 2023 and 2026)",
    "a remainder is bounded by the least divisor in place of the greatest",
    edit(
      "absint/scalar/remainder",
      "greatest: umin(sub(divisors.greatest, one), byQuotient),",
      "greatest: umin(sub(divisors.least, one), byQuotient),",
    ),
  ),
  bug(
    "multiplication-by-ends-that-wrap",
    "verifier",
    "bounds of products that overflow, Linux 4.14",
    "a product's bounds are those of the low halves of the products of the ends, also where these overflow",
    edit(
      "absint/scalar/multiply",
      "const whole = eq(high(least), high(greatest));",
      "const whole = eq(least, least);",
    ),
  ),
];
