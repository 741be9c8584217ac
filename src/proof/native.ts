/**
 * Solvers that are installed on the machine, spoken to in SMT-LIB 2.6 on standard input. Each question has a process of its own, which
 * is killed at the time limit. A first one decides; only if there is a model is the question put again to get its values, since
 * asking for values where there are none is an error.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Logic } from "../semantics/term/z3.ts";
import { type Expression, readExpression } from "./expression.ts";
import type { Answer, Question, Solver } from "./question.ts";
import type { NativeName } from "./solver-names.ts";

interface Kind {
  readonly options: readonly string[];
  readonly logics: readonly Logic[];
}

const KINDS: Readonly<Record<NativeName, Kind>> = {
  z3: { options: ["-smt2", "-in"], logics: ["bits", "integers"] },
  cvc5: { options: ["--lang=smt2"], logics: ["bits", "integers"] },
  bitwuzla: { options: ["--lang=smt2"], logics: ["bits"] },
  boolector: { options: ["--smt2"], logics: ["bits"] },
};

export interface Native {
  readonly name: NativeName;
  readonly path: string;
  /** Name and version. */
  readonly title: string;
  readonly logics: readonly Logic[];
}

/** SMT-LIB's names of the logics; products make the integers nonlinear. */
const LOGIC = { bits: "QF_BV", integers: "ALL" } as const;

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly late: boolean;
}

interface Running {
  readonly ended: Promise<Ended>;
  readonly kill: () => void;
}

function execute(path: string, options: readonly string[], input: string, limitMs: number): Running {
  const child = spawn(path, options, { stdio: ["pipe", "pipe", "pipe"] });
  let late = false;
  const kill = (): void => void child.kill("SIGKILL");
  const watchdog = setTimeout(() => {
    late = true;
    kill();
  }, limitMs);
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  child.stdin.on("error", () => undefined).end(input);
  const ended = new Promise<Ended>((resolve) => {
    const finish = (): void => {
      clearTimeout(watchdog);
      resolve({ ...said, late });
    };
    child.on("close", finish);
    child.on("error", (error) => {
      said.stderr += error.message;
      finish();
    });
  });
  return { ended, kill };
}

function script({ text, logic, wanted }: Question, withValues: boolean): string {
  const values = `(get-value (${wanted.map(({ name }) => `|${name}|`).join(" ")}))\n`;
  return [
    withValues ? "(set-option :produce-models true)\n" : "",
    `(set-logic ${LOGIC[logic]})\n`,
    text,
    "(check-sat)\n",
    withValues ? values : "",
    "(exit)\n",
  ].join("");
}

/** The only line of an answer; anything else that is said makes it an error. */
function verdictOf({ stdout, stderr, late }: Ended): Answer | "sat" {
  const said = stdout.trim();
  if (late) return { result: "unknown", reason: "timeout" };
  if (said === "unsat") return { result: "unsat" };
  if (said === "sat") return "sat";
  if (said === "unknown") return { result: "unknown", reason: "the solver gave up" };
  return { result: "error", message: firstLine(`${said}\n${stderr}`) };
}

const firstLine = (text: string): string => text.trim().split("\n")[0] ?? "";

/** The number that a value of a model stands for: `#x1f`, `#b101`, `(_ bv5 8)`, `5`, `(- 5)`. */
function numberOf(value: Expression | undefined): bigint | undefined {
  if (typeof value === "string") {
    const digits = value.replace(/^#/, "0");
    return /^(\d+|0x[0-9a-f]+|0b[01]+)$/i.test(digits) ? BigInt(digits) : undefined;
  }
  const [head, first] = value ?? [];
  if (head === "_" && typeof first === "string" && /^bv\d+$/.test(first)) return BigInt(first.slice(2));
  const positive = head === "-" ? numberOf(first) : undefined;
  return positive === undefined ? undefined : -positive;
}

/** The values after a line `sat`, in the order in which they were asked for. */
function valuesOf({ stdout }: Ended, wanted: Question["wanted"]): readonly bigint[] | undefined {
  const [, after] = /^\s*sat\s([^]*)$/.exec(stdout) ?? [];
  const pairs = after === undefined ? undefined : readExpression(after);
  if (pairs === undefined || typeof pairs === "string" || pairs.length !== wanted.length) return undefined;
  const values = pairs.map((pair) => (typeof pair === "string" ? undefined : numberOf(pair[1])));
  return values.every((value) => value !== undefined) ? values : undefined;
}

/** A solver that starts a process for each question. */
export function nativeSolver({ name, path, title }: Native): Solver {
  const { options } = KINDS[name];
  let running: Running | undefined;
  let stopped = false;
  const run = (input: string, limitMs: number): Promise<Ended> => {
    running = execute(path, options, input, limitMs);
    if (stopped) running.kill();
    return running.ended;
  };
  const ask = async (question: Question): Promise<Answer> => {
    const verdict = verdictOf(await run(script(question, false), question.timeoutMs));
    if (verdict !== "sat") return verdict;
    if (question.wanted.length === 0) return { result: "sat", values: [] };
    const ended = await run(script(question, true), question.timeoutMs);
    if (ended.late) return { result: "unknown", reason: "timeout" };
    const values = valuesOf(ended, question.wanted);
    if (values !== undefined) return { result: "sat", values };
    return {
      result: "error",
      message: `no model after sat: ${firstLine(ended.stdout.replace(/^\s*sat\s/, ""))}`,
    };
  };
  const stop = (): void => {
    stopped = true;
    running?.kill();
  };
  return { name: () => title, prepare: async () => undefined, ask, stop };
}

/** A question in the notation that obligations are written in; no value of the constant answers it. */
const PROBE: Question = {
  text: "(declare-const |a.x| (_ BitVec 8))\n(define-fun $0 () Bool (bvult |a.x| (_ bv0 8)))\n(assert $0)\n",
  logic: "bits",
  timeoutMs: 10_000,
  wanted: [],
};

function pathOf(name: NativeName): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The solver of that name, or why it cannot be used. */
export async function findNative(name: NativeName): Promise<Native | string> {
  const path = pathOf(name);
  if (path === undefined) return `${name}: not found on PATH`;
  const { stdout } = await execute(path, ["--version"], "", PROBE.timeoutMs).ended;
  const [version] = /\d+(\.\d+)+/.exec(stdout) ?? ["of unknown version"];
  const native = { name, path, title: `${name} ${version}`, logics: KINDS[name].logics };
  const answer = await nativeSolver(native).ask(PROBE);
  if (answer.result === "unsat") return native;
  const reason = "message" in answer ? answer.message : answer.result;
  return `${native.title}: does not read SMT-LIB 2.6 as it is written here: ${reason}`;
}
