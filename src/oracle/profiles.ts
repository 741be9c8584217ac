/** The profiles that come with the package (`profiles/`), and others that users name. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseJson } from "../object/json.ts";
import { InputError, inFile } from "../semantics/errors.ts";
import { isPackaged } from "../semantics/profile/packaged.ts";
import type { Profile } from "../semantics/profile/profile.ts";
import { parseProfile } from "../semantics/profile/schema.ts";

const FOLDER = fileURLToPath(new URL("../../profiles", import.meta.url));
const FILE = /^(linux-(\d+)\.(\d+))\.json$/;

interface Stored {
  readonly name: string;
  readonly version: readonly [major: number, minor: number];
}

/** Oldest first. */
function stored(): readonly Stored[] {
  return readdirSync(FOLDER)
    .flatMap((file): Stored[] => {
      const [, name, major, minor] = FILE.exec(file) ?? [];
      return name === undefined ? [] : [{ name, version: [Number(major), Number(minor)] }];
    })
    .sort((a, b) => compare(a.version, b.version));
}

const compare = (a: Stored["version"], b: Stored["version"]): number => a[0] - b[0] || a[1] - b[1];

/** The names of the profiles that come with the package, oldest first: `linux-6.18`. */
export function profileNames(): readonly string[] {
  return stored().map(({ name }) => name);
}

const known = new Map<string, Profile>();

/**
 * The profile of a name (`linux-6.18`, or `6.18`), or in a file.
 * @throws InputError of one line: no such profile, or not a profile
 */
export function readProfile(nameOrFile: string): Profile {
  const name = profileNames().find((each) => each === nameOrFile || each === `linux-${nameOrFile}`);
  if (name === undefined && !existsSync(nameOrFile)) {
    throw new InputError(`there is no profile ${nameOrFile}: ${profileNames().join(", ")}, or a file`);
  }
  const file = name === undefined ? nameOrFile : join(FOLDER, `${name}.json`);
  let profile = known.get(file);
  if (profile === undefined) {
    profile = inFile(nameOrFile, () => {
      const value = parseJson(readText(file));
      return name !== undefined && isPackaged(value) ? value : parseProfile(value);
    });
    known.set(file, profile);
  }
  return profile;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new InputError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The profile of the kernel of a release (`6.18.44`), or of the newest before it; of the oldest there is, for a kernel before them all. */
export function profileOfRelease(release: string): Profile {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  const all = stored();
  const found = all.findLast(({ version }) => compare(version, [major, minor]) <= 0) ?? all[0];
  if (found === undefined) throw new Error(`no profiles in ${FOLDER}`);
  return readProfile(found.name);
}
