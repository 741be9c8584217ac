/**
 * Any program as a verifier under test: it reads bundles from its standard input, one JSON value a line, and answers each with one line, in the same order
 * (docs/target-protocol.md). One that ends, or does not answer, is begun anew for the next program.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { writeBundle } from "../../../object/bundle-write.ts";
import type { Program } from "../../../semantics/program/program.ts";
import type { Answer, Target } from "./target.ts";

/** Milliseconds that a program may take for one answer, its start among them. */
const PATIENCE_MS = 60_000;

const answerSchema = z.object({
  verdict: z.enum(["accept", "reject", "unsupported"]),
  message: z.string().nullish(),
  insn: z.int().nonnegative().nullish(),
});

/** The line that the protocol has for a program. */
const requestOf = (program: Program): string => JSON.stringify(JSON.parse(writeBundle({ program })));

/** What a line says; a line that says something else is no answer of a verifier. */
export function answerOf(line: string): Answer {
  const unreadable = (problem: string): Answer => ({
    verdict: "unsupported",
    message: `the target's answer is not one: ${problem}`,
  });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return unreadable("it is not JSON");
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) return unreadable(z.prettifyError(parsed.error).replaceAll("\n", " "));
  const { verdict, message, insn } = parsed.data;
  return { verdict, message: message ?? "", ...(insn === undefined || insn === null ? {} : { insn }) };
}

interface Running {
  readonly child: ChildProcess;
  /** Writes a line; the answer, or why there is none. */
  readonly ask: (line: string) => Promise<string | { readonly failed: string }>;
}

function start(command: string): Running {
  const child = spawn(command, { shell: true, detached: true, stdio: ["pipe", "pipe", "ignore"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("a process with pipes has them");
  let answered: ((line: string | { readonly failed: string }) => void) | undefined;
  const give = (line: string | { readonly failed: string }): void => {
    answered?.(line);
    answered = undefined;
  };
  const ended = (how: string): void => give({ failed: how });
  // What is written to one that has ended is lost, and that it has ended is told otherwise.
  stdin.on("error", () => undefined);
  createInterface({ input: stdout }).on("line", give);
  child.on("error", (error) => ended(`it could not be started: ${error.message}`));
  child.on("close", (status, signal) => ended(`it ended with ${signal ?? `status ${status}`}`));
  return {
    child,
    async ask(line) {
      const answer = new Promise<string | { readonly failed: string }>((resolve) => {
        answered = resolve;
      });
      const timer = setTimeout(() => ended(`no answer in ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
      if (child.exitCode === null && child.signalCode === null) stdin.write(`${line}\n`);
      else ended("it has ended");
      try {
        return await answer;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Ends the shell and all that it has started: they are a process group. */
function endGroup({ pid, stdin }: ChildProcess): void {
  stdin?.destroy();
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** @param command  for the shell */
export function commandTarget(command: string): Target {
  let running: Running | undefined;
  const end = (): void => {
    if (running !== undefined) endGroup(running.child);
    running = undefined;
  };
  const one = async (program: Program): Promise<Answer> => {
    running ??= start(command);
    const line = await running.ask(requestOf(program));
    if (typeof line === "string") return answerOf(line);
    end();
    return { verdict: "unsupported", message: `the target does not answer: ${line.failed}` };
  };
  return {
    name: `command:${command}`,
    async ask(programs) {
      const answers: Answer[] = [];
      for (const program of programs) answers.push(await one(program));
      return answers;
    },
    close: () => {
      end();
      return Promise.resolve();
    },
  };
}
