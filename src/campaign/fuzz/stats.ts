/**
 * What a campaign says of itself while it works, and what it needs to go on: the one JSON value in `stats.json`, written each second or so, whole or not at all. Sums are those of
 * the ranges of seeds that are done, of all sessions of the campaign together, so that what is done again after a kill counts once.
 */
import { z } from "zod";

const count = z.number().int().nonnegative();
const named = z.record(z.string(), count);

/** Sums over programs. */
const tallySchema = z.strictObject({
  programs: count,
  accepted: count,
  rejected: count,
  unsupported: count,
  /** Rejected programs that some run showed to fault. */
  faulted: count,
  /** Rejected programs that more runs were spent on, and those of them that no run makes fault. */
  searched: count.default(0),
  harmless: count.default(0),
  /** Programs made from kept recipes; the others were drawn anew. */
  mutated: count,
  /** Mutants of the corpus. */
  spliced: count.default(0),
  /** How often the verifier under test had to be begun anew. */
  restarts: count.default(0),
  instructions: count,
  /** What our verifier processed and kept. */
  processed: count,
  states: count,
  runs: count,
  /** Of a kernel under test: numbers that were held against its bounds, and its own runs that were held against the machine's. */
  compared: count.default(0),
  kernelRuns: count.default(0),
  /** Instructions that the machine executed, each held against an abstract state if the program was accepted. */
  steps: count,
});

export type Tally = z.infer<typeof tallySchema>;

export const TALLIED = [
  "programs",
  "accepted",
  "rejected",
  "unsupported",
  "faulted",
  "searched",
  "harmless",
  "mutated",
  "spliced",
  "restarts",
  "instructions",
  "processed",
  "states",
  "runs",
  "compared",
  "kernelRuns",
  "steps",
] as const satisfies readonly (keyof Tally)[];

export const newTally = (): Tally => ({
  programs: 0,
  accepted: 0,
  rejected: 0,
  unsupported: 0,
  faulted: 0,
  searched: 0,
  harmless: 0,
  mutated: 0,
  spliced: 0,
  restarts: 0,
  instructions: 0,
  processed: 0,
  states: 0,
  runs: 0,
  compared: 0,
  kernelRuns: 0,
  steps: 0,
});

const workerSchema = z.strictObject({
  /** The process's id; undefined while it starts. */
  pid: count.optional(),
  doing: z.enum(["batch", "reduces", "waits"]),
  /** Of this session. */
  programs: count,
  /** How often it was replaced. */
  restarts: count,
});

export const statsSchema = z.strictObject({
  version: z.literal(1),
  /** Whose verifier is under test: "ours" or a target's name. */
  target: z.string(),
  oracles: z.array(z.string()),
  /** The campaign's first seed, and the first that has not been done. */
  seed: z.number().int(),
  next: z.number().int(),
  /** Seconds of all sessions; of this one; and how many there were. */
  seconds: z.number().nonnegative(),
  sessionSeconds: z.number().nonnegative(),
  sessions: count,
  tally: tallySchema,
  /** Programs a second: of the last ten seconds or so, and of this session. */
  rate: z.strictObject({ now: z.number().nonnegative(), session: z.number().nonnegative() }),
  coverage: z.strictObject({
    /** Blocks of `src/verifier` and `src/absint` that ran, of those that V8 has told of so far. */
    blocks: count,
    blocksKnown: count,
    /** Entries of the semantic map. */
    semantic: count,
    /** Seconds of the campaign at which there was something new last. */
    lastNew: z.number().nonnegative(),
  }),
  /** Recipes that are kept because they reached something first. */
  corpus: z.strictObject({ size: count, favoured: count }),
  /** Findings by oracle, and how often one was met whose cause was known. */
  findings: z.strictObject({ total: count, byOracle: named, repeated: count }),
  /** How often each oracle had something to say. */
  violations: named.default({}),
  /** Our verdict and that of the verifier under test, where they differ. */
  verdicts: named.default({}),
  workers: z.array(workerSchema),
  /** The reasons of rejections and what ended runs that the machine does not model, most frequent first. */
  reasons: named,
  unmodelled: named,
  /** The reasons of rejections of programs that no run makes fault. */
  harmless: named.default({}),
});

export type Stats = z.infer<typeof statsSchema>;
export type WorkerStats = z.infer<typeof workerSchema>;
