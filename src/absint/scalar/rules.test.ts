/** Each rule of synchronisation on an example worked by hand: what it learns, and that it touches nothing else. */
import { expect, test } from "vitest";
import { constant } from "../../semantics/term/build.ts";
import { evaluate } from "../../semantics/term/concrete.ts";
import { contains, exactly, isEmpty, type Scalar, unknownScalar } from "./product.ts";
import { ALL_RULES, synchronised } from "./rules.ts";

/** Components of a scalar as numbers, signed ones below zero as such. */
type Known = Partial<Record<"value" | "mask" | Exclude<keyof Scalar, "tnum">, bigint>>;

function scalar(known: Known): Scalar {
  const anything = unknownScalar();
  const c64 = (name: keyof Known & ("umin" | "umax" | "smin" | "smax")) =>
    known[name] === undefined ? anything[name] : constant(64, known[name]);
  const c32 = (name: keyof Known & ("umin32" | "umax32" | "smin32" | "smax32")) =>
    known[name] === undefined ? anything[name] : constant(32, known[name]);
  return {
    tnum: { value: constant(64, known.value ?? 0n), mask: constant(64, known.mask ?? -1n) },
    umin: c64("umin"),
    umax: c64("umax"),
    smin: c64("smin"),
    smax: c64("smax"),
    umin32: c32("umin32"),
    umax32: c32("umax32"),
    smin32: c32("smin32"),
    smax32: c32("smax32"),
  };
}

function numbers({ tnum, ...bounds }: Scalar): Readonly<Record<string, bigint>> {
  const terms = Object.entries({ ...tnum, ...bounds });
  return Object.fromEntries(terms.map(([name, term]) => [name, evaluate(term, new Map())]));
}

const HIGH = 0xffffffff00000000n;
/** With the sign and the low four bits unknown: 32 + { 0 … 15 }, or that with the sign set. */
const SIGN_UNKNOWN = { value: 0x20n, mask: 0x800000000000000fn };
const LOW_SIGN_UNKNOWN = { value: 0x20n, mask: 0x8000000fn };

/** What is known before a rule, and what it adds. */
const EXAMPLES: Readonly<Record<string, readonly [before: Known, learnt: Known]>> = {
  "tnum to u64": [SIGN_UNKNOWN, { umin: 0x20n, umax: 0x800000000000002fn }],
  "tnum to s64": [SIGN_UNKNOWN, { smin: -(2n ** 63n) + 0x20n, smax: 0x2fn }],
  "tnum to u32": [LOW_SIGN_UNKNOWN, { umin32: 0x20n, umax32: 0x8000002fn }],
  "tnum to s32": [LOW_SIGN_UNKNOWN, { smin32: -(2n ** 31n) + 0x20n, smax32: 0x2fn }],
  // Between -5 and 9, and unsigned over 9: one of -5 … -1.
  "u64 and s64": [
    { smin: -5n, smax: 9n, umin: 10n },
    { umin: -5n, smax: -1n },
  ],
  // Between -5 and 9, and unsigned under 2^32 - 5: one of 0 … 9.
  "u32 and s32": [
    { smin32: -5n, smax32: 9n, umax32: 100n },
    { umax32: 9n, smin32: 0n },
  ],
  "u64 to u32": [
    { umin: 0x7_00000003n, umax: 0x7_00000009n },
    { umin32: 3n, umax32: 9n },
  ],
  // From three below a multiple of 2^32 to nine above.
  "u64 to s32": [
    { umin: 0x7_fffffffdn, umax: 0x8_00000009n },
    { smin32: -3n, smax32: 9n },
  ],
  "s64 to s32": [
    { smin: -3n, smax: 9n },
    { smin32: -3n, smax32: 9n },
  ],
  "s32 to u64": [
    { umin: 0x7_80000000n, umax: 0x8_7fffffffn, smin32: -3n, smax32: 9n },
    { umin: 0x7_fffffffdn, umax: 0x8_00000009n },
  ],
  // At least 0x5_00000000 with a low half of 7 or more; at most 0x6_ffffffff with one of 9 or less.
  "u32 to u64": [
    { umin: 0x5_00000000n, umax: 0x6_ffffffffn, umin32: 7n, umax32: 9n },
    { umin: 0x5_00000007n, umax: 0x6_00000009n },
  ],
  "u32 to s64": [
    { smin: -0x1_00000000n, smax: 0x6_ffffffffn, umin32: 7n, umax32: 9n },
    { smin: -0xfffffff9n, smax: 0x6_00000009n },
  ],
  "s32 to s64": [
    { smin: -100n, smax: 100n, smin32: -3n, smax32: 9n },
    { smin: -3n, smax: 9n },
  ],
  "u64 to tnum": [
    { umin: 5n, umax: 7n },
    { value: 4n, mask: 3n },
  ],
  "u32 to tnum": [
    { umin32: 5n, umax32: 7n },
    { value: 4n, mask: HIGH | 3n },
  ],
};

test.each(ALL_RULES)("$name", ({ name, apply }) => {
  const [before, learnt] = EXAMPLES[name] ?? [{}, {}];
  expect(Object.keys(learnt), "an example for every rule").not.toEqual([]);
  expect(numbers(apply(scalar(before)))).toEqual(numbers(scalar({ ...before, ...learnt })));
  // Where nothing is known nothing is learnt.
  expect(numbers(apply(scalar({})))).toEqual(numbers(scalar({})));
});

function learnt(name: string, known: Known): Readonly<Record<string, bigint>> | undefined {
  const rule = ALL_RULES.find((each) => each.name === name);
  return rule && numbers(rule.apply(scalar(known)));
}

test.each<[string, Known, Known]>([
  ["both negative", { smin: -5n, smax: -2n }, { umin: -5n, umax: -2n }],
  ["neither", { umin: 3n, umax: 9n }, { smin: 3n, smax: 9n }],
  ["not both", { smin: -1n, smax: 1n }, {}],
  [
    "nothing left",
    { umin: 3n, umax: 9n, smax: -1n },
    { umin: 2n ** 63n, umax: 9n, smin: 2n ** 63n - 1n, smax: -(2n ** 63n) },
  ],
])("signs of the ends: %s", (_, known, more) => {
  expect(learnt("u64 and s64", known)).toEqual(numbers(scalar({ ...known, ...more })));
});

test.each<[string, Known, Known]>([
  // 16 … 31, of which the even ones: 2 and 29 lie outside, 19 between two.
  ["between two members", { value: 0x10n, mask: 0xen, umin: 19n, umax: 25n }, { umin: 20n, umax: 24n }],
  ["outside all", { value: 0x10n, mask: 0xen, umin: 2n, umax: 99n }, { umin: 16n, umax: 30n }],
  ["at members", { value: 0x10n, mask: 0xen, umin: 18n, umax: 22n }, {}],
  ["over a known bit", { value: 2n, mask: 0x14n, umin: 8n, umax: 15n }, { umin: 18n, umax: 6n }],
])("ends in the tnum: %s", (_, known, more) => {
  expect(learnt("tnum to u64", known)).toEqual(numbers(scalar({ ...known, ...more })));
});

test("where the upper halves differ by more, low halves are not bounded", () => {
  const everything = { umin: 1n, umax: 2n ** 64n - 1n, smin: -(2n ** 63n), smax: 2n ** 63n - 1n };
  for (const name of ["u64 to u32", "u64 to s32", "s64 to s32"])
    expect(learnt(name, everything)).toEqual(numbers(scalar(everything)));
});

test("synchronisation: a number between 0 and 255 is known in all components", () => {
  const byte = { umin32: 0n, umax32: 255n, smin32: 0n, smax32: 255n };
  const all = { value: 0n, mask: 255n, umin: 0n, umax: 255n, smin: 0n, smax: 255n, ...byte };
  expect(numbers(synchronised(scalar({ umax: 255n })))).toEqual(numbers(scalar(all)));
  expect(numbers(synchronised(scalar({ smin: 0n, smax: 255n })))).toEqual(numbers(scalar(all)));
  expect(numbers(synchronised(scalar({ value: 0n, mask: 255n })))).toEqual(numbers(scalar(all)));
});

test.each([0n, 1n, -1n, 0x8000_0000n, 0x7fff_ffff_ffff_ffffn])(
  "synchronisation: %i alone stays alone",
  (x) => {
    const alone = exactly(constant(64, x));
    expect(numbers(synchronised(alone))).toEqual(numbers(alone));
    expect(evaluate(contains(alone, constant(64, x)), new Map())).toBe(1n);
    expect(evaluate(contains(alone, constant(64, x + 1n)), new Map())).toBe(0n);
  },
);

test.each<[string, Known]>([
  ["an interval", { umin: 5n, umax: 4n }],
  ["a range and bits: 8 … 9, with bit 3 clear", { umin: 8n, umax: 9n, value: 0n, mask: ~8n }],
  ["signed and unsigned: negative, and at most 7", { smax: -1n, umax: 7n }],
  ["halves: 1 … 2, and a low half of 4 … 5", { umin: 1n, umax: 2n, umin32: 4n, umax32: 5n }],
  ["low halves, signed and unsigned", { smax32: -1n, umax32: 7n }],
])("synchronisation finds that nothing is in %s", (_, known) => {
  expect(evaluate(isEmpty(synchronised(scalar(known))), new Map())).toBe(1n);
});
