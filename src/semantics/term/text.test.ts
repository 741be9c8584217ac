import { expect, test } from "vitest";
import {
  add,
  and,
  constant,
  eq,
  extract,
  fold,
  ite,
  lshr,
  ne,
  not,
  shl,
  slt,
  sub,
  ult,
  variable,
  zext,
} from "./build.ts";
import { toText } from "./text.ts";

const x = variable("x", 64);
const y = variable("y", 64);

test("small terms are one line", () => {
  expect(toText(sub(add(add(x, y), constant(64, 5)), add(x, y)))).toBe("let t1 = x + y\n(t1 + 5) - t1");
  expect(toText(ite(slt(x, y), zext(64, extract(8, x)), not(y)))).toBe("(x <s y) ? zext64(x[7:0]) : ~y");
  expect(toText(and(extract(1, x, 63), ne(x, constant(64, -1))))).toBe("x[63] & (x != 0xffffffffffffffff)");
  expect(toText(and(not(ult(x, y)), eq(x, y)))).toBe("~(x <u y) & (x == y)");
});

test("what is used twice has a name", () => {
  const sum = add(x, y);
  expect(toText(shl(sum, sum), sum)).toBe("let t1 = x + y\nt1 << t1\nt1");
});

test("a fold is a block; what its steps do not change stands before it", () => {
  const shift = add(y, y);
  const [bits, left] = fold({
    widths: [64, 64],
    count: 64,
    init: [constant(64, 0), x],
    step: ([n, rest], i) => [add(n, add(zext(64, i), shift)), sub(lshr(rest, constant(64, 1)), shift)],
    condition: ([, rest]) => ne(rest, constant(64, 0)),
  });
  expect(toText(add(bits, left))).toBe(
    [
      "let t1 = y + y",
      "let f2 = repeat 64 for i1 from (s1.0, s1.1) = (0, x)",
      "  while s1.1 != 0",
      "  next (s1.0 + (zext64(i1) + t1), (s1.1 >>u 1) - t1)",
      "f2.0 + f2.1",
    ].join("\n"),
  );
});
