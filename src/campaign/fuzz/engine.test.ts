/** The engine with a crew of its own process: what counts, in which order, and what happens when jobs fail. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { BatchResult, Job, JobAnswer } from "./batch.ts";
import type { Crew } from "./crew.ts";
import { type CampaignOptions, campaign } from "./engine.ts";
import { ORACLE_NAMES } from "./oracle-names.ts";
import { newTally } from "./stats.ts";
import { Store } from "./store.ts";
import work from "./worker.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function newStore(): Store {
  const directory = mkdtempSync(join(tmpdir(), "soundcheck-engine-"));
  directories.push(directory);
  return new Store(directory);
}

const crewOf = (width: number, run: (job: Job) => Promise<JobAnswer | undefined>): Crew => ({
  width,
  run,
  close: () => Promise.resolve(),
});

const options = (store: Store, crew: Crew, programs: number): CampaignOptions => ({
  seed: 1,
  workers: 1,
  crew,
  seconds: 600,
  programs,
  runs: 0,
  oracles: ORACLE_NAMES,
  store,
  version: "test",
  now: () => performance.now(),
});

const never = new AbortController().signal;

/** An answer without verifying anything: every range reaches something of its own. */
const quick = (job: Job): BatchResult => {
  if (job.kind !== "batch") throw new Error("nothing is found, so nothing is asked for but batches");
  return {
    tally: { ...newTally(), programs: job.count },
    reasons: new Map(),
    unmodelled: new Map(),
    verdicts: new Map(),
    found: [],
    reached: [[job.first, 3]],
  };
};

describe("a campaign", () => {
  test("makes the same programs whatever the order in which answers come", async () => {
    const kept: string[] = [];
    for (const [width, delays] of [
      [1, [0]],
      [7, [5, 0, 2, 9, 1]],
    ] as const) {
      const asked: Job[] = [];
      const store = newStore();
      const crew = crewOf(width, async (job) => {
        if (job.kind !== "batch") return undefined;
        asked.push(job);
        const delay = delays[asked.length % delays.length] ?? 0;
        await new Promise((resolve) => setTimeout(resolve, delay));
        return quick(job);
      });
      const { stats } = await campaign(options(store, crew, 4000), never);
      expect(stats).toMatchObject({ next: 4001, tally: { programs: 4000 }, coverage: { semantic: 80 } });
      const jobs = asked.sort((a, b) => Number("first" in a && a.first) - Number("first" in b && b.first));
      expect(jobs.some((job) => job.kind === "batch" && (job.plan?.parents.length ?? 0) > 0)).toBe(true);
      kept.push(JSON.stringify(jobs), readFileSync(join(store.directory, "corpus.ndjson"), "utf8"));
    }
    expect(kept.slice(2)).toEqual(kept.slice(0, 2));
  });

  test("names the program whose jobs fail, and goes on with the others", async () => {
    const crew = crewOf(2, (job) => {
      if (job.kind === "batch" && job.first <= 77 && job.first + job.count > 77)
        return Promise.reject(new Error("a process that did a batch ended by SIGSEGV"));
      return Promise.resolve(quick(job));
    });
    const { stats, findings } = await campaign(options(newStore(), crew, 200), never);
    expect(stats).toMatchObject({ next: 201, tally: { programs: 200 } });
    expect(findings).toMatchObject([
      { key: "broken: a process that did a batch ended by SIGSEGV", oracle: "broken", seed: 77 },
    ]);
  });

  test("keeps a finding whose reduction fails as it is, and that failure too", async () => {
    const violation = { oracle: "fault", message: "an accepted program faults: it does" } as const;
    const crew = crewOf(2, (job) => {
      if (job.kind === "reduce") return Promise.reject(new Error("no way"));
      const found = [{ key: "fault: it does", seed: 5, violation }];
      return Promise.resolve(job.kind === "batch" && job.first === 1 ? { ...quick(job), found } : quick(job));
    });
    const store = newStore();
    const { findings } = await campaign(options(store, crew, 100), never);
    expect(findings.map(({ key }) => key)).toEqual(["fault: it does", "broken: a reduction fails: no way"]);
    expect(store.findings()).toHaveLength(2);
    for (const { program } of findings) {
      const bundle: unknown = JSON.parse(readFileSync(join(store.directory, "findings", program), "utf8"));
      expect(bundle).toMatchObject({ name: "found with seed 5" });
    }
  });

  test("that is over does not wait for jobs that nobody does", async () => {
    let asked = 0;
    const crew = crewOf(3, (job) => Promise.resolve((asked += 1) > 20 ? undefined : quick(job)));
    const store = newStore();
    const { stats } = await campaign(options(store, crew, 100_000), never);
    expect(stats.tally.programs).toBe(stats.next - 1);
    expect(stats.next).toBeLessThan(50 * 20 + 2);
    const rest = await campaign(
      options(
        store,
        crewOf(3, (job) => Promise.resolve(quick(job))),
        2000,
      ),
      never,
    );
    expect(rest.stats).toMatchObject({ next: 2001, sessions: 2, tally: { programs: 2000 } });
  });

  test("guided by what real programs reach", async () => {
    const crew = crewOf(2, work);
    const { stats, findings } = await campaign(
      { ...options(newStore(), crew, 250), guidance: "code" },
      never,
    );
    expect(findings).toEqual([]);
    expect(stats.coverage.semantic).toBeGreaterThan(500);
    expect(stats.corpus.size).toBeGreaterThan(50);
    expect(stats.tally.accepted).toBeGreaterThan(150);
  });
});
