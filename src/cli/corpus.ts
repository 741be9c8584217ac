/** The corpus that comes with the package, wherever the package is and whatever the working directory. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type CorpusKnowledge,
  type Difference,
  NO_KNOWLEDGE,
  readKnowledge,
} from "../campaign/expectations.ts";
import { InputError } from "../semantics/errors.ts";

export const CORPUS_DIRECTORY = fileURLToPath(new URL("../../corpus", import.meta.url));

/** The profile of the kernel on which the corpus' expectations were confirmed. */
export const CORPUS_PROFILE = "linux-6.18";

/** A path as one would type it here. */
function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith(`..${sep}`) ? path : short;
}

/** The corpus' programs: objects first, then bundles, each in the order of their names. */
export function corpusFiles(): readonly string[] {
  if (!existsSync(CORPUS_DIRECTORY))
    throw new InputError(`${CORPUS_DIRECTORY}: the bundled corpus is not there`);
  const all = readdirSync(CORPUS_DIRECTORY, { recursive: true, encoding: "utf8" }).sort();
  const objects = all.filter((name) => name.endsWith(".o"));
  const bundles = all.filter((name) => name.endsWith(".prog.json"));
  return [...objects, ...bundles].map((name) => fromHere(join(CORPUS_DIRECTORY, name)));
}

/** Whether a file is one of the corpus. */
export function inCorpus(file: string): boolean {
  const inside = relative(CORPUS_DIRECTORY, resolve(file));
  return !inside.startsWith("..") && !isAbsolute(inside);
}

/** The differences to kernels that are explained, of the corpus' programs and others. */
export function knownDifferences(): readonly Difference[] {
  const [expectations, differences] = [
    join(CORPUS_DIRECTORY, "expectations.json"),
    join(CORPUS_DIRECTORY, "differences.json"),
  ];
  if (!existsSync(expectations) || !existsSync(differences)) return [];
  return readKnowledge(readFileSync(expectations, "utf8"), readFileSync(differences, "utf8")).differences;
}

/** What is expected of the corpus' programs; nothing is known of files from elsewhere. */
export function knowledgeOf(files: readonly string[]): CorpusKnowledge {
  const own = files.every(inCorpus);
  const [expectations, differences] = ["expectations.json", "differences.json"].map((name) =>
    join(CORPUS_DIRECTORY, name),
  );
  if (!own || expectations === undefined || differences === undefined) return NO_KNOWLEDGE;
  if (!existsSync(expectations) || !existsSync(differences)) return NO_KNOWLEDGE;
  return readKnowledge(readFileSync(expectations, "utf8"), readFileSync(differences, "utf8"));
}
