/** The entries of a corpus that a command is about: the bundled corpus, or a directory; all, or those that match some patterns. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../semantics/errors.ts";
import { corpusFiles } from "./corpus.ts";

/** What a user means by `xdp*` or `regression/`: a part of a name, with * for anything. */
export function matcher(patterns: readonly string[]): (...names: readonly string[]) => boolean {
  const tests = patterns.map(
    (pattern) =>
      new RegExp(
        pattern
          .split("*")
          .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"))
          .join(".*"),
      ),
  );
  return (...names) => tests.length === 0 || tests.some((test) => names.some((name) => test.test(name)));
}

/** The bundles and objects of a directory, or of the bundled corpus. */
export function entryFiles(directory: string | undefined): readonly string[] {
  if (directory === undefined) return corpusFiles();
  if (!existsSync(directory)) throw new InputError(`${directory}: no such directory`);
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".prog.json") || name.endsWith(".o"))
    .sort()
    .map((name) => join(directory, name));
}
