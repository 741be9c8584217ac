/** Order and join of whole scalars in memory, and that memory holds what the terms say. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate } from "../../src/absint/arena.ts";
import { COMPONENTS, componentsOf } from "../../src/absint/scalar/components.ts";
import { operate } from "../../src/absint/scalar/operations.ts";
import {
  aluOperator,
  constantScalar,
  joinScalars,
  SCALAR_BYTES,
  scalarIncludes,
  unknownScalarAt,
} from "../../src/absint/scalar/operators.ts";
import { contains as containsTerm } from "../../src/absint/scalar/product.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import { variable } from "../../src/semantics/term/build.ts";
import { evaluate, evaluator } from "../../src/semantics/term/concrete.ts";
import { A, B } from "./compile.ts";
import {
  ANYTHING,
  contains,
  meaning,
  members,
  number,
  type Plain,
  read,
  scalarAround,
  shape,
  within,
  write,
} from "./scalars.ts";
import { runs } from "./settings.ts";
import { operands } from "./wide.ts";

const block = (): number => allocate(SCALAR_BYTES);
const [LEFT, RIGHT, OUT] = [block(), block(), block()] as const;

const environment = (a: Plain, b: Plain): Map<ReturnType<typeof variable>, bigint> =>
  new Map(
    COMPONENTS.flatMap((c) => [[componentsOf(A)[c], a[c]] as const, [componentsOf(B)[c], b[c]] as const]),
  );

test("γ in the terms is γ in these tests", () => {
  const x = variable("x", 64);
  fc.assert(
    fc.property(number, shape, number, (inside, form, any) => {
      const s = scalarAround(inside, form);
      const held = (value: bigint): boolean =>
        evaluate(containsTerm(A, x), environment(s, ANYTHING).set(x, value)) === 1n;
      expect(held(inside)).toBe(true);
      expect(held(any)).toBe(contains(s, any));
    }),
    runs(1000),
  );
});

describe("scalarIncludes", () => {
  test("is inclusion of every component, so of every number", () => {
    fc.assert(
      fc.property(operands, fc.boolean(), ({ x, y, a, b }, sameNumber) => {
        const [outer, inner] = [scalarAround(x, a), scalarAround(sameNumber ? x : y, b)];
        write(LEFT, outer);
        write(RIGHT, inner);
        const included = scalarIncludes(LEFT, RIGHT) === 1;
        expect(included).toBe(within(outer, inner));
        if (!included) return;
        for (const held of members(inner, sameNumber ? x : y, b.picks, 8))
          expect(contains(outer, held)).toBe(true);
      }),
      runs(2000),
    );
  });
  test("says yes of a scalar and one looser at one end, and no the other way round", () => {
    fc.assert(
      fc.property(number, shape, fc.constantFrom(...COMPONENTS), (x, form, component) => {
        const inner = scalarAround(x, form);
        const loose = { ...inner, [component]: ANYTHING[component] };
        const outer =
          component === "value" || component === "mask"
            ? { ...inner, value: 0n, mask: ANYTHING.mask }
            : loose;
        write(LEFT, outer);
        write(RIGHT, inner);
        expect(scalarIncludes(LEFT, RIGHT)).toBe(1);
        expect(scalarIncludes(RIGHT, LEFT)).toBe(
          outer.mask === inner.mask && outer[component] === inner[component] ? 1 : 0,
        );
      }),
      runs(1000),
    );
  });
});

test("joinScalars is the least upper bound of each component", () => {
  fc.assert(
    fc.property(operands, ({ x, y, a, b }) => {
      const [left, right] = [scalarAround(x, a), scalarAround(y, b)];
      write(LEFT, left);
      write(RIGHT, right);
      joinScalars(LEFT, RIGHT, OUT);
      const join = read(OUT);
      expect(contains(join, x) && contains(join, y)).toBe(true);
      const unknown = left.mask | right.mask | (left.value ^ right.value);
      expect([join.mask, join.value]).toEqual([unknown, left.value & ~unknown]);
      for (const end of ["umin", "smin", "umin32", "smin32"] as const)
        expect([meaning(left, end), meaning(right, end)].sort((p, q) => (p < q ? -1 : 1))[0]).toBe(
          meaning(join, end),
        );
      for (const end of ["umax", "smax", "umax32", "smax32"] as const)
        expect([meaning(left, end), meaning(right, end)].sort((p, q) => (p > q ? -1 : 1))[0]).toBe(
          meaning(join, end),
        );
    }),
    runs(1000),
  );
});

test("a constant holds one number, in all components", () => {
  fc.assert(
    fc.property(number, (x) => {
      constantScalar(OUT, Number(BigInt.asIntN(32, x)), Number(BigInt.asIntN(32, x >> 32n)));
      const low = BigInt.asUintN(32, x);
      const [wide, half] = [
        { value: x, mask: 0n, umin: x, umax: x, smin: x, smax: x },
        { umin32: low, umax32: low, smin32: low, smax32: low },
      ];
      expect(read(OUT)).toEqual({ ...wide, ...half });
    }),
    runs(500),
  );
});

test.each(Array.from({ length: 64 }, (_, i) => i + 1))("any number of %i bits", (bits) => {
  unknownScalarAt(OUT, bits);
  const most = 2n ** BigInt(bits) - 1n;
  const low = BigInt.asUintN(32, most);
  expect(read(OUT)).toEqual({
    value: 0n,
    mask: most,
    umin: 0n,
    umax: most,
    smin: bits === 64 ? 2n ** 63n : 0n,
    smax: bits === 64 ? 2n ** 63n - 1n : most,
    umin32: 0n,
    umax32: low,
    smin32: bits >= 32 ? 2n ** 31n : 0n,
    smax32: bits >= 32 ? 2n ** 31n - 1n : low,
  });
});

describe("operators in memory are the concrete reading of their terms", () => {
  for (const { name, operation } of ROWS) {
    if (operation.kind !== "alu" || operation.operand === "imm") continue;
    const { op, width } = operation;
    test(name, () => {
      const results = componentsOf(operate(op, width, A, B));
      fc.assert(
        fc.property(operands, ({ x, y, a, b }) => {
          const [left, right] = [scalarAround(x, a), scalarAround(y, b)];
          write(LEFT, left);
          write(RIGHT, right);
          aluOperator(op, width)(LEFT, RIGHT, OUT);
          const value = evaluator(environment(left, right));
          expect(read(OUT)).toEqual(Object.fromEntries(COMPONENTS.map((c) => [c, value(results[c])])));
          // Operands and result may be one.
          aluOperator(op, width)(LEFT, RIGHT, LEFT);
          expect(read(LEFT)).toEqual(read(OUT));
        }),
        runs(40),
      );
    });
  }
});
