import { afterAll, beforeAll, expect, test } from "vitest";
import { add, and, constant, eq, mul, ne, sub, ugt, ult, variable, xor, zext } from "./build.ts";
import { evaluate } from "./concrete.ts";
import type { Term } from "./node.ts";
import { startZ3, type Z3 } from "./z3.ts";

const x = variable("x", 64);
const y = variable("y", 64);

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => z3.stop());

test("an identity has no counterexample", async () => {
  const sum = add(xor(x, y), mul(constant(64, 2), and(x, y)));
  expect(await z3.solve([ne(sum, add(x, y))])).toEqual({ result: "unsat" });
});

test("a model makes the assertions true", async () => {
  const assertions: Term<1>[] = [
    ult(add(x, y), x),
    eq(sub(y, x), constant(64, 77)),
    ugt(y, constant(64, 1n << 40n)),
  ];
  const answer = await z3.solve(assertions);
  if (answer.result !== "sat") throw new Error(answer.result);
  expect([...answer.model.keys()]).toEqual(expect.arrayContaining([x, y]));
  for (const assertion of assertions) expect(evaluate(assertion, answer.model)).toBe(1n);
});

test("a question that takes too long has no answer", async () => {
  // Two primes just below 2^31: factoring is not for bit-blasting.
  const [p, q] = [2147483647n, 2147483629n];
  const [a, b] = [variable("a", 32), variable("b", 32)];
  const one = constant(32, 1);
  const product = mul(zext(64, a), zext(64, b));
  const answer = await z3.solve([eq(product, constant(64, p * q)), ugt(a, one), ugt(b, one), ult(a, b)], 50);
  expect(answer).toEqual({ result: "unknown", reason: expect.stringMatching(/timeout|canceled/) });
});

test("questions may be asked at once", async () => {
  const answers = await Promise.all(
    [1, 2, 3].map(async (n) => z3.solve([eq(add(x, constant(64, 1)), constant(64, n))])),
  );
  expect(answers.map((a) => (a.result === "sat" ? a.model.get(x) : a.result))).toEqual([0n, 1n, 2n]);
});

test("a name that SMT-LIB cannot write fails that question alone", async () => {
  const odd = variable("a|b", 8);
  await expect(z3.solve([eq(odd, odd)])).rejects.toThrow(/no SMT-LIB symbol: a\|b/);
  expect(await z3.solve([ne(x, x)])).toEqual({ result: "unsat" });
});
