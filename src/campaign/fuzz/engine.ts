/** A campaign on one machine: ranges of seeds are shared out to processes, what they find is made small and kept, each cause once. */
import { InputError } from "../../semantics/errors.ts";
import { type Crew, localCrew } from "./crew.ts";
import type { OracleName } from "./oracle-names.ts";
import { newTally, type Stats, TALLIED } from "./stats.ts";
import { bundleName, type Finding, type Store } from "./store.ts";
import type { BatchResult, Found, Settings } from "./worker.ts";

/** Programs of a job: a second's work or less. */
const BATCH = 100;
/** Milliseconds between savings of how far it is. */
const SAVE_MS = 2000;

export interface CampaignOptions {
  readonly seed: number;
  readonly workers: number;
  /** Who does the jobs (default: so many processes of this machine). */
  readonly crew?: Crew;
  /** When to stop: whichever comes first. */
  readonly seconds: number;
  readonly programs: number;
  readonly runs: number;
  readonly oracles: readonly OracleName[];
  readonly profile?: string;
  readonly store: Store;
  readonly version: string;
  /** Milliseconds from any start. */
  readonly now: () => number;
  readonly progress?: (stats: Stats, findings: readonly Finding[]) => void;
  readonly onFinding?: (finding: Finding) => void;
}

/** Ends when its time or its programs are over, or `signal` says so; gives what it comes to, and all findings. */
export async function campaign(
  options: CampaignOptions,
  signal: AbortSignal,
): Promise<{ readonly stats: Stats; readonly findings: readonly Finding[] }> {
  const run = new Campaign(options);
  try {
    await run.work(signal);
  } finally {
    await run.close();
  }
  return { stats: run.stats(), findings: run.findings };
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #settings: Settings;
  readonly #crew: Crew;
  readonly #start: number;
  readonly #before: Stats | undefined;
  readonly findings: Finding[];
  readonly #keys: Set<string>;
  readonly #tally = newTally();
  readonly #reasons = new Map<string, number>();
  readonly #unmodelled = new Map<string, number>();
  /** The first seed that nobody has taken; the first that is not done, and the ranges behind it that are, by their first seed. */
  #taken: number;
  #next: number;
  readonly #done: Map<number, number>;
  /** Found again, with a cause that was known. */
  #repeated = 0;
  #saved: number;

  constructor(options: CampaignOptions) {
    const { seed, workers, runs, oracles, profile, store, now } = options;
    const before = store.stats();
    if (before !== undefined && before.seed !== seed) {
      throw new InputError(
        `${store.directory}: holds a campaign that began with seed ${before.seed}, not ${seed}`,
      );
    }
    this.#options = options;
    this.#settings = { runs, oracles, ...(profile === undefined ? {} : { profile }) };
    this.#crew = options.crew ?? localCrew(workers);
    this.#start = now();
    this.#saved = this.#start;
    this.#before = before;
    this.findings = [...store.findings()];
    this.#keys = new Set(this.findings.map(({ key }) => key));
    this.#next = before?.next ?? seed;
    this.#done = new Map(before?.done);
    this.#taken = this.#next;
  }

  async work(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: this.#crew.width }, () => this.#lane(signal)));
    this.#save(true);
  }

  async close(): Promise<void> {
    await this.#crew.close();
  }

  #isOver(signal: AbortSignal): boolean {
    const { seconds, programs, now, seed } = this.#options;
    return signal.aborted || now() - this.#start >= 1000 * seconds || this.#taken - seed >= programs;
  }

  async #lane(signal: AbortSignal): Promise<void> {
    while (!this.#isOver(signal)) {
      const { first, count } = this.#take();
      if (count === 0) return;
      const result = await this.#crew.run({ kind: "batch", first, count, settings: this.#settings });
      if (result === undefined) return;
      if (!("tally" in result)) throw new Error("a batch is answered by its sums");
      // A range counts when its findings are kept, so that one that is done again after a kill has neither been counted nor lost any.
      for (const found of result.found) if (!(await this.#keep(found))) return;
      this.#add(result);
      this.#finish(first, count);
      this.#save(false);
    }
  }

  #add({ tally, reasons, unmodelled }: BatchResult): void {
    for (const name of TALLIED) this.#tally[name] += tally[name];
    addAll(this.#reasons, reasons);
    addAll(this.#unmodelled, unmodelled);
  }

  /** The next range that is not done. */
  #take(): { readonly first: number; readonly count: number } {
    for (let done = this.#done.get(this.#taken); done !== undefined; done = this.#done.get(this.#taken))
      this.#taken += done;
    const first = this.#taken;
    const end = this.#options.seed + this.#options.programs;
    const until = Math.min(first + BATCH, end, ...[...this.#done.keys()].filter((start) => start > first));
    this.#taken = Math.max(until, first);
    return { first, count: this.#taken - first };
  }

  /** The range is done; so is all before the first that is not. */
  #finish(first: number, count: number): void {
    this.#done.set(first, count);
    for (let done = this.#done.get(this.#next); done !== undefined; done = this.#done.get(this.#next)) {
      this.#done.delete(this.#next);
      this.#next += done;
    }
  }

  /** Makes a finding small and keeps it, unless its cause is known; false if the campaign is over before. */
  async #keep({ key, seed }: Found): Promise<boolean> {
    if (this.#keys.has(key)) {
      this.#repeated += 1;
      return true;
    }
    this.#keys.add(key);
    const { store, version, onFinding } = this.#options;
    const reduced = await this.#crew.run({ kind: "reduce", key, seed, settings: this.#settings });
    if (reduced === undefined) return false;
    if (!("bundle" in reduced)) throw new Error("a reduction is answered by a bundle");
    const { bundle, violation, instructions } = reduced;
    const program = bundleName(key, seed);
    const finding: Finding = {
      key,
      oracle: violation.oracle,
      message: violation.message,
      ...(violation.insn === undefined ? {} : { insn: violation.insn }),
      seed,
      program,
      instructions,
      version,
      replay: `soundcheck check ${store.directory}/findings/${program} --seed ${seed} --runs ${this.#settings.runs} --no-kernel`,
    };
    store.saveFinding(finding, bundle);
    this.findings.push(finding);
    onFinding?.(finding);
    return true;
  }

  #save(always: boolean): void {
    const { store, now, progress } = this.#options;
    const stats = this.stats();
    progress?.(stats, this.findings);
    if (!always && now() - this.#saved < SAVE_MS) return;
    this.#saved = now();
    store.saveStats(stats);
  }

  /** This session's sums and those of the ones before. */
  stats(): Stats {
    const { seed, now, oracles } = this.#options;
    const before = this.#before;
    const tally = newTally();
    for (const name of TALLIED) tally[name] = this.#tally[name] + (before?.tally[name] ?? 0);
    const byOracle = new Map<string, number>();
    for (const { oracle } of this.findings) addAll(byOracle, new Map([[oracle, 1]]));
    const sessionSeconds = (now() - this.#start) / 1000;
    const rate = this.#tally.programs / Math.max(sessionSeconds, 0.001);
    return {
      version: 1,
      target: "ours",
      oracles: [...oracles],
      seed,
      next: this.#next,
      done: [...this.#done],
      seconds: sessionSeconds + (before?.seconds ?? 0),
      sessionSeconds,
      sessions: 1 + (before?.sessions ?? 0),
      tally,
      rate: { now: rate, session: rate },
      coverage: before?.coverage ?? { blocks: 0, blocksKnown: 0, semantic: 0, lastNew: 0 },
      corpus: { size: 0, favoured: 0 },
      findings: {
        total: this.findings.length,
        byOracle: Object.fromEntries(byOracle),
        repeated: this.#repeated + (before?.findings.repeated ?? 0),
      },
      workers: [],
      reasons: summed(this.#reasons, before?.reasons),
      unmodelled: summed(this.#unmodelled, before?.unmodelled),
    };
  }
}

function addAll(to: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, times] of from) to.set(name, (to.get(name) ?? 0) + times);
}

function summed(
  counts: ReadonlyMap<string, number>,
  before: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const all = new Map(Object.entries(before));
  addAll(all, counts);
  return Object.fromEntries([...all].sort((a, b) => b[1] - a[1]));
}
