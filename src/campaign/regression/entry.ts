/**
 * An entry of a corpus that is checked on another machine. Objects are read for the kernel of the machine that reads them, so there they may be other programs than
 * where it was asked: then that is the answer, and nothing is checked.
 */
import { createHash } from "node:crypto";
import { writeBundle } from "../../object/bundle-write.ts";
import { objectOptionsFor } from "../../oracle/linux/object-options.ts";
import type { Program } from "../../semantics/program/program.ts";
import { readTasks } from "../check.ts";
import checkFile, { type Job as FileJob, type Outcome } from "../check-worker.ts";

export interface EntryJob extends FileJob {
  /** The fingerprint of what is to be read of the file. */
  readonly programs: string;
}

/** What became of one program: a report, or the words of the bug of ours that came in between. */
type EntryOutcome = Extract<Outcome, { readonly report: unknown }> | { readonly message: string };

/** What became of the file's programs; undefined where other programs were read. */
export interface EntryAnswer {
  readonly outcomes: readonly EntryOutcome[] | undefined;
}

/** The same for programs that are the same, in the same order. */
export function fingerprintOf(programs: readonly Program[]): string {
  const hash = createHash("sha256");
  for (const program of programs) hash.update(writeBundle({ program }));
  return hash.digest("hex");
}

/** What a process does whose machine may be another one than that where it was asked. */
export function checkEntry({ programs, ...job }: EntryJob): EntryAnswer {
  const { tasks } = readTasks([job.file], { object: objectOptionsFor() });
  if (fingerprintOf(tasks.map(({ program }) => program)) !== programs) return { outcomes: undefined };
  return {
    outcomes: checkFile(job).map((outcome) => {
      if ("report" in outcome) return outcome;
      return { message: outcome.error instanceof Error ? outcome.error.message : String(outcome.error) };
    }),
  };
}
