/** Solvers on PATH: real ones where there are some, and scripts that answer as a solver might. */
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { readExpression } from "./expression.ts";
import { findNative, nativeSolver } from "./native.ts";
import type { Question } from "./question.ts";
import { NATIVE_NAMES, type NativeName } from "./solver-names.ts";

const question = (text: string, more: Partial<Question> = {}): Question => ({
  text,
  logic: "bits",
  timeoutMs: 20_000,
  wanted: [],
  ...more,
});
const declared = "(declare-const |a.x| (_ BitVec 16))\n(declare-const y (_ BitVec 64))\n";
const wanted = [
  { name: "a.x", width: 16 },
  { name: "y", width: 64 },
];

afterEach(() => void vi.unstubAllEnvs());

describe.each(NATIVE_NAMES)("%s", async (name) => {
  const found = await findNative(name);
  if (typeof found === "string") console.warn(`skipped: ${found}`);

  test.skipIf(typeof found === "string")(
    "answers, with values, and says what it did not understand",
    async () => {
      if (typeof found === "string") return;
      const solver = nativeSolver(found);
      expect(solver.name()).toMatch(new RegExp(`^${name} \\d+\\.\\d+`));
      expect(await solver.ask(question(`${declared}(assert (bvult y (_ bv0 64)))`))).toEqual({
        result: "unsat",
      });
      const text = `${declared}(assert (= |a.x| #xfffe))(assert (= y (_ bv77 64)))`;
      expect(await solver.ask(question(text, { wanted }))).toEqual({ result: "sat", values: [0xfffen, 77n] });
      expect(await solver.ask(question("(assert (= b #b1))"))).toMatchObject({ result: "error" });
      if (!found.logics.includes("integers")) return;
      const cube = "(declare-const n Int)\n(assert (= (* n n) 49))\n(assert (< n 0))";
      expect(
        await solver.ask(question(cube, { logic: "integers", wanted: [{ name: "n", width: 64 }] })),
      ).toEqual({ result: "sat", values: [-7n] });
    },
  );
});

/** Puts a shell script in the place of a solver. It answers `--version` and the probe as a solver does. */
function stub(name: NativeName, body: string): void {
  const folder = mkdtempSync(join(tmpdir(), "soundcheck-"));
  const path = join(folder, name);
  const script = [
    "#!/bin/sh",
    'if [ "$1" = --version ]; then echo "version 9.8.7"; exit; fi',
    "input=$(cat)",
    'case "$input" in *"bvult |a.x| (_ bv0 8)"*) echo unsat; exit;; esac',
    body,
  ];
  writeFileSync(path, `${script.join("\n")}\n`);
  chmodSync(path, 0o755);
  vi.stubEnv("PATH", [folder, "/bin", "/usr/bin"].join(delimiter));
}

async function answerOf(body: string, asked: Question = question("(assert true)")) {
  stub("bitwuzla", body);
  const found = await findNative("bitwuzla");
  if (typeof found === "string") throw new Error(found);
  expect(found.title).toBe("bitwuzla 9.8.7");
  return nativeSolver(found).ask(asked);
}

describe("an answer", () => {
  test.each([
    ["unsat", "echo unsat"],
    ["unsat", "echo; echo unsat"],
  ])("of exactly %s is a proof", async (_, body) => {
    expect(await answerOf(body)).toEqual({ result: "unsat" });
  });

  test.each([
    ["unsat after an error", "echo '(error \"oops\")'; echo unsat"],
    ["an error after unsat", "echo unsat; echo '(error \"oops\")'"],
    ["unsat twice", "echo unsat; echo unsat"],
    ["nothing", "true"],
    ["a crash", "kill -SEGV $$"],
  ])("of %s is an error", async (_, body) => {
    expect(await answerOf(body)).toMatchObject({ result: "error" });
  });

  test("that does not come is a timeout", async () => {
    expect(await answerOf("exec sleep 30", question("", { timeoutMs: 200 }))).toEqual({
      result: "unknown",
      reason: "timeout",
    });
  });

  test("of sat has the values in each notation, and none that are missing", async () => {
    const model = "echo sat; case \"$input\" in *get-value*) echo '((|a.x| #xff)'; echo ' (y (- 3)))';; esac";
    expect(await answerOf(model, question("", { wanted }))).toEqual({ result: "sat", values: [255n, -3n] });
    const half = "echo sat; case \"$input\" in *get-value*) echo '((|a.x| #b101))';; esac";
    expect(await answerOf(half, question("", { wanted }))).toMatchObject({ result: "error" });
  });
});

describe("a solver", () => {
  test("that is not there", async () => {
    vi.stubEnv("PATH", "/nonexistent");
    expect(await findNative("cvc5")).toBe("cvc5: not found on PATH");
  });

  test("that does not read what obligations are written in", async () => {
    const folder = mkdtempSync(join(tmpdir(), "soundcheck-"));
    writeFileSync(join(folder, "boolector"), "#!/bin/sh\necho 1.5.0: unsupported command\n", { mode: 0o755 });
    vi.stubEnv("PATH", [folder, "/bin", "/usr/bin"].join(delimiter));
    expect(await findNative("boolector")).toBe(
      "boolector 1.5.0: does not read SMT-LIB 2.6 as it is written here: 1.5.0: unsupported command",
    );
  });
});

test("S-expressions", () => {
  expect(readExpression("((|a b| #x0f)\n (c (- 5)))")).toEqual([
    ["|a b|", "#x0f"],
    ["c", ["-", "5"]],
  ]);
  expect(["(a", "a)", "a b", ""].map(readExpression)).toEqual([undefined, undefined, undefined, undefined]);
});
