/**
 * Wrong versions of operators and rules, each refuted by the harness that holds for the right one: proof that the claims can fail.
 * Several are mistakes that the kernel's verifier once made.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { add, difference, fromBits, sub, sum } from "../../src/absint/scalar/alu.ts";
import { and_, andArc, or_, orArc, xorArc } from "../../src/absint/scalar/bitwise.ts";
import { type Condition, decide, refine } from "../../src/absint/scalar/branch.ts";
import { div } from "../../src/absint/scalar/divide.ts";
import { leastFrom } from "../../src/absint/scalar/exchange.ts";
import { type Arc, around, fullRange, negative, notNegative } from "../../src/absint/scalar/halves.ts";
import { MEANS, mul, products } from "../../src/absint/scalar/multiply.ts";
import { keepLow, signExtendLow } from "../../src/absint/scalar/narrow.ts";
import { operate } from "../../src/absint/scalar/operations.ts";
import { branchOperators } from "../../src/absint/scalar/operators.ts";
import { exactly, type Part } from "../../src/absint/scalar/part.ts";
import { combine, fromWide, low, type Scalar, wide, zeroExtended } from "../../src/absint/scalar/product.ts";
import { below, greatestByLowBits } from "../../src/absint/scalar/product-ends.ts";
import { mod } from "../../src/absint/scalar/remainder.ts";
import { lsh, rsh } from "../../src/absint/scalar/shift.ts";
import { sdiv, smod } from "../../src/absint/scalar/signed-division.ts";
import { swap } from "../../src/absint/scalar/swap.ts";
import * as tnum from "../../src/absint/scalar/tnum.ts";
import type { JumpOp } from "../../src/semantics/isa/instruction.ts";
import { rowByName } from "../../src/semantics/isa/table.ts";
import * as t from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { A, B, binary, inPlace } from "./compile.ts";
import {
  type Abstract,
  type Decide,
  decisionHolds,
  operatorHolds,
  type Refine,
  refinementHolds,
} from "./exhaust.ts";
import { CONDITIONS, OPERATORS } from "./operators.ts";
import { ruleHolds } from "./rules.ts";
import { runs } from "./settings.ts";
import { aluHolds, branchHolds } from "./wide.ts";

type P = Part<number>;
const zero = ({ umin }: P): Term => t.constant(umin.width, 0);
const one = ({ umin }: P): Term => t.constant(umin.width, 1);

/** Around the arcs of the halves, whatever they go across. */
const byArcs =
  (arc: (x: Arc<number>, y: Arc<number>) => Arc<number>): Abstract =>
  (a, b) => {
    const [p, n, q, m] = [notNegative(a), negative(a), notNegative(b), negative(b)];
    const arcs = [arc(p, q), arc(p, m), arc(n, q), arc(n, m)] as const;
    return { tnum: tnum.unknown(a.umin.width), ...around(arcs, fullRange(a.umin.width)) };
  };
const noSmear = <N extends number>(bits: Term<N>): Term<N> => bits;

describe("small widths refute", () => {
  const operators: readonly (readonly [what: string, of: string, Abstract])[] = [
    [
      "a tnum sum without carries",
      "add",
      (a, b) => {
        const mask = t.or(a.tnum.mask, b.tnum.mask);
        const value = t.and(t.add(a.tnum.value, b.tnum.value), t.not(mask));
        return { ...add(a, b), tnum: { value, mask } };
      },
    ],
    ["a sum that forgets to wrap", "add", (a, b) => ({ ...add(a, b), umax: t.add(a.umax, b.umax) })],
    ["a difference of like ends", "sub", (a, b) => ({ ...sub(a, b), umin: t.sub(a.umin, b.umin) })],
    ["a signed product from one corner", "mul", (a, b) => ({ ...mul(a, b), smin: t.mul(a.smin, b.smin) })],
    [
      "a product that is not 0 since the least factors' is not",
      "mul",
      (a, b) => products(a, b, { ...MEANS, belowAll: (p) => below(p.least) }),
    ],
    [
      "a product that does not end in 1s since its least factors' does not",
      "mul",
      (a, b) => {
        const { tnum: bits, ...ends } = products(a, b);
        const { umax } = greatestByLowBits(tnum.exactly(a.umin), tnum.exactly(b.umin), bits);
        return { ...ends, tnum: bits, umax: t.umin(ends.umax, umax) };
      },
    ],
    ["a quotient by what is not zero", "div", (a, b) => ({ ...div(a, b), umin: t.udiv(a.umin, b.umax) })],
    [
      "a remainder below the least divisor",
      "mod",
      (a, b) => ({ ...mod(a, b), umax: t.umin(mod(a, b).umax, t.sub(b.umin, one(b))) }),
    ],
    ["a remainder of few numbers without the last", "mod", (a, b) => mod(a, { ...b, umax: b.umin })],
    [
      "a signed quotient of the least ends",
      "sdiv",
      (a, b) => ({ ...sdiv(a, b), smin: t.sdiv(a.smin, b.smin) }),
    ],
    [
      "a right shift by counts that are not negative, if there are any",
      "rsh",
      (a, b) => rsh(a, { ...b, smin: t.ite(t.slt(b.smax, zero(b)), b.smin, t.smax(b.smin, zero(b))) }),
    ],
    ["a right shift by the greatest count", "rsh", (a, b) => rsh(a, exactly(b.umax))],
    ["a remainder never negative", "smod", (a, b) => ({ ...smod(a, b), smin: t.constant(a.umin.width, 0) })],
    ["an and at least its least operand", "and", (a, b) => ({ ...and_(a, b), umin: t.umin(a.umin, b.umin) })],
    ["an or at most its greatest operand", "or", (a, b) => ({ ...or_(a, b), umax: t.umax(a.umax, b.umax) })],
    ["a left shift by the least count", "lsh", (a, b) => lsh(a, exactly(b.umin))],
    [
      "an arithmetic shift that shifts in zeros",
      "arsh",
      (a, b) => {
        const by = (x: Term): Term => t.lshr(x, t.and(b.umin, t.constant(x.width, x.width - 1)));
        return { ...fromBits(tnum.unknown(a.umin.width)), umax: by(a.umax) };
      },
    ],
    ["a sum of halves that never goes across", "add", byArcs(sum)],
    ["a difference of halves that never goes across", "sub", byArcs(difference)],
    ["an and that frees no bit below the one it raises", "and", byArcs((x, y) => andArc(x, y, noSmear))],
    ["an or that frees no bit below the one it lowers", "or", byArcs((x, y) => orArc(x, y, noSmear))],
    ["an xor that frees no bit below the one it raises", "xor", byArcs((x, y) => xorArc(x, y, noSmear))],
    [
      "a signed end moved to the number after the nearest in the tnum",
      "and",
      (a, b) => {
        const result = and_(a, b);
        return { ...result, smin: leastFrom(result.tnum, t.add(result.smin, one(a))) };
      },
    ],
    [
      "a byte swap of the ends",
      "byte swap, bytes of 1",
      (a) => {
        const end = (x: Term): Term => swap(exactly(x), 1).umin;
        return { ...swap(a, 1), umin: t.umin(end(a.umin), end(a.umax)) };
      },
    ],
    [
      "a byte swap whose signed order is unsigned",
      "byte swap, bytes of 2",
      (a) => {
        const { umin, umax, ...rest } = swap(a, 2);
        return { ...rest, umin, umax, smin: umin, smax: umax };
      },
    ],
    [
      "low bits of the ends alone",
      "low 2",
      (a) => {
        const ends = keepLow({ ...a, umin: a.umax, smin: a.smax }, Math.min(2, a.umin.width));
        return { ...ends, tnum: tnum.unknown(a.umin.width) };
      },
    ],
    [
      "a sign extension that keeps its interval",
      "sign extension of 2",
      (a) => ({
        ...signExtendLow(a, 2),
        smin: t.sext(a.umin.width, t.extract(Math.min(2, a.umin.width), a.smin)),
      }),
    ],
  ];
  test.each(operators)("%s", (_, of, wrong) => {
    const { concrete, widths } = OPERATORS.find(({ name }) => name === of)!;
    expect(() => widths.forEach((width) => operatorHolds(of, wrong, concrete, width))).toThrow("lacks");
  });

  const width = 3;
  const decisions: readonly (readonly [what: string, Condition, Decide])[] = [
    ["a comparison of like ends", "jlt", (_, a, b) => t.zext(2, t.ult(a.umax, b.umax))],
    ["less for less or equal", "jlt", (_, a, b) => decide("jle", a, b)],
    [
      "bits that may be shared for bits that are",
      "jset",
      (_, a, b) => t.zext(2, t.ne(tnum.possible(tnum.and(a.tnum, b.tnum)), zero(a))),
    ],
    [
      "equality of ends for equality",
      "jeq",
      (_, a, b) => t.zext(2, t.and(t.eq(a.umin, b.umin), t.eq(a.umax, b.umax))),
    ],
  ];
  test.each(decisions)("%s", (_, condition, wrong) => {
    expect(() => decisionHolds(condition, CONDITIONS[condition], width, wrong)).toThrow("lacks");
  });

  const refinements: readonly (readonly [what: string, Condition, Refine])[] = [
    ["a bound one too low", "jle", (_, a, b) => refine("jlt", a, b)],
    ["a signed bound one too high", "jsge", (_, a, b) => refine("jsgt", a, b)],
    [
      "shaving at the wrong end",
      "jne",
      (_, a, b) => [{ ...a, umax: t.ite(t.eq(a.umin, b.umin), t.sub(a.umax, one(a)), a.umax) }, b],
    ],
    [
      "shaving where the other is no constant",
      "jne",
      (_, a, b) => [{ ...a, umin: t.ite(t.eq(a.umin, b.umin), t.add(a.umin, one(a)), a.umin) }, b],
    ],
    [
      "setting every bit that may be shared",
      "jset",
      (_, a, b) => {
        const bits = t.and(tnum.possible(a.tnum), tnum.possible(b.tnum));
        return [
          { ...a, tnum: { value: t.or(a.tnum.value, bits), mask: t.and(a.tnum.mask, t.not(bits)) } },
          b,
        ];
      },
    ],
  ];
  test.each(refinements)("%s", (_, condition, wrong) => {
    expect(() => refinementHolds(condition, CONDITIONS[condition], width, wrong)).toThrow("lacks");
  });
});

describe("full width refutes", () => {
  const bothKnown = t.eq(t.extract(32, t.or(A.tnum.mask, B.tnum.mask)), t.constant(32, 0));
  const or64 = operate("or", 64, A, B);
  const operators: readonly (readonly [what: string, row: string, Scalar])[] = [
    [
      "32-bit bounds left as they were when the low bits are known (CVE-2021-3490)",
      "or64_reg",
      {
        ...or64,
        umin32: t.ite(bothKnown, A.umin32, or64.umin32),
        umax32: t.ite(bothKnown, A.umax32, or64.umax32),
      },
    ],
    ["a 32-bit move that extends the sign (CVE-2017-16995)", "mov32_reg", operate("movsx32", 64, A, B)],
    [
      "a 32-bit shift of all 64 bits (CVE-2018-18445)",
      "rsh32_reg",
      zeroExtended(low(operate("rsh", 64, A, B))),
    ],
    ["32-bit multiplication that forgets the upper half", "mul32_reg", operate("mul", 64, A, B)],
    [
      "a left shift whose low half goes by the count modulo 32",
      "lsh64_reg",
      combine(wide(operate("lsh", 64, A, B)), lsh(low(A), low(B))),
    ],
    [
      "a right shift of the low half alone",
      "rsh64_reg",
      combine(wide(operate("rsh", 64, A, B)), low(operate("rsh", 32, A, B))),
    ],
    ["a byte swap of all bytes", "bswap32", operate("bswap64", 64, A, B)],
    ["8 bits for 16", "movsx16_64", operate("movsx8", 64, A, B)],
  ];
  test.each(operators)("%s", (_, row, wrong) => {
    const { operation } = rowByName(row);
    if (operation.kind !== "alu") throw new Error(`${row} is no arithmetic`);
    expect(fc.check(aluHolds(operation.result, binary(wrong)), runs(1000)).failed).toBe(true);
  });

  const whole = (p: Part<64>, s: Scalar): Scalar => ({ ...s, ...p });
  const edges: readonly (readonly [what: string, JumpOp, 32 | 64, readonly [Scalar, Scalar]])[] = [
    [
      "a 32-bit bound taken for a 64-bit one",
      "jle",
      32,
      [{ ...A, umax: t.umin(A.umax, t.zext(64, B.umax32)) }, B],
    ],
    [
      "equal low halves taken for equal numbers",
      "jeq",
      32,
      [whole(refine("jeq", wide(A), wide(B))[0], A), whole(refine("jeq", wide(A), wide(B))[1], B)],
    ],
    ["the other edge", "jslt", 64, [whole(refine("jsge", wide(A), wide(B))[0], A), B]],
  ];
  test.each(edges)("%s", (_, op, width, wrong) => {
    const { operation } = rowByName(`${op}${width}_reg`);
    if (operation.kind !== "jump") throw new Error(`${op} is no jump`);
    const operators = { ...branchOperators(op, width), taken: inPlace(wrong) };
    expect(fc.check(branchHolds(operation.taken, operators), runs(1000)).failed).toBe(true);
  });

  test("a decision on low halves (jump32) taken for one on all 64 bits", () => {
    const { operation } = rowByName("jlt64_reg");
    if (operation.kind !== "jump") throw new Error("no jump");
    const operators = { ...branchOperators("jlt", 64), decide: branchOperators("jlt", 32).decide };
    expect(fc.check(branchHolds(operation.taken, operators), runs(1000)).failed).toBe(true);
  });
});

describe("rules that are wrong", () => {
  const half = (x: Term<64>): Term<32> => t.extract(32, x);
  const rules: readonly (readonly [what: string, (s: Scalar) => Scalar])[] = [
    ["u64 to u32 whatever the upper halves", (s) => ({ ...s, umax32: t.umin(s.umax32, half(s.umax)) })],
    [
      "each end of u64 to u32 by itself (CVE-2021-31440)",
      (s) => {
        const fits = t.eq(t.extract(32, s.umin, 32), t.constant(32, 0));
        return { ...s, umin32: t.ite(fits, t.umax(s.umin32, half(s.umin)), s.umin32) };
      },
    ],
    [
      "the ends' low halves as a range of low halves (CVE-2020-8835)",
      (s) => {
        const range = tnum.zeroExtend(64, tnum.fromRange(half(s.umin), half(s.umax)));
        const mask = t.or(range.mask, t.constant(64, 0xffffffff00000000n));
        return { ...s, tnum: tnum.intersect(s.tnum, { ...range, mask }) };
      },
    ],
    ["s64 to u64 whatever the signs", (s) => ({ ...s, umin: t.umax(s.umin, s.smin) })],
    ["s32 to s64 whatever the upper halves", (s) => ({ ...s, smin: t.smax(s.smin, t.sext(64, s.smin32)) })],
    ["a tnum's least number with the sign clear", (s) => ({ ...s, smin: t.smax(s.smin, s.tnum.value) })],
    [
      "only the bits at which the ends differ vary",
      (s) => {
        const range = { value: t.and(s.umin, s.umax), mask: t.xor(s.umin, s.umax) };
        return { ...s, tnum: tnum.intersect(s.tnum, range) };
      },
    ],
    [
      "ends near the same multiple of 2^32, though the numbers go all the way round",
      (s) => {
        const near = (x: Term<64>) => t.extract(32, t.add(x, t.constant(64, 0x80000000n)), 32);
        const same = t.eq(near(s.smin), near(s.smax));
        return { ...s, smin32: t.ite(same, t.smax(s.smin32, half(s.smin)), s.smin32) };
      },
    ],
    [
      "a signed low half put under an unsigned end, below which the multiple of 2^32 wraps",
      (s) => {
        const fits = t.eq(t.lshr(s.umax, t.constant(64, 31)), t.constant(64, 0));
        return { ...s, umin: t.ite(fits, t.umax(s.umin, t.sext(64, s.smin32)), s.umin) };
      },
    ],
    [
      "the next member of the tnum, without looking which of the two is greater",
      (s) => {
        const low = tnum.fromRange(s.tnum.value, t.and(s.umin, t.not(s.tnum.mask))).mask;
        const fixed = t.or(t.not(s.tnum.mask), low);
        const next = t.and(t.add(t.or(s.umin, fixed), t.constant(64, 1)), t.not(fixed));
        return { ...s, umin: t.umax(s.umin, t.or(s.tnum.value, next)) };
      },
    ],
    [
      "no non-negative numbers, so none at all",
      (s) => ({
        ...s,
        smax: t.ite(t.ult(s.smax, s.umin), t.smin(s.smax, t.constant(64, -1)), s.smax),
        umin: t.ite(t.ult(s.smax, s.umin), t.umax(s.umin, t.constant(64, -1)), s.umin),
      }),
    ],
    ["what loosens", (s) => ({ ...s, umin: t.constant(64, 0) })],
    ["what empties", (s) => fromWide({ ...wide(s), umax: t.sub(s.umax, t.constant(64, 1)) })],
  ];
  test.each(rules)("%s", (_, wrong) => {
    expect(fc.check(ruleHolds(wrong), runs(1000)).failed).toBe(true);
  });
});
