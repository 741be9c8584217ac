/**
 * `soundcheck fuzz --target seeded:NAME`: the campaign's processes are made of a copy of the code with a bug in it. The catalogue of bugs is loaded for such a name alone, and the code itself is left as
 * it is.
 */
import { pathToFileURL } from "node:url";
import { BUGS } from "../campaign/bugs/catalogue/index.ts";
import { fileOf, ownCode, patchedCopy } from "../campaign/bugs/copy.ts";
import { type Crew, localCrew } from "../campaign/fuzz/crew.ts";
import { InputError } from "../semantics/errors.ts";

/** @throws InputError  for a name of no bug, and for a bug in what campaigns do not run */
export function seededCrew(name: string, workers: number): Crew {
  const bug = BUGS.find(({ id }) => id === name);
  if (bug === undefined) throw new InputError(`no bug is called ${name}; soundcheck bugs --list lists them`);
  if (bug.part === "objects")
    throw new InputError(
      `--target seeded:${name}: the bug is in what keeps objects, which campaigns do not run`,
    );
  const { code, remove } = patchedCopy(ownCode(), bug.edits);
  const crew = localCrew(workers, pathToFileURL(fileOf(code, "campaign/fuzz/worker-process")));
  // However this process ends, if it is not killed.
  process.once("exit", remove);
  return {
    ...crew,
    async close() {
      await crew.close();
      process.removeListener("exit", remove);
      remove();
    },
  };
}
