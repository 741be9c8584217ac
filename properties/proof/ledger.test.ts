/**
 * Claim: what the ledger says is proved can be proved. Theorems that changed since are proved now, as far as time allows; of the rest some, drawn by chance, are
 * proved again, and their wrong versions refuted. `npm run prove` proves all of them.
 *
 * SOUNDCHECK_SEED draws anew; without it every change of the ledger does. SOUNDCHECK_EFFORT=10 draws ten times as many.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { generator } from "../../src/campaign/random.ts";
import { exhibitsOf, refutationsOf, wrongRefutationsOf } from "../../src/campaign/refutation.ts";
import { hashOf, type Ledger, readLedger } from "../../src/proof/ledger.ts";
import { Pool } from "../../src/proof/pool.ts";
import { Prover } from "../../src/proof/prove.ts";
import { holds, runTheorems, type TheoremReport } from "../../src/proof/run.ts";
import { FROM_SOURCE } from "../../src/proof/testing.ts";
import type { Theorem } from "../../src/proof/theorem.ts";
import { theorems } from "../../src/proof/theorems/index.ts";
import { z3Process } from "../../src/proof/z3-process.ts";
import { EFFORT } from "../scalar/settings.ts";

const FILE = new URL("../ledger.json", import.meta.url);
const text = existsSync(FILE) ? readFileSync(FILE, "utf8") : undefined;
const ledger: Ledger = text === undefined ? new Map() : readLedger(text);
const seed = Number(
  process.env["SOUNDCHECK_SEED"] ??
    createHash("sha256")
      .update(text ?? "")
      .digest()
      .readUInt32LE(0),
);

/** The sample ends with so many theorems, or with the one that makes it this long by the ledger. */
const THEOREMS = 20 * EFFORT;
const SECONDS = 20 * EFFORT;

const pool = new Pool(availableParallelism(), () => performance.now());
afterAll(() => pool.stop());
const makeZ3 = () => z3Process(FROM_SOURCE);
const prover = new Prover({ pool, solvers: { bits: [makeZ3], integers: [makeZ3] }, timeoutMs: 120_000 });

const prove = (chosen: readonly Theorem[], wrong: boolean): Promise<readonly TheoremReport[]> =>
  runTheorems(chosen, {
    pool,
    prover,
    ledger: new Map(),
    secondsBefore: ledger,
    sample: () => new Set(),
    wrong,
    progress: () => undefined,
  });

/** What does not hold, in words. */
const complaints = (reports: readonly TheoremReport[]): readonly string[] =>
  reports
    .filter((report) => !holds(report))
    .map(({ theorem, result, wrong }) => {
      const versions = wrong.map((one) => `${one.wrong.name}: ${one.outcome.kind}`);
      return [`${theorem.name}: ${result.kind}`, ...versions].join("; ");
    });

const tried = theorems().filter(({ open }) => open === undefined);
const isUnchanged = ({ name, obligations }: Theorem): boolean =>
  ledger.get(name)?.hash === hashOf(obligations());
const unchanged = tried.filter(isUnchanged);
const changed = tried.filter((theorem) => !unchanged.includes(theorem));

function drawn(): readonly Theorem[] {
  const random = generator(seed);
  const left = [...unchanged];
  const sample: Theorem[] = [];
  let seconds = 0;
  while (left.length > 0 && sample.length < THEOREMS && seconds < SECONDS) {
    const [theorem] = left.splice(random.below(left.length), 1);
    if (theorem === undefined) break;
    sample.push(theorem);
    seconds += ledger.get(theorem.name)?.seconds ?? 0;
  }
  return sample;
}

/** More than that is not for a test: then the ledger is to be made anew. */
const MOST = 100;

/** Of those that changed, as many as fit by the time that they took before: the quickest first. The others wait for `npm run prove`. */
function inTime(): readonly Theorem[] {
  const before = ({ name }: Theorem): number => ledger.get(name)?.seconds ?? SECONDS;
  let seconds = 0;
  return changed
    .toSorted((a, b) => before(a) - before(b))
    .filter((theorem) => {
      seconds += before(theorem);
      return seconds <= SECONDS;
    });
}
const proved = inTime();

const sample = drawn();
if (text === undefined) console.warn("skipped: there is no ledger; npm run prove makes one");

describe.skipIf(text === undefined)("theorems", () => {
  test(`${proved.length} of ${changed.length} that the ledger does not have as they are now`, {
    timeout: 1_800_000,
  }, async () => {
    if (changed.length > MOST)
      throw new Error(`${changed.length} theorems are not in the ledger: npm run prove`);
    expect(complaints(await prove(proved, false))).toEqual([]);
  });

  test(`${sample.length} of ${unchanged.length} others, drawn with seed ${seed}`, {
    timeout: 600_000,
  }, async () => {
    const reports = await prove(sample, true);
    expect(complaints(reports)).toEqual([]);
    const refutations = [...refutationsOf(reports), ...wrongRefutationsOf(reports)];
    expect(exhibitsOf(refutations).filter(({ confirmed }) => !confirmed)).toEqual([]);
  });
});
