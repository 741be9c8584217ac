/** The sums of a campaign: those of the sessions before and of this one. */
import type { BatchResult } from "./batch.ts";
import { newTally, type Stats, TALLIED, type WorkerStats } from "./stats.ts";
import type { Finding } from "./store.ts";

/** Milliseconds over which the present rate is taken. */
const WINDOW_MS = 10_000;

/** What guidance has come to. */
export interface GuideCounts {
  readonly blocks: number;
  readonly blocksKnown: number;
  readonly semantic: number;
  readonly size: number;
  readonly favoured: number;
}

interface Subject {
  readonly seed: number;
  readonly target: string;
  readonly oracles: readonly string[];
}

export class CampaignStats {
  readonly #before: Stats | undefined;
  readonly #subject: Subject;
  readonly #now: () => number;
  readonly #start: number;
  readonly #tally = newTally();
  readonly #reasons: Map<string, number>;
  readonly #unmodelled: Map<string, number>;
  readonly #verdicts: Map<string, number>;
  readonly #violations: Map<string, number>;
  readonly #harmless: Map<string, number>;
  /** Programs of this session at certain times: the first is the one that the present rate counts from. */
  readonly #samples: { readonly at: number; readonly programs: number }[];
  #repeated: number;
  #reachedBefore: number;
  #lastNew: number;
  /** The first seed that does not count yet. */
  next: number;

  constructor(before: Stats | undefined, subject: Subject, now: () => number) {
    this.#before = before;
    this.#subject = subject;
    this.#now = now;
    this.#start = now();
    this.#samples = [{ at: this.#start, programs: 0 }];
    this.#reasons = new Map(Object.entries(before?.reasons ?? {}));
    this.#unmodelled = new Map(Object.entries(before?.unmodelled ?? {}));
    this.#verdicts = new Map(Object.entries(before?.verdicts ?? {}));
    this.#harmless = new Map(Object.entries(before?.harmless ?? {}));
    this.#violations = new Map(Object.entries(before?.violations ?? {}));
    this.#repeated = before?.findings.repeated ?? 0;
    this.#reachedBefore = before === undefined ? 0 : before.coverage.semantic + before.coverage.blocks;
    this.#lastNew = before?.coverage.lastNew ?? 0;
    this.next = before?.next ?? subject.seed;
  }

  get #seconds(): number {
    return (this.#now() - this.#start) / 1000 + (this.#before?.seconds ?? 0);
  }

  /** A range counts, and all before `next`. */
  add(
    { tally, reasons, unmodelled, verdicts, found, harmless }: BatchResult,
    next: number,
    { blocks, semantic }: GuideCounts,
  ): void {
    for (const name of TALLIED) this.#tally[name] += tally[name];
    addAll(this.#reasons, reasons);
    addAll(this.#unmodelled, unmodelled);
    addAll(this.#verdicts, verdicts);
    if (harmless !== undefined) addAll(this.#harmless, harmless);
    for (const { violation } of found) addAll(this.#violations, new Map([[violation.oracle, 1]]));
    this.next = next;
    const reached = blocks + semantic;
    if (reached > this.#reachedBefore) this.#lastNew = this.#seconds;
    this.#reachedBefore = reached;
    const at = this.#now();
    this.#samples.push({ at, programs: this.#tally.programs });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) > WINDOW_MS) this.#samples.shift();
  }

  /** Something was found whose cause was known. */
  repeated(): void {
    this.#repeated += 1;
  }

  stats(findings: readonly Finding[], workers: readonly WorkerStats[], reached: GuideCounts): Stats {
    const before = this.#before;
    const tally = newTally();
    for (const name of TALLIED) tally[name] = this.#tally[name] + (before?.tally[name] ?? 0);
    const byOracle = new Map<string, number>();
    for (const { oracle } of findings) byOracle.set(oracle, (byOracle.get(oracle) ?? 0) + 1);
    const at = this.#now();
    const perSecond = (programs: number, from: number): number => (1000 * programs) / Math.max(at - from, 1);
    const [oldest = { at: this.#start, programs: 0 }] = this.#samples;
    const { blocks, blocksKnown, semantic, size, favoured } = reached;
    return {
      version: 1,
      target: this.#subject.target,
      oracles: [...this.#subject.oracles],
      seed: this.#subject.seed,
      next: this.next,
      seconds: this.#seconds,
      sessionSeconds: (at - this.#start) / 1000,
      sessions: 1 + (before?.sessions ?? 0),
      tally,
      rate: {
        now: perSecond(this.#tally.programs - oldest.programs, oldest.at),
        session: perSecond(this.#tally.programs, this.#start),
      },
      coverage: { blocks, blocksKnown, semantic, lastNew: this.#lastNew },
      corpus: { size, favoured },
      findings: {
        total: findings.length,
        byOracle: Object.fromEntries(byOracle),
        repeated: this.#repeated,
      },
      violations: sorted(this.#violations),
      verdicts: sorted(this.#verdicts),
      harmless: sorted(this.#harmless),
      workers: [...workers],
      reasons: sorted(this.#reasons),
      unmodelled: sorted(this.#unmodelled),
    };
  }
}

function addAll(to: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, times] of from) to.set(name, (to.get(name) ?? 0) + times);
}

const sorted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]));
