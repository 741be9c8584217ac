/** Strings that never change, and the formats among them: what a program must have at hand when it is loaded. */
import { Unsupported } from "../../semantics/errors.ts";
import { MAP_FLAGS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { arena } from "../arena.ts";
import { isConstant, objectOf, offOf, smallConstant } from "../register.ts";
import { type Machine, mapAt, type Target } from "./machine.ts";
import { checkMapValue } from "./region.ts";
import { reject } from "./rejection.ts";

/** Map types whose values lie where they always were. */
const DIRECT: ReadonlySet<MapDefinition["type"]> = new Set(["array"]);

/** The string at a pointer into the value of a map that nobody can change: its bytes, without the zero at the end. */
export function constantString(m: Machine, target: Target): Uint8Array {
  const { number, at } = target;
  const map = mapAt(m, objectOf(at));
  if (map.frozen !== true || (map.flags & MAP_FLAGS.rdonly_prog) === 0) {
    reject("EACCES", `R${number} does not point to a readonly map'`);
  }
  if (!isConstant(at)) reject("EACCES", `R${number} is not a constant address'`);
  if (!DIRECT.has(map.type)) reject("EACCES", "no direct value access support for this map type");
  checkMapValue(m, target, Math.max(map.valueSize - offOf(at), 1), "read");
  if (map.maxEntries !== 1) reject("ENOTSUPP", "direct value access on string failed");
  if (map.data === undefined)
    throw new Unsupported(`a string in map ${map.name}, whose contents are not known`);
  const start = offOf(at) + (smallConstant(at) ?? 0);
  const end = map.data.indexOf(0, start);
  // What the file does not say of the value is zero.
  if (end < 0 && map.data.length >= map.valueSize) reject("EINVAL", "string is not zero-terminated");
  return map.data.subarray(start, end < 0 ? undefined : end);
}

/** Rejects a format that does not say how to print arguments of eight bytes, the size of which is in the register at `size`. */
export function requireFormat(format: Uint8Array, size: number): void {
  // Of a size that varies, the kernel looks at the bits that are known; when the program runs, at the number itself.
  const bytes = (arena.i32[size >> 2] ?? 0) >>> 0;
  if (bytes % 8 !== 0) reject("EINVAL", "the size of the format's arguments is no multiple of 8");
  if (!isFormat(format, bytes / 8)) reject("EINVAL", "Invalid format string");
}

/** As the kernel's tables have it: Latin-1 beyond ASCII. */
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0xa0;
const isPrinted = (byte: number): boolean => byte >= 0x20 && byte !== 0x7f;
const isPunctuation = (byte: number): boolean =>
  /^[!-/:-@[-`{-~\u{a1}-\u{bf}\u{d7}\u{f7}]$/u.test(String.fromCharCode(byte));

/** After a conversion: the end, a space or punctuation, so that no letter can be taken for a part of it. */
const isDelimiter = (byte: number | undefined): boolean =>
  byte === undefined || isSpace(byte) || isPunctuation(byte);

/**
 * The conversions that the kernel knows: numbers of 4 and 8 bytes, characters, strings of the kernel's or the user's, addresses plain or as
 * symbols, and IP addresses; with flags and a width.
 */
const CONVERSION = /^[0+\- ]*(?:[1-9][0-9]*)?(?:(l{0,2}[iduxX]|c|p[KxsSB]|p[iI][46])|(p[ku]s|s|p))/;

/** Whether the text is a format for so many arguments, or fewer. */
function isFormat(format: Uint8Array, args: number): boolean {
  if (!format.every((byte) => isPrinted(byte) || isSpace(byte))) return false;
  const text = String.fromCharCode(...format);
  let used = 0;
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at)) {
    if (text[at + 1] === "%") {
      at += 2;
      continue;
    }
    const found = CONVERSION.exec(text.slice(at + 1));
    used += 1;
    if (found === null || used > args) return false;
    at += 1 + found[0].length;
    if (found[2] !== undefined && !isDelimiter(format[at])) return false;
  }
  return true;
}
