/** Wrong rules, several of them mistakes that the kernel's verifier once made, shown by programs in the machine. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Condition, refine } from "../absint/scalar/branch.ts";
import { COMPONENTS, type Component, componentsOf } from "../absint/scalar/components.ts";
import { operate } from "../absint/scalar/operations.ts";
import { contains, low, type Scalar, wide, zeroExtended } from "../absint/scalar/product.ts";
import { synchronised } from "../absint/scalar/rules.ts";
import { numbersOf, scalarText, TOP } from "../absint/scalar/text.ts";
import * as tnum from "../absint/scalar/tnum.ts";
import { readBundle } from "../object/bundle.ts";
import { type Counterexample, counterexampleOf } from "../proof/counterexample.ts";
import { refutes } from "../proof/prove.ts";
import type { Obligation, Theorem, Witness } from "../proof/theorem.ts";
import { concreteResult } from "../proof/theorems/alu.ts";
import { concreteCondition } from "../proof/theorems/branch.ts";
import { theorems } from "../proof/theorems/index.ts";
import { A, B } from "../proof/theorems/scalar.ts";
import type { AluOp } from "../semantics/isa/instruction.ts";
import * as t from "../semantics/term/build.ts";
import { evaluator } from "../semantics/term/concrete.ts";
import { type Term, variablesOf } from "../semantics/term/node.ts";
import { startZ3, type Z3 } from "../semantics/term/z3.ts";
import { verify } from "../verifier/verify.ts";
import { exhibit } from "./exhibit.ts";
import { search } from "./search.ts";

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => z3.stop());

const inBoth: readonly Term<1>[] = [contains(A.scalar, A.value), contains(B.scalar, B.value)];

/** That one component of `from` holds `value`. */
function holds(component: Component, from: Scalar, value: Term<64>): Term<1> {
  const half = t.extract(32, value);
  const goals: Readonly<Record<Component, Term<1>>> = {
    value: t.eq(t.and(value, t.not(from.tnum.mask)), from.tnum.value),
    mask: t.TRUE,
    umin: t.ule(from.umin, value),
    umax: t.ule(value, from.umax),
    smin: t.sle(from.smin, value),
    smax: t.sle(value, from.smax),
    umin32: t.ule(from.umin32, half),
    umax32: t.ule(half, from.umax32),
    smin32: t.sle(from.smin32, half),
    smax32: t.sle(half, from.smax32),
  };
  return goals[component];
}

type Escaping = Witness & { readonly escapes: Exclude<Witness["escapes"], "reached"> };

function obligation(witness: Escaping, premises: readonly Term<1>[]): Obligation {
  const { value, component, from } = witness.escapes;
  return { name: component, logic: "bits", premises, goal: holds(component, from, value), witness };
}

async function counterexample(claim: Obligation): Promise<Counterexample> {
  const answer = await z3.solve([...claim.premises, t.not(claim.goal)], 60_000);
  if (answer.result !== "sat") throw new Error(answer.result);
  return counterexampleOf(claim, answer.model);
}

/** Everything that a counterexample to a wrong claim must be, where `right` is what should have been claimed. */
async function showsIt(claim: Obligation, right: Scalar): Promise<void> {
  const { values, shown } = await counterexample(claim);
  if (shown === undefined || shown.escapes === "reached") throw new Error("nothing to show");
  const model = new Map<Term, bigint>(
    values.map(({ name, width, value }) => [t.variable(name, width), value]),
  );
  expect(refutes(claim, model)).toBe(true);
  for (const { scalar } of claim.witness?.operands ?? []) {
    const terms = componentsOf(scalar);
    for (const component of COMPONENTS.slice(2)) {
      const term = terms[component];
      if ((model.get(term) ?? TOP[component]) === TOP[component]) continue;
      const without = new Map([...model, [term, TOP[component]] as const]);
      expect(refutes(claim, without), `${component} is not needed`).toBe(false);
    }
  }
  const program = exhibit("wrong", shown);
  expect(program.confirmed, program.asm.join("\n")).toBe(true);
  const bundle = readBundle(program.bundle);
  expect(verify(bundle.program).verdict).toBe("accept");
  expect(bundle.expect?.runs).toEqual([{ packet: program.packet, retval: 1 }]);

  const terms = componentsOf(right);
  const missing = variablesOf(Object.values(terms)).filter((v) => !model.has(v));
  const topOf = (name: string): bigint => TOP[COMPONENTS.find((c) => name.endsWith(`.${c}`)) ?? "value"];
  const value = evaluator(new Map([...model, ...missing.map((v) => [v, topOf(v.name)] as const)]));
  const from = numbersOf((component) => value(terms[component]));
  const { confirmed } = exhibit("right", { ...shown, escapes: { ...shown.escapes, from } });
  expect(confirmed, `${scalarText(from)} holds it too`).toBe(false);
}

describe("operations", () => {
  const { scalar: a } = A;
  const { scalar: b } = B;
  const bothKnown = t.eq(t.extract(32, t.or(a.tnum.mask, b.tnum.mask)), t.constant(32, 0));
  const changed = (op: AluOp, width: 32 | 64, change: Partial<Scalar>): Scalar => ({
    ...operate(op, width, a, b),
    ...change,
  });
  const cases: readonly (readonly [string, AluOp, 32 | 64, Component, Scalar])[] = [
    ["a sum that forgets to wrap", "add", 64, "umax", changed("add", 64, { umax: t.add(a.umax, b.umax) })],
    ["a difference of like ends", "sub", 64, "umin", changed("sub", 64, { umin: t.sub(a.umin, b.umin) })],
    [
      "32-bit bounds left as they were when the low bits are known (CVE-2021-3490)",
      "or",
      64,
      "umax32",
      changed("or", 64, { umax32: t.ite(bothKnown, a.umax32, t.constant(32, -1)) }),
    ],
    [
      "a 32-bit shift of all 64 bits (CVE-2018-18445)",
      "rsh",
      32,
      "value",
      changed("rsh", 32, {
        tnum: {
          value: t.lshr(a.tnum.value, t.and(b.umin, t.constant(64, 31))),
          mask: t.lshr(a.tnum.mask, t.and(b.umin, t.constant(64, 31))),
        },
      }),
    ],
    ["a 32-bit move that keeps the upper half", "mov", 32, "umin", b],
    ["a byte swap that does nothing", "bswap64", 64, "smin", a],
    ["a sign extension that is none", "movsx8", 64, "smin", zeroExtended(low(b))],
    ["a negation that keeps the sign", "neg", 64, "smax", a],
  ];
  test.each(cases)("%s", async (_, op, width, component, wrong) => {
    const value = concreteResult(op, width);
    const witness: Escaping = {
      instruction: { kind: "alu", op, width },
      operands: [A, B],
      escapes: { value, component, from: wrong },
    };
    const count = t.ule(B.value, t.constant(64, width - 1));
    const exact = op === "rsh" ? [count, t.eq(b.umin, b.umax)] : [];
    await showsIt(obligation(witness, [...inBoth, ...exact]), operate(op, width, a, b));
  });
});

describe("edges of jumps", () => {
  const { scalar: a } = A;
  const { scalar: b } = B;
  const one = t.constant(64, 1);
  const shared = t.and(tnum.possible(a.tnum), tnum.possible(b.tnum));
  const cases: readonly (readonly [string, Condition, 32 | 64, 0 | 1, Component, Scalar])[] = [
    ["a bound one too low", "jle", 64, 0, "umax", { ...a, umax: t.umin(a.umax, t.sub(b.umax, one)) }],
    ["the other operand", "jsgt", 64, 1, "smin", { ...b, smin: a.smin }],
    ["a 32-bit bound taken for a 64-bit one", "jlt", 32, 0, "umax", { ...a, umax: t.umin(a.umax, b.umax) }],
    ["equality where there is none", "jne", 64, 0, "value", { ...a, tnum: tnum.intersect(a.tnum, b.tnum) }],
    [
      "every bit that may be shared",
      "jset",
      64,
      0,
      "value",
      { ...a, tnum: { value: t.or(a.tnum.value, shared), mask: t.and(a.tnum.mask, t.not(shared)) } },
    ],
    ["no bit at all where none is shared", "jnset", 32, 1, "umax32", { ...b, umax32: t.constant(32, 0) }],
  ];
  test.each(cases)("%s", async (_, condition, width, side, component, wrong) => {
    const operand = side === 0 ? A : B;
    const witness: Escaping = {
      instruction: { kind: "jump", condition, width },
      operands: [A, B],
      escapes: { value: operand.value, component, from: wrong },
    };
    const right =
      width === 64 ? { ...operand.scalar, ...refine(condition, wide(a), wide(b))[side] } : operand.scalar;
    await showsIt(obligation(witness, [...inBoth, concreteCondition(condition, width)]), right);
  });
});

describe("deduction rules", () => {
  const { scalar: s } = A;
  const half = (x: Term<64>): Term<32> => t.extract(32, x);
  const fits = t.eq(t.extract(32, s.umin, 32), t.constant(32, 0));
  const cases: readonly (readonly [string, Component, Scalar])[] = [
    [
      "each end of u64 to u32 by itself (CVE-2021-31440)",
      "umin32",
      { ...s, umin32: t.ite(fits, t.umax(s.umin32, half(s.umin)), s.umin32) },
    ],
    ["s64 to u64 whatever the signs", "umin", { ...s, umin: t.umax(s.umin, s.smin) }],
    ["a tnum's least number with the sign clear", "smin", { ...s, smin: t.smax(s.smin, s.tnum.value) }],
    ["s32 to s64 whatever the upper halves", "smin", { ...s, smin: t.smax(s.smin, t.sext(64, s.smin32)) }],
  ];
  test.each(cases)("%s", async (_, component, wrong) => {
    const witness: Escaping = { operands: [A], escapes: { value: A.value, component, from: wrong } };
    await showsIt(obligation(witness, [contains(s, A.value)]), synchronised(s));
  });

  test("components that follow from others are not checked", () => {
    const wrong = { ...s, umax: t.sub(s.umax, t.constant(64, 1)) };
    const witness: Escaping = { operands: [A], escapes: { value: A.value, component: "umax", from: wrong } };
    const terms = componentsOf(s);
    const settled = componentsOf(synchronised(s));
    // Only what is synchronised may stand for it, so that no component can be dropped from the scalar itself.
    const stays = COMPONENTS.map((c) => t.eq<number>(settled[c], terms[c]));
    const claim = obligation(witness, [contains(s, A.value), ...stays]);
    const value = evaluator(
      new Map(COMPONENTS.map((c) => [terms[c], c === "umin" ? 5n : c === "umax" ? 9n : TOP[c]])),
    );
    const model = new Map<Term, bigint>([
      ...COMPONENTS.map((c) => [terms[c], value(settled[c])] as const),
      [A.value, 9n],
    ]);
    expect(refutes(claim, model)).toBe(true);
    const { shown } = counterexampleOf(claim, model);
    if (shown === undefined) throw new Error("nothing to show");
    const [operand] = shown.operands;
    expect(operand?.numbers).toMatchObject({ smax: operand?.value, umax32: operand?.value });
    expect(operand?.checks.length).toBeLessThanOrEqual(2);
    expect(exhibit("wrong", shown).confirmed).toBe(true);
  });
});

describe("claims as a whole", () => {
  const all = theorems();
  const byName = (name: string): Theorem => {
    const found = all.find((each) => each.name === name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  /** One of each kind: the operation's own proof would refute a step, or nothing that a program could show. */
  const names = [
    "mul64/tnum/sound",
    "mod32/s32/sound",
    "sdiv64/tnum/sound",
    "lsh64/s64/well-formed",
    "rule/u64 to s32/s32/well-formed",
    "jslt64/decide/sound",
    "jset32/decide/sound",
    "jnset64/decide/sound",
    "join/upper-bound",
    "widen/upper-bound",
    "rfc/arsh32/takes its count modulo the width",
    "rfc/be32/bytes",
    "rfc/ldxsb/extends with its sign",
    "rfc/jset64_imm/jumps when jset64_reg does",
    "rfc/sub32_imm/does what sub32_reg does",
    "rfc/jsgt32/looks at the low halves alone",
  ];
  test.each(names)("every wrong version of %s has a program; what is right has no counterexample", (name) => {
    const theorem = byName(name);
    expect(search(theorem.whole?.() ?? [], new Map())).toBeUndefined();
    expect(theorem.wrong).not.toEqual([]);
    for (const { name: wrong, whole } of theorem.wrong) {
      const found = search(whole?.() ?? [], new Map());
      if (found === undefined) throw new Error(`${wrong}: not found`);
      const { shown } = counterexampleOf(found.obligation, found.model);
      if (shown === undefined) throw new Error(`${wrong}: nothing to show`);
      const program = exhibit("wrong", shown);
      expect(program.confirmed, program.asm.join("\n")).toBe(true);
      expect(verify(readBundle(program.bundle).program).verdict).toBe("accept");
    }
  });

  test("an edge that was called impossible, and a scalar that was called empty", () => {
    const witness = {
      instruction: { kind: "jump", condition: "jset", width: 64, immediate: t.constant(64, 6) },
      operands: [A],
      escapes: "reached",
    } as const satisfies Witness;
    const x = t.eq(A.value, t.constant(64, 4));
    const claim: Obligation = { name: "never", logic: "bits", premises: [x], goal: t.FALSE, witness };
    const { shown } = counterexampleOf(claim, new Map([[A.value, 4n]]));
    const edge = exhibit("edge", shown!);
    expect(edge.asm).toContain("if r6 & 0x6 goto shared");
    expect(edge.confirmed).toBe(true);
    const { instruction: _, ...empty } = witness;
    const { shown: number } = counterexampleOf({ ...claim, witness: empty }, new Map([[A.value, 4n]]));
    expect(exhibit("empty", number!).confirmed).toBe(true);
  });
});
