/** Trials: an instrument looks at a version of the code, in a process that is made of that version. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type Code, fileOf } from "./copy.ts";
import { INSTRUMENT_NAMES } from "./instruments/names.ts";

/** What a process is asked. */
export const jobSchema = z.strictObject({
  instrument: z.enum(INSTRUMENT_NAMES),
  seed: z.number(),
  /** Seconds of processor time, that of solvers with it. */
  seconds: z.number(),
  /** Whether the program that shows something is to be made small. */
  reduce: z.boolean(),
  /** The sound version's code, as `Trial` wants it. */
  sound: z.strictObject({ code: z.string(), ending: z.string() }),
  theorems: z.array(z.string()).optional(),
});
type Job = z.infer<typeof jobSchema>;

/** What it answers. */
const answerSchema = z.strictObject({
  evidence: z.string().optional(),
  tried: z.number(),
  seconds: z.number(),
  /** By the clock on the wall. */
  wall: z.number(),
  affected: z.number().optional(),
  unwritten: z.number().optional(),
  refuted: z.string().optional(),
  instructions: z.number().optional(),
  text: z.string().optional(),
  bundle: z.string().optional(),
});

export type Answer =
  | ({ readonly kind: "found" | "silent" } & z.infer<typeof answerSchema>)
  /** The version does not run, or breaks off: nobody would ship it. */
  | { readonly kind: "broken"; readonly message: string };

/** Seconds of processor time that a process may have for each of its budget, and besides, before it counts as one that does not end. */
const [PATIENCE, START] = [3, 90];
/** So many times as long by the clock on the wall: a process that waits for something for ever is ended, too. */
const WAITING = 60;

/**
 * The words of a command with a limit of processor time, where there is a shell that sets one: it holds also while one program is being looked at.
 */
function limited(seconds: number, words: readonly string[]): readonly [string, ...string[]] {
  if (process.platform === "win32") return [process.execPath, ...words];
  return ["/bin/sh", "-c", `ulimit -t ${seconds}; exec "$@"`, "sh", process.execPath, ...words];
}

/** What a process has answered: its last whole line, since what was found comes again once it was made small. */
function lastLine(text: string): string | undefined {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .trimEnd()
    .split("\n")
    .at(-1);
}

/** Whoever asks and ends meanwhile leaves no process behind. */
const running = new Set<ChildProcess>();
const endAll = (): void => {
  for (const child of running) child.kill("SIGKILL");
};

/** Lets an instrument look at a version of the code. */
export function tryOut(version: Code, sound: Code, job: Omit<Job, "sound">): Promise<Answer> {
  const code = pathToFileURL(`${join(sound.home, sound.folder)}/`).href;
  const whole: Job = { ...job, sound: { code, ending: sound.ending } };
  const words = [...process.execArgv, fileOf(version, "cli/bugs-trial"), JSON.stringify(whole)];
  return new Promise((resolve, reject) => {
    const most = Math.ceil(job.seconds * PATIENCE + START);
    const [command, ...rest] = limited(most, words);
    const child = spawn(command, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 1000 * WAITING * most,
    });
    running.add(child);
    if (running.size === 1) process.once("exit", endAll);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      running.delete(child);
      if (running.size === 0) process.removeListener("exit", endAll);
      const said = lastLine(stdout);
      if (said === undefined || said === "") {
        const line = /^\w*Error.*$/m.exec(stderr)?.[0] ?? stderr.trim().slice(-200);
        resolve({ kind: "broken", message: status === null ? "does not end" : line });
        return;
      }
      const answer = answerSchema.parse(JSON.parse(said));
      resolve({ kind: answer.evidence === undefined ? "silent" : "found", ...answer });
    });
  });
}
