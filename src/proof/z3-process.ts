/**
 * The built-in Z3 in a process of its own that can be killed. Z3 ends a question at its time limit itself; a watchdog kills it some
 * seconds later if it does not. Once in a while Z3 hangs or dies for no reason that lies in the question, so such a question is
 * asked once more, in a new process.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { ANSWERS_DESCRIPTOR, type FromChild, questionLine, readFromChild } from "./message.ts";
import type { Answer, Question, Solver } from "./question.ts";

export interface ChildOptions {
  /** The script that the process runs, and what Node is told before it. */
  readonly script?: string;
  readonly nodeOptions?: readonly string[];
  /** How long after a question's time limit the process is killed. */
  readonly graceMs?: number;
  /** How long it may take to start. */
  readonly startMs?: number;
}

/** Beside this file and of the same kind: JavaScript in the package, TypeScript in the sources. */
const SCRIPT = fileURLToPath(
  new URL(`z3-child${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);
const GRACE_MS = 5000;
const START_MS = 60_000;
const ATTEMPTS = 2;
/** Characters of what a process says before it dies. */
const LAST_WORDS = 500;

/** What became of a question: an answer, or what happened in its place. */
type Ending =
  | { readonly kind: "answer"; readonly answer: Exclude<FromChild, { result: "ready" }> }
  | { readonly kind: "silence" }
  | { readonly kind: "death"; readonly reason: string };

/** A running process and the one thing that is expected of it. */
class Child {
  readonly #process: ChildProcess;
  #version: string | undefined;
  #lastWords = "";
  #end: Ending | undefined;
  #expect: ((said: FromChild | Ending) => void) | undefined;

  constructor({ script = SCRIPT, nodeOptions = process.execArgv }: ChildOptions) {
    const started = spawn(process.execPath, [...nodeOptions, script], {
      stdio: ["pipe", "ignore", "pipe", "pipe"],
    });
    this.#process = started;
    const answers = started.stdio[ANSWERS_DESCRIPTOR];
    if (!(answers instanceof Readable)) throw new Error("a pipe for answers was asked for");
    createInterface({ input: answers }).on("line", (line) => this.#hear(line));
    answers.on("error", () => undefined);
    started.stdin?.on("error", () => undefined);
    started.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    });
    started.on("error", (error) => this.#die(error.message));
    started.on("close", (status, signal) => {
      const words = this.#lastWords.trim().split("\n").at(-1) ?? "";
      this.#die(`ended with ${signal ?? `status ${status}`}${words === "" ? "" : `: ${words}`}`);
    });
  }

  get version(): string | undefined {
    return this.#version;
  }

  #hear(line: string): void {
    const said = readFromChild(line);
    const expect = this.#expect;
    if (said === undefined || expect === undefined) {
      this.kill();
      this.#die("said what is no answer");
      return;
    }
    this.#expect = undefined;
    expect(said);
  }

  #die(reason: string): void {
    this.#end ??= { kind: "death", reason };
    const expect = this.#expect;
    this.#expect = undefined;
    expect?.(this.#end);
  }

  /** The next thing that the process says, or that it says nothing in time. */
  #next(limitMs: number): Promise<FromChild | Ending> {
    return new Promise((resolve) => {
      if (this.#end !== undefined) {
        resolve(this.#end);
        return;
      }
      const watchdog = setTimeout(() => {
        // Whoever was too busy to listen must not take that for silence: first hear what has arrived.
        setImmediate(() => {
          const expect = this.#expect;
          this.#expect = undefined;
          expect?.({ kind: "silence" });
        });
      }, limitMs);
      this.#expect = (said) => {
        clearTimeout(watchdog);
        resolve(said);
      };
    });
  }

  async start(limitMs: number): Promise<Ending | undefined> {
    const said = await this.#next(limitMs);
    if ("kind" in said) return said;
    if (said.result !== "ready") return { kind: "death", reason: "answered before it was asked" };
    this.#version = said.version;
    return undefined;
  }

  async ask(question: Question, graceMs: number): Promise<Ending> {
    const said = this.#next(question.timeoutMs + graceMs);
    this.#process.stdin?.write(questionLine(question));
    const heard = await said;
    if ("kind" in heard) return heard;
    if (heard.result === "ready") return { kind: "death", reason: "started twice" };
    return { kind: "answer", answer: heard };
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

/** A Z3 in a process; nothing is started before the first question. */
export function z3Process(options: ChildOptions = {}): Solver {
  const { graceMs = GRACE_MS, startMs = START_MS } = options;
  let child: Child | undefined;
  let version = "Z3";
  let stopped = false;

  const started = async (): Promise<Child | Ending> => {
    if (child !== undefined) return child;
    child = new Child(options);
    if (stopped) child.kill();
    const failure = await child.start(startMs);
    version = child.version ?? version;
    return failure ?? child;
  };

  const attempt = async (question: Question): Promise<Ending> => {
    const ready = await started();
    return ready instanceof Child ? ready.ask(question, graceMs) : ready;
  };

  const prepare = async (): Promise<void> => {
    const ready = await started();
    if (ready instanceof Child) return;
    child?.kill();
    child = undefined;
  };

  const ask = async (question: Question): Promise<Answer> => {
    let last: Answer = { result: "error", message: "the solver was stopped" };
    for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
      if (stopped) break;
      const ending = await attempt(question);
      if (ending.kind === "answer") return ending.answer;
      child?.kill();
      child = undefined;
      last =
        ending.kind === "silence"
          ? { result: "unknown", reason: "timeout" }
          : { result: "error", message: `the solver's process ${ending.reason}` };
    }
    return last;
  };

  const stop = (): void => {
    stopped = true;
    child?.kill();
  };

  return { name: () => `${version} (z3-solver)`, prepare, ask, stop };
}
