/**
 * Any program as a verifier under test: it reads bundles from its standard input, one JSON value a line, and answers each with one line, in the same order
 * (docs/target-protocol.md). One that ends, or does not answer, is begun anew and asked again; if it does so twice of one program, that is told of the program. It has to answer a program of two
 * instructions first, and again after such a loss: one that does not is no verifier.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { writeBundle } from "../../../object/bundle-write.ts";
import { InputError } from "../../../semantics/errors.ts";
import { insn, layOut } from "../../../semantics/isa/make.ts";
import type { Program } from "../../../semantics/program/program.ts";
import type { Answer, Target } from "./target.ts";

/** Milliseconds that a program may take for one answer, its start among them. */
const PATIENCE_MS = 60_000;

const answerSchema = z.object({
  verdict: z.enum(["accept", "reject", "unsupported"]),
  message: z.string().nullish(),
  insn: z.int().nonnegative().nullish(),
  processed: z.int().nonnegative().nullish(),
});

/** The line that the protocol has for a program. */
const requestOf = (program: Program): string => JSON.stringify(JSON.parse(writeBundle({ program })));

/** Two instructions: each verifier has something to say of them. */
const FIRST: Program = {
  name: "a program of two instructions",
  type: "socket_filter",
  license: "GPL",
  flags: [],
  insns: layOut([insn("mov64_imm", { dst: 0, imm: 0 }), insn("exit")]),
  maps: [],
  lines: [],
  functions: [],
};

/** What was done in place of an answer. */
interface Lost {
  readonly lost: string;
}

/** What a line says; a line that says something else is no answer of a verifier. */
export function answerOf(line: string): Answer | Lost {
  const unreadable = (problem: string): Lost => ({ lost: `what it says is no answer: ${problem}` });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return unreadable("it is not JSON");
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) return unreadable(z.prettifyError(parsed.error).replaceAll("\n", " "));
  const { verdict, message, insn, processed } = parsed.data;
  return {
    verdict,
    message: message ?? "",
    ...(insn === undefined || insn === null ? {} : { insn }),
    ...(processed === undefined || processed === null ? {} : { processed }),
  };
}

interface Running {
  readonly child: ChildProcess;
  /** Writes a line; the answer, or why there is none. */
  readonly ask: (line: string) => Promise<string | Lost>;
}

/** What shells end with that find no such program, or one that is none. */
const SHELLS: Readonly<Record<number, string>> = {
  126: ": the program cannot be executed",
  127: ": there is no such program",
};

function start(command: string): Running {
  const child = spawn(command, { shell: true, detached: true, stdio: ["pipe", "pipe", "ignore"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("a process with pipes has them");
  let answered: ((line: string | Lost) => void) | undefined;
  const give = (line: string | Lost): void => {
    answered?.(line);
    answered = undefined;
  };
  const ended = (lost: string): void => give({ lost });
  // What is written to one that has ended is lost, and that it has ended is told otherwise.
  stdin.on("error", () => undefined);
  createInterface({ input: stdout }).on("line", give);
  child.on("error", (error) => ended(`it could not be started: ${error.message}`));
  child.on("close", (status, signal) =>
    ended(`it ended with ${signal ?? `status ${status}${SHELLS[status ?? 0] ?? ""}`}`),
  );
  return {
    child,
    async ask(line) {
      const answer = new Promise<string | Lost>((resolve) => {
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
  const name = `command:${command}`;
  let running: Running | undefined;
  let known = false;
  let restarts = 0;
  const end = (): void => {
    if (running !== undefined) endGroup(running.child);
    running = undefined;
  };
  const once = async (program: Program): Promise<Answer | Lost> => {
    running ??= start(command);
    const line = await running.ask(requestOf(program));
    const answer = typeof line === "string" ? answerOf(line) : line;
    // What follows an answer that is none may belong to any program.
    if (!("verdict" in answer)) end();
    return answer;
  };
  const isVerifier = async (): Promise<void> => {
    const answer = await once(FIRST);
    if (!("verdict" in answer))
      throw new InputError(`--target ${name}: it does not answer ${FIRST.name}: ${answer.lost}`);
  };
  const one = async (program: Program): Promise<Answer> => {
    const first = await once(program);
    if ("verdict" in first) return first;
    restarts += 1;
    const second = await once(program);
    if ("verdict" in second) return second;
    restarts += 1;
    await isVerifier();
    return {
      verdict: "unsupported",
      message: `the target does not answer: ${second.lost}`,
      lost: second.lost,
    };
  };
  return {
    name,
    async ask(programs) {
      restarts = 0;
      if (!known) await isVerifier();
      known = true;
      const answers: Answer[] = [];
      for (const program of programs) answers.push(await one(program));
      return { answers, restarts };
    },
    close: () => {
      end();
      return Promise.resolve();
    },
  };
}
