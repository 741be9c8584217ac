/** Every rule of synchronisation keeps all numbers and loosens nothing; so does synchronisation, which is one reading of their sequence. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allocate } from "../../src/absint/arena.ts";
import { SCALAR_BYTES, synchronise } from "../../src/absint/scalar/operators.ts";
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
