/** The solver's process: what it answers, and what becomes of a question if it hangs, dies or talks nonsense. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Question, Solver } from "./question.ts";
import { FROM_SOURCE } from "./testing.ts";
import { type ChildOptions, z3Process } from "./z3-process.ts";

const question = (text: string, more: Partial<Question> = {}): Question => ({
  text,
  logic: "bits",
  timeoutMs: 60_000,
  wanted: [],
  ...more,
});
const TRIVIAL = question("(assert false)");

const started: Solver[] = [];
function solver(options: ChildOptions): Solver {
  const made = z3Process(options);
  started.push(made);
  return made;
}
afterEach(() => {
  for (const one of started.splice(0)) one.stop();
});

describe("Z3 in a process", () => {
  test("bit-vectors, integers, an error, and a question after it", async () => {
    const z3 = solver(FROM_SOURCE);
    const x = { name: "a.x", width: 16 };
    const declared = "(declare-const |a.x| (_ BitVec 16))";
    expect(await z3.ask(question(`${declared}(assert (bvult |a.x| (_ bv0 16)))`))).toEqual({
      result: "unsat",
    });
    expect(z3.name()).toMatch(/^Z3 \d+\.\d+\.\d+ \(z3-solver\)$/);
    expect(await z3.ask(question(`${declared}(assert (= |a.x| #xffff))`, { wanted: [x] }))).toEqual({
      result: "sat",
      values: [0xffffn],
    });
    expect(await z3.ask(question("(assert (= |b| #b1))"))).toEqual({
      result: "error",
      message: expect.stringContaining("unknown constant b"),
    });
    const integer = question("(declare-const n Int)(assert (= (* n n n) (- 27)))", {
      logic: "integers",
      wanted: [{ name: "n", width: 64 }],
    });
    expect(await z3.ask(integer)).toEqual({ result: "sat", values: [-3n] });
  });

  test("a question that takes too long is a timeout, and Z3 goes on", async () => {
    const z3 = solver(FROM_SOURCE);
    // Two primes just below 2^31: factoring is not for bit-blasting.
    const factors = question(
      `(declare-const a (_ BitVec 64))(declare-const b (_ BitVec 64))
       (assert (= (bvmul a b) (_ bv${2147483647n * 2147483629n} 64)))
       (assert (bvult (_ bv1 64) a))(assert (bvult a b))(assert (bvult b (_ bv4294967296 64)))`,
      { timeoutMs: 100 },
    );
    expect(await z3.ask(factors)).toMatchObject({ result: "unknown" });
    expect(await z3.ask(TRIVIAL)).toEqual({ result: "unsat" });
  });
});

/** A process in the place of Z3: `behaviour` runs with the answers' stream as `out` and how many were started before as `before`. */
function fake(behaviour: string, more: Partial<ChildOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "soundcheck-"));
  const [script, log] = [join(folder, "solver.mjs"), join(folder, "started")];
  writeFileSync(log, "");
  writeFileSync(
    script,
    `import { appendFileSync, createWriteStream, readFileSync } from "node:fs";
     const before = readFileSync(${JSON.stringify(log)}, "utf8").length;
     appendFileSync(${JSON.stringify(log)}, ".");
     const out = createWriteStream("", { fd: 3 });
     const say = (value) => out.write(JSON.stringify(value) + "\\n");
     const onQuestion = (work) => process.stdin.on("data", work);
     process.stdin.on("end", () => process.exit());
     say({ result: "ready", version: "Z3 0" });
     ${behaviour}`,
  );
  const made = solver({ script, nodeOptions: [], graceMs: 1000, ...more });
  return {
    ask: () => made.ask({ ...TRIVIAL, timeoutMs: 200 }),
    starts: () => readFileSync(log, "utf8").length,
  };
}

describe("a process that", () => {
  test("hangs is killed, and the question is put once more to a new one", async () => {
    const { ask, starts } = fake('onQuestion(() => before > 0 && say({ result: "unsat" }));');
    expect(await ask()).toEqual({ result: "unsat" });
    expect(starts()).toBe(2);
    expect(await ask()).toEqual({ result: "unsat" });
    expect(starts()).toBe(2);
  });

  test("hangs twice is a timeout", async () => {
    const { ask, starts } = fake("process.stdin.resume();");
    expect(await ask()).toEqual({ result: "unknown", reason: "timeout" });
    expect(starts()).toBe(2);
  });

  test("is killed is replaced", async () => {
    const { ask, starts } = fake(
      'onQuestion(() => (before > 0 ? say({ result: "unsat" }) : process.kill(process.pid, "SIGKILL")));',
    );
    expect(await ask()).toEqual({ result: "unsat" });
    expect(starts()).toBe(2);
  });

  test("dies again and again is an error with its last words", async () => {
    const { ask } = fake('onQuestion(() => { console.error("out of memory"); process.exit(7); });');
    expect(await ask()).toEqual({
      result: "error",
      message: "the solver's process ended with status 7: out of memory",
    });
  });

  test.each([
    ["what is no JSON", 'out.write("unsat\\n")'],
    ["an answer that there is not", 'say({ result: "yes" })'],
    ["more than an answer", 'say({ result: "unsat", because: 1 })'],
    ["values that are no numbers", 'say({ result: "sat", values: ["1e3"] })'],
  ])("says %s is not believed", async (_, says) => {
    const { ask, starts } = fake(`onQuestion(() => ${says});`);
    expect(await ask()).toEqual({
      result: "error",
      message: "the solver's process said what is no answer",
    });
    expect(starts()).toBe(2);
  });

  test("prints something beside its answers is understood", async () => {
    const { ask } = fake('onQuestion(() => { console.log("sat"); say({ result: "unsat" }); });');
    expect(await ask()).toEqual({ result: "unsat" });
  });

  test("never starts is given up", async () => {
    const { ask } = fake("", { script: "/nonexistent/solver.mjs" });
    expect(await ask()).toMatchObject({ result: "error" });
  });
});
