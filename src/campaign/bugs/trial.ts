/** Trials: an instrument looks at a version of the code, in a process that is made of that version. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type Code, fileOf } from "./copy.ts";
import { INSTRUMENT_NAMES } from "./instruments/names.ts";

/** What a process is asked. */
export const jobSchema = z.strictObject({
  instrument: z.enum(INSTRUMENT_NAMES),
  seed: z.number(),
  /** CPU seconds; of solvers, seconds. */
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
  affected: z.number().optional(),
  refuted: z.string().optional(),
  instructions: z.number().optional(),
  text: z.string().optional(),
  bundle: z.string().optional(),
});

export type Answer =
  | ({ readonly kind: "found" | "silent" } & z.infer<typeof answerSchema>)
  /** The version does not run, or breaks off: nobody would ship it. */
  | { readonly kind: "broken"; readonly message: string };

/** Seconds that a process may take for each of its CPU seconds, and besides, before it counts as one that does not end. */
const [PATIENCE, START] = [60, 300];

/** Lets an instrument look at a version of the code. */
export function tryOut(version: Code, sound: Code, job: Omit<Job, "sound">): Promise<Answer> {
  const code = pathToFileURL(`${join(sound.home, sound.folder)}/`).href;
  const whole: Job = { ...job, sound: { code, ending: sound.ending } };
  const words = [...process.execArgv, fileOf(version, "cli/bugs-trial"), JSON.stringify(whole)];
  return new Promise((resolve, reject) => {
    const timeout = 1000 * (job.seconds * PATIENCE + START);
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"], timeout });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status !== 0 || stdout === "") {
        const line = /^\w*Error.*$/m.exec(stderr)?.[0] ?? stderr.trim().slice(-200);
        resolve({ kind: "broken", message: status === null ? "does not end" : line });
        return;
      }
      const answer = answerSchema.parse(JSON.parse(stdout));
      resolve({ kind: answer.evidence === undefined ? "silent" : "found", ...answer });
    });
  });
}
