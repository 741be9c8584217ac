/** A campaign on one machine: ranges of seeds are shared out to processes, what they find is made small and kept, each cause once. */
import { Tinypool } from "tinypool";
import { InputError } from "../../semantics/errors.ts";
import type { Oracle } from "./oracle-names.ts";
import { bundleName, type Finding, type State, type Store } from "./store.ts";
import { type BatchResult, type Found, type Job, newTally, type Reduced, type Settings } from "./worker.ts";

const WORKER = import.meta.url.replace(/engine(\.[jt]s)$/, "worker$1");

/** Programs of a job: a second's work or less. */
const BATCH = 100;
/** Milliseconds between savings of how far it is. */
const SAVE_MS = 2000;

export interface CampaignOptions {
  readonly seed: number;
  readonly workers: number;
  /** When to stop: whichever comes first. */
  readonly seconds: number;
  readonly programs: number;
  readonly runs: number;
  readonly oracles: readonly Oracle[];
  readonly profile?: string;
  readonly store: Store;
  readonly version: string;
  /** Milliseconds from any start. */
  readonly now: () => number;
  readonly progress?: (state: State, findings: readonly Finding[]) => void;
  readonly onFinding?: (finding: Finding) => void;
}

/** Ends when its time or its programs are over, or `signal` says so; gives what it comes to, and all findings. */
export async function campaign(
  options: CampaignOptions,
  signal: AbortSignal,
): Promise<{ readonly state: State; readonly findings: readonly Finding[] }> {
  const run = new Campaign(options);
  try {
    await run.work(signal);
  } finally {
    await run.close();
  }
  return { state: run.state(), findings: run.findings };
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #settings: Settings;
  readonly #pool: Tinypool;
  readonly #start: number;
  readonly #before: State | undefined;
  readonly findings: Finding[];
  readonly #keys: Set<string>;
  readonly #tally = newTally();
  readonly #reasons = new Map<string, number>();
  readonly #unmodelled = new Map<string, number>();
  /** The first seed that nobody has taken; ranges that are done beyond the first that is not. */
  #taken: number;
  #next: number;
  readonly #done = new Set<number>();
  #saved: number;

  constructor(options: CampaignOptions) {
    const { seed, workers, runs, oracles, profile, store, now } = options;
    const before = store.state();
    if (before !== undefined && before.seed !== seed) {
      throw new InputError(
        `${store.directory}: holds a campaign that began with seed ${before.seed}, not ${seed}`,
      );
    }
    this.#options = options;
    this.#settings = { runs, oracles, ...(profile === undefined ? {} : { profile }) };
    const processes = {
      runtime: "child_process",
      filename: WORKER,
      minThreads: workers,
      maxThreads: workers,
      serialization: "advanced",
    } as const;
    this.#pool = new Tinypool(processes);
    this.#start = now();
    this.#saved = this.#start;
    this.#before = before;
    this.findings = [...store.findings()];
    this.#keys = new Set(this.findings.map(({ key }) => key));
    this.#next = this.#before?.next ?? seed;
    this.#taken = this.#next;
  }

  async work(signal: AbortSignal): Promise<void> {
    const { workers } = this.#options;
    // Two ranges for each process, so that none waits.
    await Promise.all(Array.from({ length: 2 * workers }, () => this.#lane(signal)));
    this.#save(true);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #isOver(signal: AbortSignal): boolean {
    const { seconds, programs, now, seed } = this.#options;
    return signal.aborted || now() - this.#start >= 1000 * seconds || this.#taken - seed >= programs;
  }

  async #lane(signal: AbortSignal): Promise<void> {
    while (!this.#isOver(signal)) {
      const first = this.#taken;
      const count = Math.min(BATCH, this.#options.seed + this.#options.programs - first);
      this.#taken += count;
      const result = await this.#ask({ kind: "batch", first, count, settings: this.#settings });
      if (!("tally" in result)) throw new Error("a batch is answered by its sums");
      this.#add(result);
      for (const found of result.found) await this.#keep(found);
      this.#finish(first, count);
      this.#save(false);
    }
  }

  async #ask(job: Job): Promise<BatchResult | Reduced> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the worker's function returns
    return (await this.#pool.run(job)) as BatchResult | Reduced;
  }

  #add({ tally, reasons, unmodelled }: BatchResult): void {
    for (const name of TALLIED) this.#tally[name] += tally[name];
    addAll(this.#reasons, reasons);
    addAll(this.#unmodelled, unmodelled);
  }

  /** The range is done; so is all before the first that is not. */
  #finish(first: number, count: number): void {
    this.#done.add(first);
    while (this.#done.delete(this.#next)) {
      const { seed, programs } = this.#options;
      this.#next = Math.min(this.#next + (this.#next === first ? count : BATCH), seed + programs);
    }
  }

  /** Makes a finding small and keeps it, unless its cause is known. */
  async #keep({ key, seed }: Found): Promise<void> {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    const { store, version, onFinding } = this.#options;
    const reduced = await this.#ask({ kind: "reduce", key, seed, settings: this.#settings });
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
  }

  #save(always: boolean): void {
    const { store, now, progress } = this.#options;
    const state = this.state();
    progress?.(state, this.findings);
    if (!always && now() - this.#saved < SAVE_MS) return;
    this.#saved = now();
    store.saveState(state);
  }

  /** This run's sums and those of the campaign that it goes on with. */
  state(): State {
    const { seed, now } = this.#options;
    const before = this.#before;
    const tally = newTally();
    for (const name of TALLIED) tally[name] = this.#tally[name] + (before?.tally[name] ?? 0);
    return {
      seed,
      next: this.#next,
      seconds: (now() - this.#start) / 1000 + (before?.seconds ?? 0),
      tally,
      reasons: summed(this.#reasons, before?.reasons),
      unmodelled: summed(this.#unmodelled, before?.unmodelled),
    };
  }
}

const TALLIED = [
  "programs",
  "accepted",
  "rejected",
  "unsupported",
  "faulted",
  "instructions",
  "processed",
  "states",
  "runs",
  "steps",
] as const;

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
