/** Outcomes: what the answers of solvers make of a theorem. */
import { afterAll, describe, expect, test } from "vitest";
import { add, constant, eq, mul, ult, variable, zext } from "../semantics/term/build.ts";
import { type MakeSolver, Pool } from "./pool.ts";
import { Prover } from "./prove.ts";
import type { Answer, Question } from "./question.ts";
import {
  ABSURD_ONE,
  EMPTY_ONE,
  FALSE_ONE,
  FROM_SOURCE,
  fakeSolver,
  obligation,
  TRUE_ONE,
  theorem,
  X,
  Y,
} from "./testing.ts";
import type { Obligation } from "./theorem.ts";
import { z3Process } from "./z3-process.ts";

const pool = new Pool(2, () => performance.now());
afterAll(() => pool.stop());

function prover(...solvers: readonly MakeSolver[]): Prover {
  return new Prover({ pool, solvers: { bits: solvers, integers: solvers }, timeoutMs: 60_000 });
}

const z3: MakeSolver = () => z3Process(FROM_SOURCE);
const real = prover(z3);

const outcome = async (by: Prover, ...obligations: readonly Obligation[]) =>
  (await by.theorem(theorem("t", obligations))).outcome;

describe("with Z3", () => {
  test("a true statement is proved, and who proved it is told", async () => {
    const decided = await real.theorem(theorem("t", [TRUE_ONE, TRUE_ONE]));
    expect(decided).toMatchObject({ outcome: { kind: "proved" }, obligations: 2 });
    expect(decided.solvers).toHaveLength(1);
    expect(decided.solvers[0]).toMatch(/^Z3 /);
    expect(decided.seconds).toBeGreaterThan(0);
  });

  test("a false one has a counterexample, whatever else is true", async () => {
    const found = await outcome(real, TRUE_ONE, FALSE_ONE, TRUE_ONE);
    if (found.kind !== "refuted") throw new Error(found.kind);
    expect(found.model.get(X)).toBeGreaterThanOrEqual(7n);
  });

  test.each([
    ["contradictory premises", EMPTY_ONE],
    ["a premise that is false", ABSURD_ONE],
  ])("%s prove nothing", async (_, vacuous) => {
    expect(await outcome(real, TRUE_ONE, vacuous)).toEqual({ kind: "vacuous", obligation: vacuous });
  });

  test("integers: a monotone product", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => zext(128, variable(name, 64)));
    const claim: Obligation = {
      ...obligation(ult(mul(a!, b!), add(mul(a!, c!), constant(128, 1))), [ult(b!, c!)]),
      logic: "integers",
    };
    expect(await outcome(real, claim)).toEqual({ kind: "proved" });
    const wrong: Obligation = { ...claim, goal: ult(mul(a!, b!), mul(a!, c!)) };
    const found = await outcome(real, wrong);
    if (found.kind !== "refuted") throw new Error(found.kind);
    expect(found.model.get(variable("a", 64))).toBe(0n);
  });

  test("a wrong version has to be refuted by one of its obligations", async () => {
    const by = (...obligations: readonly Obligation[]) =>
      real.wrong({ name: "wrong", obligations: () => obligations });
    expect((await by(TRUE_ONE, EMPTY_ONE, FALSE_ONE)).outcome.kind).toBe("refuted");
    expect((await by(TRUE_ONE)).outcome.kind).toBe("proved");
  });
});

describe("whatever a solver says:", () => {
  const says =
    (answer: Answer | ((question: Question) => Answer), name?: string): MakeSolver =>
    () =>
      fakeSolver((question) => (typeof answer === "function" ? answer(question) : answer), name);
  const unsat = says({ result: "unsat" }, "no 1");
  const sat = says({ result: "sat", values: [0n, 0n] }, "yes 1");
  const silent = says({ result: "unknown", reason: "timeout" }, "silent 1");

  test("a timeout or an error is no proof", async () => {
    expect(await outcome(prover(silent), TRUE_ONE)).toMatchObject({ kind: "unknown", reason: "timeout" });
    const broken = says({ result: "error", message: "oops" });
    expect(await outcome(prover(broken), TRUE_ONE)).toMatchObject({ kind: "unknown", reason: "oops" });
  });

  test("a model that is no counterexample is none", async () => {
    expect(await outcome(prover(sat), TRUE_ONE)).toMatchObject({
      kind: "unknown",
      reason: "the solver's model is no counterexample",
    });
  });

  test("premises of which it is not known whether they can hold prove nothing", async () => {
    const given = obligation(eq(X, X), [eq(X, constant(8, 77))]);
    const half = says(({ wanted }) =>
      wanted.length > 0 ? { result: "unsat" } : { result: "unknown", reason: "timeout" },
    );
    expect(await outcome(prover(half), given)).toMatchObject({
      kind: "unknown",
      reason: "whether the premises can hold: timeout",
    });
  });

  test("premises of bits that simple numbers meet are not asked about", async () => {
    const given = obligation(eq(X, X), [eq(X, Y)]);
    const half = says(({ wanted }) =>
      wanted.length > 0 ? { result: "unsat" } : { result: "unknown", reason: "timeout" },
    );
    expect(await outcome(prover(half), given)).toEqual({ kind: "proved" });
    const asked = await outcome(prover(half), { ...given, logic: "integers" });
    expect(asked).toMatchObject({ kind: "unknown", reason: "whether the premises can hold: timeout" });
  });

  test("two solvers prove what both prove, and disagree where one refutes", async () => {
    expect((await outcome(prover(unsat, says({ result: "unsat" })), TRUE_ONE)).kind).toBe("proved");
    expect(await outcome(prover(unsat, silent), TRUE_ONE)).toMatchObject({
      kind: "unknown",
      reason: "silent 1: timeout",
    });
    const both = await outcome(prover(unsat, sat), TRUE_ONE);
    expect(both).toMatchObject({
      kind: "disagreement",
      opinions: [
        { solver: "no 1", answer: "unsat" },
        { solver: "yes 1", answer: "sat" },
      ],
    });
  });
});
