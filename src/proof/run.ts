/** Many theorems: which are tried, in which order, and what came of each. */
import { hashOf, type Ledger } from "./ledger.ts";
import type { Pool } from "./pool.ts";
import type { Outcome, Prover } from "./prove.ts";
import type { Theorem, Wrong } from "./theorem.ts";

export interface WrongReport {
  readonly wrong: Wrong;
  /** It has to be refuted. */
  readonly outcome: Outcome;
  readonly seconds: number;
}

export type Result =
  | Outcome
  /** Unchanged since it was proved, and not proved again. */
  | { readonly kind: "proved before" }
  /** The catalogue has no proof of it, for this reason. */
  | { readonly kind: "open"; readonly reason: string }
  /** Interrupted before it was decided. */
  | { readonly kind: "not tried" };

export interface TheoremReport {
  readonly theorem: Theorem;
  readonly result: Result;
  /** Of its obligations (ledger.ts), where they were tried. */
  readonly hash?: string;
  /** Asked about now. */
  readonly obligations: number;
  /** Spent by solvers, now or when it was proved; wrong versions apart. */
  readonly seconds: number;
  /** Who decided; empty if nobody was asked. */
  readonly solver: string;
  readonly wrong: readonly WrongReport[];
}

export interface RunOptions {
  readonly pool: Pool;
  readonly prover: Prover;
  /** What need not be proved again; nothing if all is to be. */
  readonly ledger: Ledger;
  /** How long theorems took before, by which the long ones come first. */
  readonly secondsBefore: Ledger;
  /** Of the theorems that need not be proved again, those that are nevertheless. */
  readonly sample: (unchanged: readonly Theorem[]) => ReadonlySet<Theorem>;
  /** Whether the wrong versions of what is tried have to be refuted. */
  readonly wrong: boolean;
  readonly progress: (done: number, total: number, report: TheoremReport) => void;
  /** Ends the run: what is not decided by then is not tried. */
  readonly signal?: AbortSignal;
}

const UNDECIDED: Omit<TheoremReport, "theorem" | "result"> = {
  obligations: 0,
  seconds: 0,
  solver: "",
  wrong: [],
};

/** How long a theorem is thought to take that has never been proved: longer than most, so that it does not come last. */
const UNKNOWN_SECONDS = 5;

/** Reports on all theorems, in their order. */
export async function runTheorems(
  theorems: readonly Theorem[],
  options: RunOptions,
): Promise<readonly TheoremReport[]> {
  const { ledger, secondsBefore, sample, progress } = options;
  const tried = theorems.filter(({ open }) => open === undefined);
  const unchanged = tried.filter(
    ({ name, obligations }) => ledger.get(name)?.hash === (ledger.has(name) ? hashOf(obligations()) : ""),
  );
  const again = sample(unchanged);
  const settled = new Set(unchanged.filter((theorem) => !again.has(theorem)));
  const reports = new Map<Theorem, TheoremReport>();
  const total = tried.length - settled.size;
  let done = 0;

  for (const theorem of theorems) {
    const { open: reason, name } = theorem;
    const entry = ledger.get(name);
    if (reason !== undefined) {
      reports.set(theorem, { theorem, result: { kind: "open", reason }, ...UNDECIDED });
    } else if (settled.has(theorem) && entry !== undefined) {
      const { seconds, solver } = entry;
      const result = { kind: "proved before" } as const;
      reports.set(theorem, { ...UNDECIDED, theorem, result, seconds, solver });
    }
  }
  const expected = ({ name }: Theorem): number => secondsBefore.get(name)?.seconds ?? UNKNOWN_SECONDS;
  const queue = tried.filter((theorem) => !settled.has(theorem)).sort((a, b) => expected(b) - expected(a));
  const working: Promise<void>[] = [];
  for (const theorem of queue) {
    await options.pool.hungry();
    if (options.signal?.aborted === true) break;
    const work = prove(theorem, options).then((report) => {
      // What the interruption cut short says nothing.
      if (options.signal?.aborted === true) return;
      reports.set(theorem, report);
      done += 1;
      progress(done, total, report);
    });
    working.push(work);
  }
  await Promise.all(working);
  return theorems.map(
    (theorem) => reports.get(theorem) ?? { theorem, result: { kind: "not tried" }, ...UNDECIDED },
  );
}

async function prove(theorem: Theorem, { prover, wrong }: RunOptions): Promise<TheoremReport> {
  const decided = await prover.theorem(theorem);
  const versions = wrong ? theorem.wrong : [];
  const refuted = await Promise.all(
    versions.map(async (version): Promise<WrongReport> => {
      const { outcome, seconds } = await prover.wrong(version);
      return { wrong: version, outcome, seconds };
    }),
  );
  const { outcome, hash, obligations, seconds, solvers } = decided;
  return { theorem, result: outcome, hash, obligations, seconds, solver: solvers.join(", "), wrong: refuted };
}

/** Whether nothing is to be said against a report: proved, or listed as open, and each wrong version refuted. */
export function holds({ result, wrong }: TheoremReport): boolean {
  const fine = result.kind === "proved" || result.kind === "proved before" || result.kind === "open";
  return fine && wrong.every(({ outcome }) => outcome.kind === "refuted");
}

/** The ledger after a run: what was proved is in it, what was tried and not proved is not. The rest is as it was. */
export function ledgerAfter(before: Ledger, reports: readonly TheoremReport[]): Ledger {
  const after = new Map(before);
  for (const { theorem, result, hash, seconds, solver } of reports) {
    if (result.kind === "proved before" || result.kind === "not tried") continue;
    if (result.kind !== "proved" || hash === undefined) {
      after.delete(theorem.name);
      continue;
    }
    // An entry that still holds stays as it is: a difference of the file is a change of a theorem.
    if (before.get(theorem.name)?.hash === hash) continue;
    after.set(theorem.name, { hash, seconds: Math.round(seconds * 100) / 100, solver });
  }
  return after;
}
