import { expect, test } from "vitest";
import { add, and, constant, eq, extract, fold, ite, ne, not, ult, variable, zext } from "./build.ts";
import { toSmtLib } from "./smt.ts";

const x = variable("x.lo", 64);
const b = variable("b", 1);

test("shared terms are defined once, truth values are Bools", () => {
  const sum = add(x, x);
  expect(toSmtLib([and(ult(sum, x), not(eq(sum, zext(64, b))))])).toBe(`(declare-const |x.lo| (_ BitVec 64))
(declare-const |b| (_ BitVec 1))
(define-fun $0 () (_ BitVec 64) (bvadd |x.lo| |x.lo|))
(define-fun $1 () Bool (bvult $0 |x.lo|))
(define-fun $2 () (_ BitVec 64) ((_ zero_extend 63) |b|))
(define-fun $3 () Bool (= $0 $2))
(define-fun $4 () Bool (not $3))
(define-fun $5 () Bool (and $1 $4))
(assert $5)
`);
});

test("a fold is its steps one after the other", () => {
  const [s] = fold({
    widths: [1],
    count: 2,
    init: [b],
    step: ([s], i) => [ite(s, extract(1, i), b)],
    condition: ([s]) => s,
  });
  expect(toSmtLib([s])).toBe(`(declare-const |b| (_ BitVec 1))
(define-fun $0 () (_ BitVec 1) ((_ extract 0 0) (_ bv0 8)))
(define-fun $1 () (_ BitVec 1) (ite (= |b| #b1) $0 |b|))
(define-fun $2 () (_ BitVec 1) (ite (= |b| #b1) $1 |b|))
(define-fun $3 () (_ BitVec 1) ((_ extract 0 0) (_ bv1 8)))
(define-fun $4 () (_ BitVec 1) (ite (= $2 #b1) $3 |b|))
(define-fun $5 () (_ BitVec 1) (ite (= $2 #b1) $4 $2))
(assert (= $5 #b1))
`);
});

test("two variables of one name cannot be told apart", () => {
  expect(() => toSmtLib([ne(x, zext(64, variable("x.lo", 8)))])).toThrow(/one name and different widths/);
  expect(() => toSmtLib([eq(variable("$0", 8), constant(8, 1))])).toThrow(/no SMT-LIB symbol: \$0/);
});
