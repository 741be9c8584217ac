/** Every rule of synchronisation keeps all numbers and loosens nothing; so does synchronisation, which is one reading of their sequence. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allocate } from "../../src/absint/arena.ts";
import {
  aluOperator,
  SCALAR_BYTES,
  synchronise,
  tightAluOperator,
} from "../../src/absint/scalar/operators.ts";
import { ALL_RULES, MAX_PASSES, ORDER, synchronised } from "../../src/absint/scalar/rules.ts";
import { applied, ruleHolds } from "./rules.ts";
import { number, type Plain, read, scalarAround, shape, write } from "./scalars.ts";
import { runs } from "./settings.ts";

test.each(ALL_RULES)("$name", ({ apply }) => {
  fc.assert(ruleHolds(apply), runs(1000));
});

test("synchronisation applies the rules one after the other, pass by pass, until none has more to say", () => {
  const at = allocate(SCALAR_BYTES);
  const pass = (s: Plain): Plain => ORDER.reduce((state, { apply }) => applied(apply, state), s);
  fc.assert(
    fc.property(number, shape, (x, form) => {
      const loose = scalarAround(x, form);
      write(at, loose);
      expect(synchronise(at)).toBe(0);
      const result = read(at);
      expect(result).toEqual(applied(synchronised, loose));
      let expected = loose;
      for (let i = 0; i < MAX_PASSES; i += 1) expected = pass(expected);
      expect(result).toEqual(expected);
      expect(pass(result)).toEqual(result);
    }),
    runs(200),
  );
});

test.each(["add", "and", "mul", "movsx16", "arsh"] as const)(
  "%s synchronised is the operation and then synchronisation",
  (op) => {
    const block = (): number => allocate(SCALAR_BYTES);
    const [a, b, apart, together] = [block(), block(), block(), block()] as const;
    fc.assert(
      fc.property(
        number,
        shape,
        number,
        shape,
        fc.constantFrom(32 as const, 64 as const),
        (x, f, y, g, width) => {
          write(a, scalarAround(x, f));
          write(b, scalarAround(y, g));
          aluOperator(op, width)(a, b, apart);
          synchronise(apart);
          tightAluOperator(op, width)(a, b, together);
          expect(read(together)).toEqual(read(apart));
          tightAluOperator(op, width)(a, b, b);
          expect(read(b)).toEqual(read(apart));
        },
      ),
      runs(500),
    );
  },
);
