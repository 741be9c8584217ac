/** `prove`: what it answers, the ledger, and the exit status. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { readBundle } from "../object/bundle.ts";
import { ABSURD_ONE, FALSE_ONE, FROM_SOURCE, TRUE_ONE, theorem } from "../proof/testing.ts";
import type { Obligation, Theorem } from "../proof/theorem.ts";
import { A } from "../proof/theorems/scalar.ts";
import { TRUE, ule } from "../semantics/term/build.ts";
import { Machine } from "../vm/machine.ts";
import { type ProveOptions, prove } from "./prove.ts";
import { chosenTheorems, sampled } from "./prove-choice.ts";
import { directory, jsonLines, soundcheck } from "./testing.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const OPTIONS: ProveOptions = {
  // Each starts a Z3 of its own.
  jobs: 1,
  timeout: 60,
  solver: [],
  sample: 0,
  seed: 1,
  ledger: false,
  output: "table",
};

async function run(theorems: readonly Theorem[], options: Partial<ProveOptions> = {}, names: string[] = []) {
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    });
  const folder = directory();
  const setting = {
    theorems,
    child: FROM_SOURCE,
    kept: join(folder, "kept"),
    disagreements: join(folder, "q"),
  };
  try {
    const status = await prove(names, { ...OPTIONS, ...options }, setting);
    return { status, signal: null, ...said, folder };
  } finally {
    vi.restoreAllMocks();
  }
}

/** x ≤ umin - 1 for an x in a scalar of which umin is claimed to be too high. */
const ESCAPE: Obligation = {
  name: "umax",
  logic: "bits",
  premises: [ule(A.scalar.umin, A.value)],
  goal: ule(A.value, A.scalar.umin),
  witness: {
    operands: [A],
    escapes: { value: A.value, component: "umax", from: { ...A.scalar, umax: A.scalar.umin } },
  },
};

const GOOD = theorem("good/one", [TRUE_ONE], {
  wrong: [{ name: "what 7 refutes", obligations: () => [FALSE_ONE] }],
});

describe("theorems", () => {
  test("proved: a row each, totals, 0; and the wrong versions", async () => {
    const { status, stdout, stderr } = await run([GOOD, theorem("good/two", [TRUE_ONE])], { wrong: true });
    expect(status).toBe(0);
    expect(stderr).toMatch(/^solvers: the built-in Z3\n/);
    expect(stdout).toMatch(/^theorem +says +width +result +seconds +solver\n/);
    expect(stdout).toMatch(/^good\/one +sound +8 +proved +\d+\.\d\d +Z3 \d+\.\d+\.\d+ \(z3-solver\)\n/m);
    expect(stdout).toMatch(/^2 theorems: 2 proved\nat full width 2 of 2 are proved\n2 obligations in /m);
    expect(stdout).toMatch(/^1 of 1 wrong version refuted\n/m);
    expect(stdout).toMatch(/\nAll held in \d+\.\d s, 1 at a time\n$/);
  });

  test("refuted: the values, the program that shows it, 1; --keep puts it into the corpus", async () => {
    const bad = theorem("rule/bad", [ESCAPE], { width: 64 });
    const { status, stdout, folder } = await run([bad], { keep: true });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^rule\/bad +sound +64 +REFUTED /m);
    expect(stdout).toContain(
      [
        "Counterexample to rule/bad: umax",
        "  a.umin = 0",
        "  x = 1",
        "  a = scalar(), in it x = 1",
        "  x = 1, outside of umax 0",
        "  In the machine this program returns 1:",
      ].join("\n"),
    );
    expect(stdout).toContain("  on the packet 01000000000000000000000000000000\n");
    expect(stdout).toMatch(/^Not proved at full width\n {2}rule\/bad: umax has a counterexample$/m);
    expect(readdirSync(join(folder, "kept"))).toEqual(["rule-bad.prog.json"]);
    const { program, expect: expected } = readBundle(
      readFileSync(join(folder, "kept/rule-bad.prog.json"), "utf8"),
    );
    const [sample] = expected?.runs ?? [];
    expect(new Machine(program).run({ packet: sample!.packet! })).toMatchObject({ outcome: "exit", r0: 1n });
  });

  test("a step that is refuted: shown by the claim that it is a step of, if numbers are found for that", async () => {
    const step: Obligation = { ...FALSE_ONE, name: "a step" };
    const shown = theorem("rule/shown", [step], { whole: () => [ESCAPE] });
    const notFound = theorem("rule/not-found", [step], { whole: () => [{ ...ESCAPE, goal: TRUE }] });
    const { stdout } = await run([shown, notFound, theorem("order/none", [step])]);
    const [first, second, third] = stdout.split("Counterexample to ").slice(1);
    expect(first).toMatch(
      /^rule\/shown: a step\n.* = .*\n {2}Of the whole, with\n {2}a\.umin = 0\n {2}x = 1\n/,
    );
    expect(first).toContain("  x = 1, outside of umax 0\n  In the machine this program returns 1:\n");
    expect(second).toContain("\n  No run of the whole operation was found that shows it.\n");
    expect(third).toContain("\n  No program shows it: the claim is not about runs.\n");
    expect(stdout).toContain(
      "1 of 3 counterexamples shown by a program in the machine, 1 without a run that was found, 1 to claims that are not about runs\n",
    );
  });

  test.each([
    ["VACUOUS", theorem("t", [ABSURD_ONE]), "only: the premises contradict each other"],
    [
      "WRONG NOT REFUTED",
      theorem("t", [TRUE_ONE], { wrong: [{ name: "right", obligations: () => [TRUE_ONE] }] }),
      "Wrong versions that are not refuted\n  t: right: proved",
    ],
  ])("%s is 1", async (text, made, reason) => {
    const { status, stdout } = await run([made], { wrong: true });
    expect(status).toBe(1);
    expect(stdout).toMatch(new RegExp(`^t +sound +8 +${text} `, "m"));
    expect(stdout).toContain(reason);
  });

  test("open: listed with its reason and with what is proved in its place, and 0", async () => {
    const theorems = [
      theorem("mul/a", [FALSE_ONE], { open: "too hard", width: 64 }),
      theorem("mul/a8", [TRUE_ONE], { full: false }),
    ];
    const { status, stdout } = await run(theorems);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^mul\/a +sound +64 +open +- +-$/m);
    expect(stdout).toContain("Not proved at full width\n  mul/a (proved at 8 bits): too hard\n");
    expect(stdout).toContain("at full width 0 of 1 are proved\n");
  });

  test("what is argued on paper is named", async () => {
    const { stdout } = await run([theorem("t", [TRUE_ONE], { assumptions: ["steps make a loop"] })]);
    expect(stdout).toContain("Argued on paper, not checked by a solver\n  t: steps make a loop\n");
  });
});

describe("formats", () => {
  const made = [GOOD, theorem("t, odd", [FALSE_ONE])];

  test("--json: a line a theorem, then the summary", async () => {
    const ended = await run(made, { json: true, wrong: true });
    expect(ended.status).toBe(1);
    expect(jsonLines(ended)).toMatchObject([
      {
        theorem: "good/one",
        result: "proved",
        reason: null,
        counterexample: null,
        wrong: [{ name: "what 7 refutes", result: "refuted" }],
      },
      {
        theorem: "t, odd",
        result: "refuted",
        counterexample: { program: null, no_program: "no run", values: { x: {} } },
      },
      { summary: { theorems: 2, proved: 1, refuted: 1, wrong_versions: 1, wrong_refuted: 1, held: false } },
    ]);
  });

  test("json is one value, csv a row a theorem", async () => {
    const { stdout } = await run(made, { output: "json" });
    expect(JSON.parse(stdout)).toMatchObject({ theorems: [{}, {}], summary: { proved: 1 } });
    const rows = (await run(made, { output: "csv" })).stdout.split("\n");
    expect(rows[0]).toBe("theorem,subject,says,width,full,inputs,result,reason,seconds,solver");
    expect(rows[2]).toMatch(/^"t, odd","t, odd",sound,8,true,any,refuted,only has a counterexample,/);
    expect(rows).toHaveLength(4);
  });

  test("--list tries nothing", async () => {
    const { status, stdout, stderr } = await run([...made, theorem("u", [], { open: "why" })], {
      list: true,
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^good\/one +sound +8 +1$/m);
    expect(stdout).toMatch(/^u +sound +8 +0 +open: why$/m);
  });
});

describe("the ledger", () => {
  test("what it has is not proved again, but for --all and the sample", async () => {
    const ledger = join(directory(), "deep/ledger.json");
    const proved = async (options: Partial<ProveOptions> = {}) => {
      const ended = await run([GOOD], { ledger, json: true, ...options });
      expect(ended.status).toBe(0);
      return jsonLines(ended).slice(0, 1);
    };
    expect(await proved()).toMatchObject([{ result: "proved" }]);
    const text = readFileSync(ledger, "utf8");
    expect(text).toMatch(/^\{"format": 1, "proved": \{\n"good\/one": \{"hash":"[0-9a-f]{64}",.*\}\n\}\}\n$/);
    expect(await proved()).toMatchObject([{ result: "proved before", obligations: 0 }]);
    expect(await proved({ sample: 5 })).toMatchObject([{ result: "proved" }]);
    expect(await proved({ all: true })).toMatchObject([{ result: "proved" }]);
    expect(readFileSync(ledger, "utf8")).toBe(text);
  });

  test("one that is broken is 2, in one line", async () => {
    const cwd = directory({ "ledger.json": '{"format": 1, "proved": {"x": 1}}' });
    const ended = await soundcheck(["prove", "neg64", "--ledger", "ledger.json"], { cwd });
    expect(ended).toMatchObject({
      status: 2,
      stdout: "",
      stderr:
        "soundcheck: ledger.json: not a ledger: proved: x: Invalid input: expected object, received number\n",
    });
  });
});

describe("the command line", () => {
  test("names of nothing, solvers that are not there, too many of them: 2", async () => {
    const answers = await Promise.all([
      soundcheck(["prove", "add65"]),
      soundcheck(["prove", "neg64", "--solver", "yices"]),
      soundcheck(["prove", "neg64", "--solver", "cvc5", "--no-ledger"], { env: { PATH: "/nonexistent" } }),
      soundcheck(["prove", "neg64", "--cross", "--no-ledger"], { env: { PATH: "/nonexistent" } }),
      soundcheck(["prove", "neg64", "--solver", "z3", "--solver", "cvc5", "--no-ledger"]),
    ]);
    expect(answers.map(({ status, stdout }) => [status, stdout])).toEqual(answers.map(() => [2, ""]));
    expect(answers.map(({ stderr }) => stderr.split("\n")[0])).toEqual([
      "soundcheck: no theorem is called add65; soundcheck prove --list lists them",
      expect.stringContaining("It must be one of builtin, z3, cvc5, bitwuzla, boolector."),
      "soundcheck: cvc5: not found on PATH",
      expect.stringMatching(/^soundcheck: no solver for a second opinion: z3: not found on PATH; cvc5/),
      "soundcheck: more than one --solver needs --cross",
    ]);
  });

  test("an interruption ends it with what there is", async () => {
    const args = ["prove", "neg64", "--no-ledger", "--json"];
    const ended = await soundcheck(args, { signal: "SIGINT" });
    expect(ended.status).toBe(130);
    expect(jsonLines(ended).at(-1)).toMatchObject({ summary: { proved: 0, held: false } });
  });

  test("--cross: solvers that disagree are 1, with both answers and the question saved", async () => {
    const bin = directory();
    const liar = join(bin, "cvc5");
    // It answers unsat where it is asked for no model, and so proves everything.
    writeFileSync(liar, '#!/bin/sh\n[ "$1" = --version ] && echo version 1.0.0 && exit\necho unsat\n');
    chmodSync(liar, 0o755);
    vi.stubEnv("PATH", [bin, "/bin", "/usr/bin"].join(delimiter));
    const { status, stdout, folder } = await run([theorem("t/wrong", [FALSE_ONE])], {
      cross: true,
      solver: ["builtin", "cvc5"],
    });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^t\/wrong +sound +8 +DISAGREEMENT /m);
    expect(stdout).toMatch(/t\/wrong: only: Z3 \d\S* \(z3-solver\) says sat, cvc5 1\.0\.0 says unsat/);
    const saved = readFileSync(join(folder, "q/t-wrong-only.smt2"), "utf8");
    expect(saved).toMatch(/^\(set-logic QF_BV\)\n[^]*\(check-sat\)\n$/);
    expect(existsSync(join(folder, "kept"))).toBe(false);
  });
});

test("names: whole, by subject, by what comes before a slash, by pattern", () => {
  const all = ["add64/u64/sound", "add64/u64/form", "add32/u64/sound", "rule/x/sound"].map((name) =>
    theorem(name, []),
  );
  const chosen = (...names: string[]) => chosenTheorems(all, names).map(({ name }) => name);
  expect(chosen()).toHaveLength(4);
  expect(chosen("add64")).toEqual(["add64/u64/sound", "add64/u64/form"]);
  expect(chosen("add64/u64/form")).toEqual(["add64/u64/form"]);
  expect(chosen("*/sound", "add64/u64")).toHaveLength(4);
  expect(chosen("add*/u64/s*")).toEqual(["add64/u64/sound", "add32/u64/sound"]);
  expect(() => chosen("add6")).toThrow("no theorem is called add6;");
  expect(() => chosen("add64", "x*")).toThrow("no theorem is called x*;");
});

test("a sample is drawn by its seed", () => {
  const all = Array.from({ length: 50 }, (_, i) => theorem(`t${i}`, []));
  const names = (count: number, seed: number) => [...sampled(all, count, seed)].map(({ name }) => name);
  expect(names(10, 1)).toEqual(names(10, 1));
  expect(names(10, 1)).not.toEqual(names(10, 2));
  expect(new Set(names(10, 1)).size).toBe(10);
  expect(names(99, 1)).toHaveLength(50);
});
