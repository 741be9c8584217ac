/** Runs of many theorems, and the ledger before and after. */
import { expect, test } from "vitest";
import { eq } from "../semantics/term/build.ts";
import { hashOf, type Ledger, readLedger, writeLedger } from "./ledger.ts";
import { Pool } from "./pool.ts";
import { Prover } from "./prove.ts";
import type { Answer } from "./question.ts";
import { holds, ledgerAfter, type RunOptions, runTheorems } from "./run.ts";
import { FALSE_ONE, fakeSolver, obligation, TRUE_ONE, theorem, X, Y } from "./testing.ts";
import { type Obligation, obligationText } from "./theorem.ts";

const SOME = theorem("b/some", [TRUE_ONE]);
const OTHER = theorem("a/other", [obligation(eq(X, X))]);
const FALSE = theorem("c/false", [FALSE_ONE]);
const OPEN = theorem("d/open", [FALSE_ONE], { open: "too hard" });
const ALL = [SOME, OTHER, FALSE, OPEN];

const FALSE_TEXT = obligationText(FALSE_ONE);

/** Runs with a solver that refutes `FALSE_ONE` by 9 and proves all else; `asked` are the questions' texts in turn. */
function run(more: Partial<RunOptions> = {}, theorems = ALL) {
  const asked: string[] = [];
  const pool = new Pool(1, () => performance.now());
  const make = () =>
    fakeSolver(({ text }): Answer => {
      asked.push(text);
      return text === FALSE_TEXT ? { result: "sat", values: [9n] } : { result: "unsat" };
    });
  const prover = new Prover({ pool, solvers: { bits: [make], integers: [make] }, timeoutMs: 1000 });
  const options: RunOptions = {
    pool,
    prover,
    ledger: new Map(),
    secondsBefore: new Map(),
    sample: () => new Set(),
    wrong: false,
    progress: () => undefined,
    ...more,
  };
  return runTheorems(theorems, options).then((reports) => ({ reports, asked }));
}

const kinds = (reports: Awaited<ReturnType<typeof run>>["reports"]) =>
  reports.map(({ result }) => result.kind);

test("reports come in the theorems' order; what is open is not tried", async () => {
  const { reports, asked } = await run();
  expect(kinds(reports)).toEqual(["proved", "proved", "refuted", "open"]);
  expect(reports.map(holds)).toEqual([true, true, false, true]);
  expect(asked).toHaveLength(3);
});

test("what was proved and has not changed is not asked about again, unless it is in the sample", async () => {
  const first = await run();
  const ledger = ledgerAfter(new Map(), first.reports);
  expect([...ledger.keys()].sort()).toEqual(["a/other", "b/some"]);
  const second = await run({ ledger });
  expect(kinds(second.reports)).toEqual(["proved before", "proved before", "refuted", "open"]);
  expect(second.asked).toEqual([FALSE_TEXT]);
  const third = await run({ ledger, sample: (unchanged) => new Set(unchanged.slice(0, 1)) });
  expect(kinds(third.reports)).toEqual(["proved", "proved before", "refuted", "open"]);
});

test("a changed theorem is proved again, and what is refuted leaves the ledger", async () => {
  const before = ledgerAfter(new Map(), (await run()).reports);
  const changed = [theorem("b/some", [obligation(eq(Y, Y))]), theorem("a/other", [FALSE_ONE])];
  const { reports } = await run({ ledger: before }, changed);
  expect(kinds(reports)).toEqual(["proved", "refuted"]);
  const after = ledgerAfter(before, reports);
  expect([...after.keys()]).toEqual(["b/some"]);
  expect(after.get("b/some")?.hash).not.toBe(before.get("b/some")?.hash);
});

test("an entry that still holds is not touched, also if it is proved again", async () => {
  const hash = hashOf(SOME.obligations());
  const before: Ledger = new Map([["b/some", { hash, seconds: 77, solver: "another" }]]);
  expect(ledgerAfter(before, (await run({}, [SOME])).reports)).toEqual(before);
});

test("the longest come first, by the ledger's seconds; what it does not know comes early", async () => {
  const ledger = (seconds: number) => ({ hash: "0".repeat(64), seconds, solver: "fake 1" });
  const secondsBefore = new Map([
    ["a/other", ledger(100)],
    ["b/some", ledger(0.1)],
  ]);
  const { asked } = await run({ secondsBefore });
  expect(asked).toEqual([OTHER, FALSE, SOME].flatMap((t) => t.obligations().map(obligationText)));
});

test("after an interruption the rest is not tried", async () => {
  const interruption = new AbortController();
  const { reports } = await run({
    signal: interruption.signal,
    progress: (done) => done === 1 && interruption.abort(),
  });
  expect(kinds(reports).filter((kind) => kind === "not tried")).toHaveLength(2);
});

test("wrong versions are part of a report", async () => {
  const wrong = [
    { name: "refuted", obligations: () => [FALSE_ONE] },
    { name: "not refuted", obligations: () => [TRUE_ONE] },
  ];
  const { reports } = await run({ wrong: true }, [theorem("t", [TRUE_ONE], { wrong })]);
  expect(reports[0]?.wrong.map(({ outcome }) => outcome.kind)).toEqual(["refuted", "proved"]);
  expect(reports.map(holds)).toEqual([false]);
});

test("a ledger is read as it was written, a line a theorem in the order of names", async () => {
  const ledger = ledgerAfter(new Map(), (await run()).reports);
  const text = writeLedger(ledger);
  expect(
    text
      .split("\n")
      .slice(1, 3)
      .map((line) => line.slice(0, 11)),
  ).toEqual(['"a/other": ', '"b/some": {']);
  expect(new Map(readLedger(text))).toEqual(ledger);
  expect(new Map(readLedger(writeLedger(new Map())))).toEqual(new Map());
});

test.each([
  ["", /^not a ledger: /],
  ["{", /^not a ledger: /],
  ['{"format": 2, "proved": {}}', /^not a ledger: format: /],
  [
    '{"format": 1, "proved": {"a": {"hash": "00", "seconds": 1, "solver": "x"}}}',
    /^not a ledger: proved: a: hash: /,
  ],
])("%j is no ledger", (text, message) => {
  expect(() => readLedger(text)).toThrow(message);
});

test("the hash changes with a goal, a premise, the logic, and with what is a premise", () => {
  const goal = eq(X, Y);
  const versions: readonly (readonly Obligation[])[] = [
    [obligation(goal)],
    [obligation(eq(Y, X))],
    [obligation(goal, [eq(X, X)])],
    [{ ...obligation(goal), logic: "integers" }],
    [obligation(goal), obligation(goal)],
  ];
  expect(new Set(versions.map(hashOf)).size).toBe(versions.length);
  expect(hashOf([{ ...obligation(goal), name: "another name" }])).toBe(hashOf([obligation(goal)]));
});
