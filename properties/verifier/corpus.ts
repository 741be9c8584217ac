/** The programs of the corpus, for claims about all of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readBundle } from "../../src/object/bundle.ts";
import { readObject } from "../../src/object/programs.ts";
import type { Program } from "../../src/semantics/program/program.ts";

const corpus = new URL("../../corpus/", import.meta.url);

/** The verifier's cases. */
export function casePrograms(): readonly Program[] {
  const folder = new URL("verifier/", corpus);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".prog.json"))
    .map((name) => readBundle(readFileSync(new URL(name, folder), "utf8")).program);
}

/** The programs of the compiled objects of one ISA version that need no kernel's BTF. */
export function compiledPrograms(version: 1 | 2 | 3 | 4): readonly Program[] {
  const folder = new URL("objects/", corpus);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(`.v${version}.o`))
    .flatMap((name) => readObject(readFileSync(new URL(name, folder))).programs);
}
