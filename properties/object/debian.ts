/** The BPF objects of Debian's packages, as `scripts/fetch-objects.sh` leaves them: files, and those built into programs. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

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

/** All of them, by name. */
export function debianObjects(): DebianObject[] {
  if (noDebianObjects !== undefined) return [];
  return readdirSync(CACHE)
    .toSorted()
    .flatMap((from) =>
      readdirSync(new URL(`${from}/`, CACHE))
        .toSorted()
        .flatMap((file) => {
          const bytes = readFileSync(new URL(`${from}/${file}`, CACHE));
          return objectStarts(bytes).map((start) => ({
            package: from,
            name: `${from}/${file}${start === 0 ? "" : `@${start}`}`,
            bytes: bytes.subarray(start, start + objectSize(bytes, start)),
          }));
        }),
    );
}

/** Magic, 64-bit, little-endian, version 1. */
const IDENT = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
const RELOCATABLE_BPF = Buffer.from([1, 0, 247, 0]);

function objectStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf(IDENT); at >= 0; at = bytes.indexOf(IDENT, at + 1)) {
    if (bytes.subarray(at + 16, at + 20).equals(RELOCATABLE_BPF)) starts.push(at);
  }
  return starts;
}

/** Compilers and linkers put the section headers last. */
function objectSize(bytes: Buffer, start: number): number {
  return Number(bytes.readBigUInt64LE(start + 40)) + bytes.readUInt16LE(start + 60) * 64;
}
