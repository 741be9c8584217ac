/** Programs as verifiers under test: soundcheck itself is one; one that lies is found out; one that dies or babbles is no verifier. */
import { describe, expect, test } from "vitest";
import { DEFAULT_RULES } from "../../../semantics/profile/rules.ts";
import type { Program } from "../../../semantics/program/program.ts";
import { verify } from "../../../verifier/verify.ts";
import { programOfSeed } from "../../generate/program.ts";
import { crossCheck } from "../cross-check.ts";
import { oraclesNamed } from "../oracles/all.ts";
import { answerOf, commandTarget } from "./command.ts";
import { targetNamed } from "./named.ts";
import type { Answer } from "./target.ts";

const programs = (count: number): readonly Program[] =>
  Array.from({ length: count }, (_, i) => programOfSeed(200 + i));

async function ask(command: string, of: readonly Program[]): Promise<readonly Answer[]> {
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

  test("one that dies is begun again; one that cannot be started has no verdict", async () => {
    const dies = script(`${LINES} () => process.kill(process.pid, "SIGSEGV"))`);
    for (const answer of await ask(dies, programs(2))) {
      expect(answer.verdict).toBe("unsupported");
      expect(answer.message).toMatch(/^the target does not answer: it ended with (SIGSEGV|status \d+)$/);
    }
    const [none] = await ask("./no-such-verifier 2>/dev/null", programs(1));
    expect(none).toEqual({
      verdict: "unsupported",
      message: "the target does not answer: it ended with status 127",
    });
  });
});

describe("answers", () => {
  test.each([
    ['{"verdict":"accept","name":"x","ms":1.5}', { verdict: "accept", message: "" }],
    ['{"verdict":"reject","message":"no","insn":3}', { verdict: "reject", message: "no", insn: 3 }],
    ['{"verdict":"accept","message":null,"insn":null}', { verdict: "accept", message: "" }],
    ["yes", { verdict: "unsupported", message: "the target's answer is not one: it is not JSON" }],
  ])("%s", (line, answer) => expect(answerOf(line)).toEqual(answer));

  test("of another kind are none", () => {
    expect(answerOf('{"verdict":"perhaps"}').message).toMatch(/^the target's answer is not one: .*verdict/);
  });
});

describe("names of targets", () => {
  test("ours needs none; others are refused in one line", () => {
    expect(targetNamed("ours")).toBeUndefined();
    expect(targetNamed("command:true")?.name).toBe("command:true");
    expect(() => targetNamed("theirs")).toThrow("there is no target theirs: it must be ours, command:…");
    expect(() => targetNamed("command:")).toThrow("there is no target");
  });
});
