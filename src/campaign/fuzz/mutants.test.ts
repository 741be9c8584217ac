/** Mutants of the corpus as programs of campaigns: a share of the seeds, the same each time, mostly mended. */
import { expect, test } from "vitest";
import { encode } from "../../semantics/isa/codec.ts";
import { DEFAULT_RULES } from "../../semantics/profile/rules.ts";
import { isMutant, mutantOf } from "./mutants.ts";
import { oraclesFor } from "./oracle-names.ts";
import { programOfCampaign } from "./programs.ts";
import work from "./worker.ts";

test("a share of the seeds has one, and the same one each time", () => {
  const seeds = Array.from({ length: 1000 }, (_, i) => 1 + i);
  const some = seeds.filter((seed) => isMutant(seed, 20));
  expect(some.length).toBeGreaterThan(150);
  expect(some.length).toBeLessThan(250);
  expect(seeds.filter((seed) => isMutant(seed, 0))).toEqual([]);
  for (const seed of some.slice(0, 5)) {
    const [one, other] = [mutantOf(seed, 20, DEFAULT_RULES), mutantOf(seed, 20, DEFAULT_RULES)];
    if (one === undefined || other === undefined) throw new Error(`seed ${seed} has no mutant`);
    expect(encode(one.insns)).toEqual(encode(other.insns));
  }
});

test("campaigns cross-check them, and most are accepted once they are mended", async () => {
  const settings = { runs: 1, oracles: oraclesFor("ours", [], []), mutants: 100 };
  const answer = await work({ kind: "batch", first: 1, count: 30, settings });
  if (!("tally" in answer)) throw new Error("a batch is answered by its sums");
  expect(answer.tally).toMatchObject({ programs: 30, mutated: 0 });
  expect(answer.tally.spliced).toBeGreaterThan(27);
  expect(answer.tally.accepted).toBeGreaterThan(22);
  expect(answer.found).toEqual([]);
  expect(programOfCampaign(1, undefined, settings).recipe).toBeUndefined();
});
