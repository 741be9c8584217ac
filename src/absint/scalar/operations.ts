/**
 * The abstract ALU: for each operation of the instruction table, the scalar it gives. A 64-bit operation whose low half depends on
 * the operands' low halves alone is also computed at 32 bits, so that what is known of the low halves is not lost.
 */

import type { AluOp } from "../../semantics/isa/instruction.ts";
import { and, constant, sext, ule, ult, zext } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { add, neg, sub } from "./alu.ts";
import { and_, or_, xor_ } from "./bitwise.ts";
import { div } from "./divide.ts";
import { mul } from "./multiply.ts";
import { keepLow, lowest, signExtendLow } from "./narrow.ts";
import { anything, choose, type Part } from "./part.ts";
import { combine, fromWide, low, type Scalar, wide, zeroExtended } from "./product.ts";
import { mod } from "./remainder.ts";
import { arsh, lsh, rsh } from "./shift.ts";
import { sdiv, smod } from "./signed-division.ts";
import { swap } from "./swap.ts";
import * as tnum from "./tnum.ts";

type PartOperation = <N extends number>(a: Part<N>, b: Part<N>) => Part<N>;

/** Operations on one part. `congruent` ones satisfy low(f(a, b)) = f(low(a), low(b)). */
const BINARY: Readonly<Record<string, { readonly apply: PartOperation; readonly congruent: boolean }>> = {
  add: { apply: add, congruent: true },
  sub: { apply: sub, congruent: true },
  mul: { apply: mul, congruent: true },
  and: { apply: and_, congruent: true },
  or: { apply: or_, congruent: true },
  xor: { apply: xor_, congruent: true },
  neg: { apply: (a) => neg(a), congruent: true },
  mov: { apply: (_, b) => b, congruent: true },
  div: { apply: div, congruent: false },
  mod: { apply: mod, congruent: false },
  sdiv: { apply: sdiv, congruent: false },
  smod: { apply: smod, congruent: false },
  rsh: { apply: rsh, congruent: false },
  arsh: { apply: arsh, congruent: false },
};

/** The low `bits` with their bytes reversed, zero-extended. */
function swapLow(a: Scalar, bits: 16 | 32 | 64): Scalar {
  if (bits === 64) return fromWide(swap(wide(a)));
  if (bits === 32) return zeroExtended(swap(low(a)));
  const { tnum: known, umin, umax } = swap(lowest(16, low(a)));
  const [least, greatest] = [zext(32, umin), zext(32, umax)];
  return zeroExtended({
    tnum: tnum.zeroExtend(32, known),
    umin: least,
    umax: greatest,
    smin: least,
    smax: greatest,
  });
}

function truncateTo(a: Scalar, bits: 16 | 32 | 64): Scalar {
  if (bits === 64) return a;
  if (bits === 32) return zeroExtended(low(a));
  return combine(keepLow(wide(a), bits), keepLow(low(a), bits));
}

function signExtend(b: Scalar, from: 8 | 16 | 32, width: 32 | 64): Scalar {
  if (width === 32) return zeroExtended(signExtendLow(low(b), from));
  const whole = signExtendLow(wide(b), from);
  if (from !== 32) return combine(whole, signExtendLow(low(b), from));
  return combine(whole, low(b));
}

/** Whether all counts are from 32 to 63. */
export const shiftsOutHalf = ({ umin, umax }: Scalar): Term<1> =>
  and(ule(constant(64, 32), umin), ule(umax, constant(64, 63)));

/**
 * The left operand of a 64-bit shift to the left. By 32 or more nothing but the low half stays, so that any number with that low half will do:
 * its sign extension, of which the 32-bit bounds say more than the others say of the whole. Sign extension keeps both orders.
 */
export function shiftedLeft(a: Scalar, b: Scalar): Part<64> {
  const half = low(a);
  const extended: Part<64> = {
    tnum: tnum.signExtend(64, half.tnum),
    umin: sext(64, half.umin),
    umax: sext(64, half.umax),
    smin: sext(64, half.smin),
    smax: sext(64, half.smax),
  };
  return choose(shiftsOutHalf(b), extended, wide(a));
}

function lsh64(a: Scalar, b: Scalar): Scalar {
  const half = lsh(low(a), low(b));
  return combine(lsh(shiftedLeft(a, b), wide(b)), choose(ult(b.umax, constant(64, 32)), half, anything(32)));
}

/**
 * The result of `op` at `width` for a destination in γ(a) and an operand in γ(b). Byte-order operations are those of a
 * little-endian machine. Not synchronised.
 */
export function operate(op: AluOp, width: 32 | 64, a: Scalar, b: Scalar): Scalar {
  switch (op) {
    case "movsx8":
      return signExtend(b, 8, width);
    case "movsx16":
      return signExtend(b, 16, width);
    case "movsx32":
      return signExtend(b, 32, width);
    case "le16":
      return truncateTo(a, 16);
    case "le32":
      return truncateTo(a, 32);
    case "le64":
      return truncateTo(a, 64);
    case "be16":
    case "bswap16":
      return swapLow(a, 16);
    case "be32":
    case "bswap32":
      return swapLow(a, 32);
    case "be64":
    case "bswap64":
      return swapLow(a, 64);
    case "lsh":
      return width === 64 ? lsh64(a, b) : zeroExtended(lsh(low(a), low(b)));
    default: {
      const operation = BINARY[op];
      if (operation === undefined) throw new Error(`no abstract operation for ${op}`);
      if (width === 32) return zeroExtended(operation.apply(low(a), low(b)));
      const whole = operation.apply(wide(a), wide(b));
      return operation.congruent ? combine(whole, operation.apply(low(a), low(b))) : fromWide(whole);
    }
  }
}
