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

const CORPUS = fileURLToPath(new URL("../../corpus", import.meta.url));

/** The profile of the kernel on which the corpus' expectations were confirmed. */
export const CORPUS_PROFILE = "linux-6.18";

/** A path as one would type it here. */
function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith(`..${sep}`) ? path : short;
}

/** The corpus' programs: objects first, then bundles, each in the order of their names. */
export function corpusFiles(): readonly string[] {
  if (!existsSync(CORPUS)) throw new InputError(`${CORPUS}: the bundled corpus is not there`);
  const all = readdirSync(CORPUS, { recursive: true, encoding: "utf8" }).sort();
  const objects = all.filter((name) => name.endsWith(".o"));
  const bundles = all.filter((name) => name.endsWith(".prog.json"));
  return [...objects, ...bundles].map((name) => fromHere(join(CORPUS, name)));
}

/** Whether a file is one of the corpus. */
export function inCorpus(file: string): boolean {
  const inside = relative(CORPUS, resolve(file));
  return !inside.startsWith("..") && !isAbsolute(inside);
}

/** The differences to kernels that are explained, of the corpus' programs and others. */
export function knownDifferences(): readonly Difference[] {
  const [expectations, differences] = [join(CORPUS, "expectations.json"), join(CORPUS, "differences.json")];
  if (!existsSync(expectations) || !existsSync(differences)) return [];
  return readKnowledge(readFileSync(expectations, "utf8"), readFileSync(differences, "utf8")).differences;
}

/** What is expected of the corpus' programs; nothing is known of files from elsewhere. */
export function knowledgeOf(files: readonly string[]): CorpusKnowledge {
  const own = files.every(inCorpus);
  const [expectations, differences] = ["expectations.json", "differences.json"].map((name) =>
    join(CORPUS, name),
  );
  if (!own || expectations === undefined || differences === undefined) return NO_KNOWLEDGE;
  if (!existsSync(expectations) || !existsSync(differences)) return NO_KNOWLEDGE;
  return readKnowledge(readFileSync(expectations, "utf8"), readFileSync(differences, "utf8"));
}
