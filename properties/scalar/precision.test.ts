/**
 * No operator loses precision: at 4 bits the share of operands with the best result is what is claimed, or at least the goal for all.
 * `bench/precision.ts` measures more widths and writes docs/precision.md.
 */
import { describe, expect, test } from "vitest";
import { OPERATORS, type Operator } from "./operators.ts";
import { measure, type Tally } from "./precision.ts";
import type { Known } from "./tightest.ts";

const WIDTH = 4;
const LIMITS = { all: 100_000, sample: 100_000 };
/** All pairs of the tightest parts. */
const EVERY_PAIR = { all: 4_000_000, sample: 0 };

/** The goal: best results for nine operands of ten. */
const GOAL = 0.9;
/** Best tnums of tnums, nothing else asked. */
const OPTIMAL_TNUM = ["add", "sub", "and", "or", "xor"];
/** Both intervals the best, of operands of which both intervals are known. */
const OPTIMAL_INTERVALS = [
  "add",
  "sub",
  "and",
  "or",
  "xor",
  "neg",
  "lsh",
  "rsh",
  "arsh",
  ...[1, 2].map((bits) => `byte swap, bytes of ${bits}`),
  ...[1, 2, 3].flatMap((bits) => [`sign extension of ${bits}`, `low ${bits}`]),
];

const named = (name: string): Operator => OPERATORS.find((operator) => operator.name === name)!;
const share = (tally: Tally, known: Known): number => tally[known] / tally.pairs;

describe("the best there is", () => {
  test.each(OPTIMAL_TNUM)("%s: tnums by themselves", (name) => {
    const tally = measure(named(name), WIDTH, "tnum", LIMITS, false);
    expect(tally.exhaustive).toBe(true);
    expect(tally.tnum).toBe(tally.pairs);
  });
  test.each(OPTIMAL_INTERVALS)("%s: intervals", (name) => {
    const tally = measure(named(name), WIDTH, "intervals", EVERY_PAIR);
    expect(tally.exhaustive).toBe(true);
    expect(tally.intervals).toBe(tally.pairs);
  });
});

// `measure` throws where a result does not hold the best one: of these operators that is a check of soundness on all pairs of synchronised parts.
test.each(OPTIMAL_INTERVALS)("%s is sound on all tightest parts", (name) => {
  expect(measure(named(name), WIDTH, "everything", EVERY_PAIR).exhaustive).toBe(true);
});

const measured = OPERATORS.filter(({ measured: widths }) => widths.includes(WIDTH));
const KNOWN: readonly Known[] = ["tnum", "unsigned", "signed", "everything"];

describe.each(measured)("$name", (operator) => {
  test.each(KNOWN)("%s known", (known) => {
    expect(share(measure(operator, WIDTH, known, LIMITS), known)).toBeGreaterThanOrEqual(GOAL);
  });
});
