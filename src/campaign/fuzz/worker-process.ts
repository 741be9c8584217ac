/** A process of a campaign: it gets jobs as messages, one at a time, and answers each with its answer, or with what it was that went wrong. */
import type { Job, JobAnswer } from "./batch.ts";
import { inlineLess } from "./inlining.ts";
import work from "./worker.ts";

/** What a process says of a job. */
export type Reply =
  | { readonly ok: true; readonly answer: JobAnswer }
  | { readonly ok: false; readonly message: string };

async function reply(job: Job): Promise<Reply> {
  try {
    return { ok: true, answer: await work(job) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

inlineLess();
process.on("message", (job: Job) => {
  void reply(job).then((answer) => process.send?.(answer));
});
// The campaign is gone.
process.on("disconnect", () => process.exit());
// An interrupt from a terminal reaches all processes there; it is the campaign that says when to stop.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
