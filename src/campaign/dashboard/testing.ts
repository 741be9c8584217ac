/** Statistics for tests of what shows them. */
import { newTally, type Stats } from "../fuzz/stats.ts";

/** A campaign that has come so far. */
export const statsAt = (seconds: number, more: Partial<Stats> = {}): Stats => ({
  version: 1,
  target: "ours",
  oracles: ["certificate", "containment"],
  seed: 1,
  next: 1 + 100 * seconds,
  seconds,
  sessionSeconds: seconds,
  sessions: 1,
  tally: { ...newTally(), programs: 100 * seconds, accepted: 70 * seconds, rejected: 30 * seconds },
  rate: { now: 100, session: 100 },
  coverage: { blocks: 1500, blocksKnown: 4000, semantic: 2500, lastNew: seconds / 2 },
  corpus: { size: 12, favoured: 3 },
  findings: { total: 0, byOracle: {}, repeated: 0 },
  violations: {},
  verdicts: {},
  harmless: {},
  workers: [{ pid: 4711, doing: "batch", programs: 100 * seconds, restarts: 0 }],
  reasons: { "R# !read_ok": 30 * seconds },
  unmodelled: {},
  ...more,
});
