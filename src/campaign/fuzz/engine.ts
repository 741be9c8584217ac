/**
 * A campaign: ranges of seeds are shared out to whoever does them, what they find is made small and kept, each cause once. Answers count in the order of the ranges, and what a range makes
 * its programs from follows from the answers up to a certain range before it: so the same seed gives the same programs, however many processes there are and however fast they are.
 */

import { readBundle } from "../../object/bundle.ts";
import { writeBundle } from "../../object/bundle-write.ts";
import { InputError } from "../../semantics/errors.ts";
import { programOf } from "../generate/program.ts";
import { recipeOf } from "../generate/recipe.ts";
import { checkKernelName, RUNNING } from "../kernels/names.ts";
import type { BatchResult, Found, Job, JobAnswer, KernelSource, Reduced, Settings } from "./batch.ts";
import { CampaignStats } from "./campaign-stats.ts";
import { type Crew, localCrew } from "./crew.ts";
import { causeOf } from "./cross-check.ts";
import { Guide } from "./guide.ts";
import type { OracleName } from "./oracle-names.ts";
import type { Violation } from "./oracles/oracle.ts";
import { programOfCampaign } from "./programs.ts";
import type { Plan } from "./recipes.ts";
import { newTally, type Stats, TALLIED } from "./stats.ts";
import { bundleName, type Finding, findingName, type Store } from "./store.ts";
import { OURS, restOf, subjectOf } from "./targets/named.ts";

/** Programs of a range: a fraction of a second's work. */
const BATCH = 50;
/** Ranges that are done at a time at most: what a range is made from was known so many ranges before. */
const LAG = 32;
/** One range in so many says which code ran: counting that takes time. */
const CODE_EVERY = 8;
/** Milliseconds between savings of how far it is. */
const SAVE_MS = 1000;

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
  /** Whose verifier is under test: ours by default. */
  readonly target?: string;
  /** A kernel that is asked too about what the one under test accepts. */
  readonly beside?: string;
  /** How many of a hundred programs are mutants of the corpus (default: none). */
  readonly mutants?: number;
  /** What a kernel under test gets (default: probes). */
  readonly source?: KernelSource;
  /** What programs are made from: nothing (all are drawn anew), what reached new entries of the semantic map, or those that ran new code of the verifier as well (default). */
  readonly guidance?: "none" | "semantic" | "code";
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

/** A range with its answer, from when it is asked for until it counts. */
interface Pending {
  readonly first: number;
  readonly count: number;
  readonly plan: Plan | undefined;
  answer: BatchResult | undefined;
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #settings: Settings;
  readonly #crew: Crew;
  readonly #sums: CampaignStats;
  readonly #guide: Guide;
  readonly #start: number;
  readonly findings: Finding[];
  readonly #keys: Set<string>;
  /** The first seed that nobody has taken, and the ranges that are taken and do not count yet, in order. */
  #taken: number;
  readonly #pending: Pending[] = [];
  /** What the ranges to come are made from: the first belongs to the next one that is taken. */
  readonly #plans: (Plan | undefined)[] = Array.from({ length: LAG }, () => undefined);
  /** Wakes those who wait for a plan. */
  #wake: (() => void)[] = [];
  #counting = false;
  #over = false;
  #failure: unknown;
  #saved: number;

  constructor(options: CampaignOptions) {
    const { seed, workers, runs, oracles, profile, target, source, mutants, beside, store, now } = options;
    // A name of no target is bad usage, and not what a process stumbles over. Probes for kernels are no recipes.
    const subject = subjectOf(target ?? OURS);
    if (beside !== undefined) {
      checkKernelName(beside);
      if (subject !== "kernel") throw new InputError("--beside is for --target kernel:…");
    }
    if (source === "generated" && target === `kernel:${RUNNING}`)
      throw new InputError("--source generated is for guests: the running kernel gets probes only");
    const guidance = subject === "kernel" ? "none" : (options.guidance ?? "code");
    const before = store.stats();
    if (before !== undefined && before.target !== (target ?? OURS)) {
      throw new InputError(
        `${store.directory}: holds a campaign against ${before.target}, not ${target ?? OURS}`,
      );
    }
    if (before !== undefined && before.seed !== seed) {
      throw new InputError(
        `${store.directory}: holds a campaign that began with seed ${before.seed}, not ${seed}`,
      );
    }
    this.#options = options;
    this.#settings = {
      runs,
      oracles,
      coverage: guidance,
      ...(profile === undefined ? {} : { profile }),
      ...(source === undefined ? {} : { source }),
      ...(mutants === undefined ? {} : { mutants }),
      ...(beside === undefined ? {} : { beside }),
      // A seeded verifier is ours in the processes that have its code.
      ...(target === undefined || target === OURS || restOf("seeded", target) !== undefined
        ? {}
        : { target }),
    };
    this.#crew = options.crew ?? localCrew(workers);
    this.#start = now();
    this.#saved = this.#start;
    this.findings = [...store.findings()];
    this.#keys = new Set(this.findings.map(({ key }) => key));
    this.#sums = new CampaignStats(before, { seed, target: target ?? OURS, oracles }, now);
    this.#guide = new Guide(store, guidance !== "none", (job) => this.#tried(job));
    this.#taken = this.#sums.next;
  }

  async work(signal: AbortSignal): Promise<void> {
    const stop = (): void => {
      this.#over = true;
      this.#wakeAll();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      await Promise.all(Array.from({ length: this.#crew.width }, () => this.#lane(signal)));
      await this.#count();
    } finally {
      signal.removeEventListener("abort", stop);
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#save(true);
  }

  async close(): Promise<void> {
    await this.#crew.close();
  }

  #isOver(signal: AbortSignal): boolean {
    const { seconds, programs, now, seed } = this.#options;
    if (signal.aborted || this.#failure !== undefined) this.#over = true;
    if (now() - this.#start >= 1000 * seconds || this.#taken - seed >= programs) this.#over = true;
    if (this.#over) this.#wakeAll();
    return this.#over;
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #lane(signal: AbortSignal): Promise<void> {
    while (!this.#isOver(signal)) {
      if (this.#plans.length === 0) {
        await new Promise<void>((resolve) => this.#wake.push(resolve));
        continue;
      }
      const pending = this.#take();
      try {
        pending.answer = await this.#answer(pending);
        // Nobody came to do it before the campaign was over: it has not been done, nor what comes behind it.
        if (pending.answer === undefined) this.#over = true;
        else await this.#count();
      } catch (error) {
        this.#failure ??= error;
      }
    }
  }

  #take(): Pending {
    const { seed, programs } = this.#options;
    const first = this.#taken;
    const count = Math.min(BATCH, seed + programs - first);
    this.#taken += count;
    const pending: Pending = { first, count, plan: this.#plans.shift(), answer: undefined };
    this.#pending.push(pending);
    return pending;
  }

  /** Code is looked at in some of the ranges. */
  #settingsOf(first: number): Settings {
    const settings = this.#settings;
    if (settings.coverage !== "code") return settings;
    const index = Math.floor((first - this.#options.seed) / BATCH);
    return index % CODE_EVERY === 0 ? settings : { ...settings, coverage: "semantic" };
  }

  /** What the crew makes of a job, if it is anything; undefined too if the job fails, which is no reason to stop. */
  async #tried(job: Job): Promise<JobAnswer | undefined> {
    try {
      return await this.#crew.run(job);
    } catch (error) {
      if (error instanceof InputError) throw error;
      return undefined;
    }
  }

  /** A range's answer. One that fails, or that processes die of, is halved until it is known which program it is; that is a finding, and the rest counts. */
  async #answer({ first, count, plan }: Omit<Pending, "answer">): Promise<BatchResult | undefined> {
    const settings = this.#settingsOf(first);
    try {
      const job = { kind: "batch", first, count, settings, ...(plan === undefined ? {} : { plan }) } as const;
      const answer = await this.#crew.run(job);
      if (answer === undefined) return undefined;
      if ("unusable" in answer) throw new InputError(answer.unusable);
      if (!("tally" in answer)) throw new Error("a batch is answered by its sums");
      return answer;
    } catch (error) {
      if (error instanceof InputError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      if (count === 1) return brokenRange(first, plan, message, settings);
      const half = count >> 1;
      const left = await this.#answer({ first, count: half, plan });
      const right = await this.#answer({ first: first + half, count: count - half, plan });
      return left === undefined || right === undefined ? undefined : joined(left, right, half);
    }
  }

  /** Lets the answers count that are there, in the order of their ranges. */
  async #count(): Promise<void> {
    if (this.#counting) return;
    this.#counting = true;
    try {
      for (let next = this.#pending[0]; next?.answer !== undefined; next = this.#pending[0]) {
        const { first, count, plan, answer } = next;
        // A range counts when its findings are kept, so that one that is done again after a kill has neither been counted nor lost any.
        for (const found of answer.found) await this.#keep(found);
        const planned = await this.#guide.learn(
          { first, count, settings: this.#settings, ...(plan === undefined ? {} : { plan }) },
          answer,
        );
        this.#sums.add(answer, first + count, this.#guide.counts());
        this.#pending.shift();
        this.#plans.push(planned);
        this.#wakeAll();
        this.#save(false);
      }
    } finally {
      this.#counting = false;
    }
  }

  /** Makes a finding small and keeps it, unless its cause is known. */
  async #keep(found: Found): Promise<void> {
    const { key, seed, recipe, bundle, violation } = found;
    if (this.#keys.has(key)) {
      this.#sums.repeated();
      return;
    }
    this.#keys.add(key);
    const whole = (): Reduced => {
      const program =
        bundle === undefined
          ? programOf(recipe ?? recipeOf(seed), `found with seed ${seed}`)
          : readBundle(bundle).program;
      return { bundle: writeBundle({ program }), violation, instructions: program.insns.length };
    };
    if (violation.oracle === "broken") {
      this.#store(key, seed, whole());
      return;
    }
    const settings = this.#settings;
    let reduced: JobAnswer | undefined;
    try {
      reduced = await this.#crew.run({
        kind: "reduce",
        key,
        seed,
        settings,
        violation,
        ...(recipe === undefined ? {} : { recipe }),
        ...(bundle === undefined ? {} : { bundle }),
      });
    } catch (error) {
      if (error instanceof InputError) throw error;
      const message = `a reduction fails: ${error instanceof Error ? error.message : String(error)}`;
      this.#store(key, seed, whole());
      await this.#keep({ ...found, key: `broken: ${message}`, violation: { oracle: "broken", message } });
      return;
    }
    this.#store(key, seed, reduced !== undefined && "bundle" in reduced ? reduced : whole());
  }

  #store(key: string, seed: number, { bundle, violation, instructions, hole }: Reduced): void {
    const { store, version, target = OURS, beside, onFinding } = this.#options;
    const { input, console } = violation;
    const { runs } = this.#settings;
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
      ...(target === OURS ? {} : { target }),
      ...(input === undefined
        ? {}
        : {
            packet: Buffer.from(input.packet).toString("hex"),
            value: Buffer.from(input.value).toString("hex"),
          }),
      ...(hole === undefined ? {} : { hole: `hole-${program}` }),
      ...(console === undefined ? {} : { console }),
      replay:
        violation.oracle === "beside"
          ? `soundcheck compare ${store.directory}/findings/${program} --with ${restOf("kernel", target)},${beside}`
          : target === OURS
            ? `soundcheck check ${store.directory}/findings/${program} --seed ${seed} --runs ${runs} --no-kernel`
            : `soundcheck fuzz --replay ${store.directory}/findings/${findingName(program)} --runs ${runs}`,
    };
    store.saveFinding(finding, bundle, hole);
    this.findings.push(finding);
    onFinding?.(finding);
  }

  #save(always: boolean): void {
    const { store, now, progress } = this.#options;
    if (!always && now() - this.#saved < SAVE_MS) return;
    this.#saved = now();
    const stats = this.stats();
    progress?.(stats, this.findings);
    store.saveStats(stats);
    this.#guide.save();
  }

  /** The sums of all sessions, and what the processes do. */
  stats(): Stats {
    return this.#sums.stats(this.findings, this.#crew.workers?.() ?? [], this.#guide.counts());
  }
}

/** The answer for a single program that no process survives. */
function brokenRange(seed: number, plan: Plan | undefined, message: string, settings: Settings): BatchResult {
  const { program, recipe, mutated } = programOfCampaign(seed, plan, settings);
  const from = recipe === undefined ? { bundle: writeBundle({ program }) } : { recipe };
  const violation: Violation = { oracle: "broken", message };
  return {
    tally: { ...newTally(), programs: 1, mutated: mutated ? 1 : 0, unsupported: 1 },
    reasons: new Map(),
    unmodelled: new Map(),
    verdicts: new Map(),
    found: [{ key: `broken: ${causeOf(message)}`, seed, ...from, violation }],
  };
}

/** The answer for two ranges, of which the second begins `distance` programs after the first. */
function joined(a: BatchResult, b: BatchResult, distance: number): BatchResult {
  const tally = newTally();
  for (const name of TALLIED) tally[name] = a.tally[name] + b.tally[name];
  const sum = (
    one: ReadonlyMap<string, number>,
    other: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, number> => {
    const all = new Map(one);
    for (const [what, times] of other) all.set(what, (all.get(what) ?? 0) + times);
    return all;
  };
  const known = new Set((a.reached ?? []).map(([entry]) => entry));
  const more = (b.reached ?? []).filter(([entry]) => !known.has(entry));
  return {
    tally,
    reasons: sum(a.reasons, b.reasons),
    unmodelled: sum(a.unmodelled, b.unmodelled),
    verdicts: sum(a.verdicts, b.verdicts),
    harmless: sum(a.harmless ?? new Map(), b.harmless ?? new Map()),
    found: [...a.found, ...b.found],
    reached: [...(a.reached ?? []), ...more.map(([entry, place]) => [entry, place + distance] as const)],
    code: [...(a.code ?? []), ...(b.code ?? [])],
  };
}
