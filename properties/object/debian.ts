/** The BPF objects of Debian's packages, as `scripts/fetch-objects.sh` leaves them: files, and those built into programs. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { embeddedObjects } from "../../src/object/embedded.ts";

const CACHE = new URL("../../.cache/debian-objects/", import.meta.url);

/** Why there are none; `undefined` if there are. */
export const noDebianObjects = existsSync(CACHE)
  ? undefined
  : "Debian's objects are not here; scripts/fetch-objects.sh fetches them";

export interface DebianObject {
  readonly package: string;
  /** `package/file`, with the position for one that is built into a program. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** All of them, by name; what several files hold stands once. */
export function debianObjects(): DebianObject[] {
  if (noDebianObjects !== undefined) return [];
  const seen = new Set<string>();
  const isNew = (bytes: Uint8Array): boolean => {
    const before = seen.size;
    return seen.add(createHash("sha256").update(bytes).digest("hex")).size > before;
  };
  return readdirSync(CACHE)
    .toSorted()
    .flatMap((from) =>
      readdirSync(new URL(`${from}/`, CACHE))
        .toSorted()
        .flatMap((file) =>
          embeddedObjects(readFileSync(new URL(`${from}/${file}`, CACHE)))
            .filter(({ bytes }) => isNew(bytes))
            .map(({ offset, bytes }) => ({
              package: from,
              name: `${from}/${file}${offset === 0 ? "" : `@${offset}`}`,
              bytes,
            })),
        ),
    );
}
