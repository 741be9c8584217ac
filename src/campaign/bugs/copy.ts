/** Copies of the code with a bug in them: a directory of its own for each, with the code patched and everything else linked. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../semantics/errors.ts";
import type { Edit } from "./bug.ts";

/** Where code is, and in which form: as built (`dist`, js) or as written (`src`, ts). */
export interface Code {
  /** The package's directory. */
  readonly home: string;
  /** The directory of the code in it. */
  readonly folder: string;
  readonly ending: ".js" | ".ts";
}

/** The code that this process runs. */
export function ownCode(): Code {
  const file = fileURLToPath(import.meta.url);
  const code = dirname(dirname(dirname(file)));
  return { home: dirname(code), folder: basename(code), ending: extname(file) === ".ts" ? ".ts" : ".js" };
}

/** The file of a module. */
export const fileOf = ({ home, folder, ending }: Code, module: string): string =>
  join(home, folder, `${module}${ending}`);

const escaped = (word: string): string => word.replaceAll(/[\\^$.|?*+()[\]{}]/g, "\\$&");

/**
 * A text with an edit made. White space in what is looked for stands for any white space: what is one line in the source may be two as built.
 *
 * @throws InputError  if its place is not there, or is not one
 */
export function edited(text: string, { file, find, replace }: Edit): string {
  const pattern = new RegExp(find.split(/\s+/).map(escaped).join("\\s+"), "g");
  const places = [...text.matchAll(pattern)];
  const [place] = places;
  if (place === undefined || places.length !== 1)
    throw new InputError(`${file}: "${find}" is there ${places.length} times, not once`);
  return `${text.slice(0, place.index)}${replace}${text.slice(place.index + place[0].length)}`;
}

/**
 * The modules that a module is made of: itself, those that it imports, those that these import, and so on.
 *
 * @param which  whether those count that are loaded when they are wanted
 */
export function modulesOf(code: Code, module: string, which: "all" | "static" = "all"): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [module];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const text = readFileSync(fileOf(code, next), "utf8");
    for (const [, later, path = ""] of text.matchAll(/(?:from|import)\s*(\(?)\s*"(\.[^"]*)\.[jt]s"/g))
      if (which === "all" || later === "") waiting.push(posix.join(posix.dirname(next), path));
  }
  return seen;
}

/** The directory in which packages are looked for first from a directory on. */
function nearestModules(directory: string): string | undefined {
  const found = join(directory, "node_modules");
  if (existsSync(found)) return found;
  const above = dirname(directory);
  return above === directory ? undefined : nearestModules(above);
}

/** Makes a copy with the edits made. `remove` deletes it. @throws InputError as `edited` */
export function patchedCopy(
  code: Code,
  edits: readonly Edit[],
): { readonly code: Code; readonly remove: () => void } {
  const home = mkdtempSync(join(tmpdir(), "soundcheck-bug-"));
  const remove = (): void => {
    rmSync(home, { recursive: true, force: true });
  };
  const copy: Code = { ...code, home };
  try {
    cpSync(join(code.home, code.folder), join(home, code.folder), { recursive: true });
    for (const name of readdirSync(code.home)) {
      if (name !== code.folder && !name.startsWith(".")) symlinkSync(join(code.home, name), join(home, name));
    }
    // Of a package that is installed the others are beside it.
    const modules = nearestModules(code.home);
    const place = join(home, "node_modules");
    if (modules !== undefined && !existsSync(place)) symlinkSync(modules, place);
    for (const each of edits) {
      const file = fileOf(copy, each.file);
      writeFileSync(file, edited(readFileSync(file, "utf8"), each));
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { code: copy, remove };
}
