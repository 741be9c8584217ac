/** Helpers on texts: numbers in them, and their order. Characters are bytes. */

import { EINVAL, ERANGE } from "../errno.ts";
import type { Call } from "./call.ts";
import type { HelperTable } from "./helper.ts";

/** What the kernel's table of characters calls white space. */
const SPACES: ReadonlySet<number> = new Set([9, 10, 11, 12, 13, 32, 160]);
const MINUS = 0x2d;
/** At most as many characters are looked at from the first digit on. */
const DIGITS_MOST = 63;
const BASES: ReadonlySet<bigint> = new Set([0n, 8n, 10n, 16n]);

interface Parsed {
  readonly negative: boolean;
  /** Without its sign. */
  readonly magnitude: bigint;
  /** From the text's beginning on. */
  readonly consumed: number;
}

/** The digits at the beginning of a text, after the prefix that says the base: 0x or 0. */
function digitsOf(
  text: string,
  base: number,
): { readonly base: number; readonly prefix: number; readonly digits: string } {
  const hexadecimal = /^0x[0-9a-f]/i.test(text);
  const found = base !== 0 ? base : hexadecimal ? 16 : text.startsWith("0") ? 8 : 10;
  const prefix = found === 16 && /^0x/i.test(text) ? 2 : 0;
  const allowed = found === 16 ? /^[0-9a-f]*/i : found === 10 ? /^[0-9]*/ : /^[0-7]*/;
  return { base: found, prefix, digits: allowed.exec(text.slice(prefix))?.[0] ?? "" };
}

const PREFIXES: Readonly<Record<number, string>> = { 16: "0x", 8: "0o", 10: "" };

/** A number at the beginning of a text; or a negative error number. */
function parseNumber(text: Uint8Array, flags: bigint): Parsed | number {
  if (!BASES.has(flags)) return EINVAL;
  let at = text.findIndex((byte) => !SPACES.has(byte));
  if (at === -1) return EINVAL;
  const negative = text[at] === MINUS;
  if (negative) at += 1;
  if (at === text.length) return EINVAL;
  const rest = String.fromCharCode(...text.subarray(at, at + DIGITS_MOST));
  const { base, prefix, digits } = digitsOf(rest, Number(flags));
  if (digits === "") return EINVAL;
  const magnitude = BigInt(`${PREFIXES[base] ?? ""}${digits}`);
  if (magnitude >= 1n << 64n) return ERANGE;
  return { negative, magnitude, consumed: at + prefix + digits.length };
}

/** strtol and strtoul: the number goes to the fourth argument, which is 0 after an error. */
function convert(call: Call, signed: boolean): number {
  const text = call.read(1, call.size(2, "buf_len"), "buf");
  const flags = call.u64(3, "flags");
  const parsed = parseNumber(text, flags);
  const out = call.write(4, 8, "res");
  out.fill(0);
  if (typeof parsed === "number") return parsed;
  const { negative, magnitude, consumed } = parsed;
  if (negative && !signed) return EINVAL;
  const value = negative ? -magnitude : magnitude;
  if (signed && BigInt.asIntN(64, value) !== value) return ERANGE;
  new DataView(out.buffer, out.byteOffset, 8).setBigUint64(0, BigInt.asUintN(64, value), true);
  return consumed;
}

/** The order of the first text, of which at most `s1_sz` bytes count, and a constant one. */
function compare(call: Call): number {
  const first = call.read(1, call.size(2, "s1_sz"), "s1");
  const second = call.text(3, "s2");
  for (const [i, a] of first.entries()) {
    const b = second[i] ?? 0;
    if (a !== b) return a < b ? -1 : 1;
    if (a === 0) return 0;
  }
  return 0;
}

export const STRING_HELPERS: HelperTable = {
  strtol: (call) => convert(call, true),
  strtoul: (call) => convert(call, false),
  strncmp: compare,
};
