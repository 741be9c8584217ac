import { expect, test } from "vitest";
import { add, and, constant, eq, extract, fold, ite, ne, not, ult, variable, zext } from "./build.ts";
import { toSmtLib } from "./smt.ts";

const x = variable("x.lo", 64);
const b = variable("b", 1);

test("shared terms are named once, truth values are Bools", () => {
  const sum = add(x, x);
  expect(toSmtLib([and(ult(sum, x), not(eq(sum, zext(64, b))))])).toBe(`(declare-const |x.lo| (_ BitVec 64))
(declare-const |b| (_ BitVec 1))
(assert
(let (($0 (bvadd |x.lo| |x.lo|)))
(let (($1 (bvult $0 |x.lo|)))
(let (($2 ((_ zero_extend 63) |b|)))
(let (($3 (= $0 $2)))
(let (($4 (not $3)))
(let (($5 (and $1 $4)))
$5)))))))
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
(assert
(let (($0 ((_ extract 0 0) (_ bv0 8))))
(let (($1 (ite (= |b| #b1) $0 |b|)))
(let (($2 (ite (= |b| #b1) $1 |b|)))
(let (($3 ((_ extract 0 0) (_ bv1 8))))
(let (($4 (ite (= $2 #b1) $3 |b|)))
(let (($5 (ite (= $2 #b1) $4 $2)))
(= $5 #b1))))))))
`);
});

test("several assertions are one, none is true", () => {
  const [c, d] = [variable("c", 1), variable("d", 1)];
  expect(toSmtLib([c, d])).toContain("\n(and (= |c| #b1) (= |d| #b1)))\n");
  expect(toSmtLib([])).toBe("(assert\ntrue)\n");
});

test("two variables of one name cannot be told apart", () => {
  expect(() => toSmtLib([ne(x, zext(64, variable("x.lo", 8)))])).toThrow(/one name and different widths/);
  expect(() => toSmtLib([eq(variable("$0", 8), constant(8, 1))])).toThrow(/no SMT-LIB symbol: \$0/);
});
