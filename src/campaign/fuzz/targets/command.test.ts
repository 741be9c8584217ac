/** Programs as verifiers under test: soundcheck itself is one; one that lies is found out; one that dies or babbles is no verifier. */
import { describe, expect, test } from "vitest";
import { DEFAULT_RULES } from "../../../semantics/profile/rules.ts";
import type { Program } from "../../../semantics/program/program.ts";
import { verify } from "../../../verifier/verify.ts";
import { programOfSeed } from "../../generate/program.ts";
import { crossCheck } from "../cross-check.ts";
import { ORACLE_NAMES, type OracleName } from "../oracle-names.ts";
import { oraclesNamed } from "../oracles/all.ts";
import { answerOf, commandTarget } from "./command.ts";
import { subjectOf } from "./named.ts";
import { targetNamed } from "./open.ts";
import type { Answer, Answers } from "./target.ts";

const programs = (count: number): readonly Program[] =>
  Array.from({ length: count }, (_, i) => programOfSeed(200 + i));

async function ask(command: string, of: readonly Program[]): Promise<readonly Answer[]> {
  return (await askAll(command, of)).answers;
}

async function askAll(command: string, of: readonly Program[]): Promise<Answers> {
  const target = commandTarget(command);
  try {
    return await target.ask(of);
  } finally {
    await target.close();
  }
}

/** A program of a line, for node. */
const script = (text: string): string => `node -e '${text}'`;
const LINES = `require("readline").createInterface({ input: process.stdin }).on("line", `;

describe("a program as target", () => {
  test("soundcheck answers as it does itself", async () => {
    const asked = programs(12);
    const answers = await ask(`${process.execPath} --import tsx src/cli/main.ts verify --jsonl`, asked);
    expect(answers.map(({ verdict }) => verdict)).toEqual(asked.map((program) => verify(program).verdict));
  }, 60_000);

  test("one that accepts everything is found out by a run that faults", async () => {
    const settings = { rules: DEFAULT_RULES, runs: 12, oracles: oraclesNamed(["fault"]) };
    const asked = programs(120).filter((program) => verify(program).verdict === "reject");
    const answers = await ask(script(`${LINES} () => console.log("{\\"verdict\\":\\"accept\\"}"))`), asked);
    expect(answers.every(({ verdict }) => verdict === "accept")).toBe(true);
    const found = asked.flatMap((program, i) => crossCheck(program, i, settings, answers[i]).violation ?? []);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toMatchObject({ oracle: "fault" });
    // Ours rejects these, so that nobody accepts what faults.
    expect(asked.flatMap((program, i) => crossCheck(program, i, settings).violation ?? [])).toEqual([]);
  }, 60_000);

  test("one that a program kills is begun again and asked again, and that is told of the program", async () => {
    const dies = script(
      `${LINES} (line) => line.includes("seed 201") ? process.kill(process.pid, "SIGSEGV") : console.log("{\\"verdict\\":\\"accept\\"}"))`,
    );
    const { answers, restarts } = await askAll(dies, programs(3));
    expect(restarts).toBe(2);
    expect(answers.map(({ verdict }) => verdict)).toEqual(["accept", "unsupported", "accept"]);
    expect(answers[1]?.lost).toMatch(/^it ended with (SIGSEGV|status \d+)$/);
    const [, lost] = answers;
    const settings = { rules: DEFAULT_RULES, runs: 0 };
    const asked = (oracles: readonly OracleName[]): unknown =>
      crossCheck(programOfSeed(201), 201, { ...settings, oracles: oraclesNamed(oracles) }, lost).violation;
    expect(asked(ORACLE_NAMES)).toMatchObject({ oracle: "target" });
    expect(asked(ORACLE_NAMES.filter((name) => name !== "target"))).toBeUndefined();
  });

  test("one that dies now and then is begun again, and nothing is told of the programs", async () => {
    // Each process answers three lines.
    const tires = script(
      `let n = 0; ${LINES} () => (n += 1) > 3 ? process.exit(7) : console.log("{\\"verdict\\":\\"reject\\"}"))`,
    );
    const { answers, restarts } = await askAll(tires, programs(8));
    expect(answers.every(({ verdict, lost }) => verdict === "reject" && lost === undefined)).toBe(true);
    expect(restarts).toBe(2);
  });

  test.each([
    ["./no-such-verifier 2>/dev/null", "it ended with status 127: there is no such program"],
    ["true", "it ended with status 0"],
    [script(`${LINES} () => console.log("fine"))`), "what it says is no answer: it is not JSON"],
    [script(`${LINES} () => console.log("{}"))`), "what it says is no answer: .*verdict.*"],
  ])("%s is no verifier", async (command, why) => {
    await expect(ask(command, programs(1))).rejects.toThrow(
      new RegExp(`^--target command:.*: it does not answer a program of two instructions: ${why}$`),
    );
  });
});

describe("answers", () => {
  test.each([
    ['{"verdict":"accept","name":"x","ms":1.5}', { verdict: "accept", message: "" }],
    ['{"verdict":"reject","message":"no","insn":3}', { verdict: "reject", message: "no", insn: 3 }],
    ['{"verdict":"accept","message":null,"insn":null}', { verdict: "accept", message: "" }],
    ["yes", { lost: "what it says is no answer: it is not JSON" }],
  ])("%s", (line, answer) => expect(answerOf(line)).toEqual(answer));

  test("of another kind are none", () => {
    expect(answerOf('{"verdict":"perhaps"}')).toMatchObject({
      lost: expect.stringMatching(/^what it says is no answer: .*verdict/),
    });
  });
});

describe("names of targets", () => {
  test("ours needs none; others are refused in one line", () => {
    expect(targetNamed("ours")).toBeUndefined();
    expect(targetNamed("command:true")?.name).toBe("command:true");
    expect(["ours", "command:x", "kernel:linux-6.1", "seeded:x"].map(subjectOf)).toEqual([
      "ours",
      "command",
      "kernel",
      "ours",
    ]);
    expect(() => subjectOf("theirs")).toThrow("there is no target theirs: it must be ours, command:…");
    expect(() => subjectOf("command:")).toThrow("there is no target");
    expect(() => subjectOf("kernel:6.1")).toThrow("there is no kernel 6.1 to test");
  });
});
