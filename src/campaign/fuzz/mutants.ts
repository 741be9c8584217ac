/** Programs of the corpus, compiled ones among them, changed and spliced and then mended where our verifier refuses them (`generate/mutate.ts`): a share of a campaign's programs. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { asLoaded } from "../../object/as-loaded.ts";
import { readPrograms } from "../../object/read.ts";
import { InputError, Unsupported } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import { mutated, repaired, wellEncoded } from "../generate/mutate.ts";
import { generator, type Random } from "../random.ts";

const CORPUS = fileURLToPath(new URL("../../../corpus", import.meta.url));
/** Bundles, and objects of one version of the instruction set. */
const FILES = /\.prog\.json$|\.v3\.o$/;

/** Instructions that a parent may take to verify: its mutants take about as many. */
const LIMIT = 5000;
const LONGEST = 300;
/** Files that are tried for a parent, and programs that parts are taken from. */
const TRIES = 12;
const DONORS = 3;
/** Tells the numbers that choose mutants from those that recipes are drawn from. */
const OTHER_SEED = 0x2545f491;

let files: readonly string[] | undefined;
/** What was read: none for a file without an accepted program that is short enough. */
const known = new Map<string, Program | undefined>();

function filesOfCorpus(): readonly string[] {
  files ??= existsSync(CORPUS)
    ? readdirSync(CORPUS, { recursive: true, encoding: "utf8" })
        .filter((name) => FILES.test(name))
        .sort()
    : [];
  return files;
}

function parentIn(file: string, rules: Rules): Program | undefined {
  if (known.has(file)) return known.get(file);
  const { programs } = readPrograms(file, readFileSync(join(CORPUS, file)), {});
  const isFit = (program: Program): boolean => {
    if (program.insns.length >= LONGEST) return false;
    try {
      return verify(program, undefined, rules, LIMIT).verdict === "accept";
    } catch (error) {
      if (error instanceof Unsupported || error instanceof InputError) return false;
      throw error;
    }
  };
  const found = programs.map(asLoaded).find(isFit);
  known.set(file, found);
  return found;
}

function parent(random: Random, rules: Rules): Program | undefined {
  const all = filesOfCorpus();
  for (let tries = 0; tries < TRIES && all.length > 0; tries += 1) {
    const found = parentIn(all[random.below(all.length)] ?? "", rules);
    if (found !== undefined) return found;
  }
  return undefined;
}

function randomOf(seed: number): Random {
  const random = generator(seed ^ OTHER_SEED);
  // Neighbouring seeds begin alike.
  for (let i = 0; i < 8; i += 1) random.below(2);
  return random;
}

/** Whether a seed is one of those that have a mutant. @param share  of a hundred seeds */
export const isMutant = (seed: number, share: number): boolean =>
  share > 0 && randomOf(seed).below(100) < share;

/**
 * The mutant of a seed, if the seed is one of those that have one: the same for the same seed, share, rules and corpus. What cannot be mended is given as it is: verifiers have to say no to it. Undefined too where nothing comes of it.
 */
export function mutantOf(seed: number, share: number, rules: Rules): Program | undefined {
  if (!isMutant(seed, share)) return undefined;
  const random = randomOf(seed);
  random.below(100);
  const of = parent(random, rules);
  if (of === undefined) return undefined;
  const donors = Array.from({ length: DONORS }, () => parent(random, rules) ?? of);
  const mutant = { ...mutated(of, donors, random), name: `seed ${seed}` };
  if (!wellEncoded(mutant)) return undefined;
  return repaired(mutant, rules) ?? mutant;
}
