/**
 * The format language of trace_printk: a small part of the kernel's printf, checked as Linux checks it (bpf_bprintf_prepare in
 * kernel/bpf/helpers.c): at most as many conversions as there are arguments, and only those listed here.
 */
import { EINVAL } from "../errno.ts";

/** What one conversion needs: the value of an argument, and the bytes that one points to (`undefined` if unreadable). */
export interface Arguments {
  readonly value: (index: number) => bigint;
  readonly string: (index: number) => string;
  readonly bytes: (index: number, size: number) => Uint8Array | undefined;
  readonly count: number;
}

const CONVERSION =
  /%(?:%|([0+\- ]*)([1-9][0-9]*)?(p[KxsSB]|p[iI][46]|p(?=$|[\s!-/:-@[-`{-~])|s|c|(?:l|ll)?[diuxX]))/y;
// oxlint-disable-next-line eslint/no-control-regex -- the kernel allows printable characters and white space
const ALLOWED = /^[\x20-\x7e\t-\r]*$/;

function integer(value: bigint, conversion: string, flags: string): string {
  const long = conversion.startsWith("l");
  const kind = conversion.at(-1);
  const bits = long ? 64 : 32;
  if (kind === "x") return BigInt.asUintN(bits, value).toString(16);
  if (kind === "X") return BigInt.asUintN(bits, value).toString(16).toUpperCase();
  if (kind === "u") return BigInt.asUintN(bits, value).toString();
  const signed = BigInt.asIntN(bits, value);
  if (signed < 0n) return signed.toString();
  const sign = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  return `${sign}${signed}`;
}

function ipAddress(bytes: Uint8Array | undefined, version: string, leading: boolean): string {
  if (bytes === undefined) return "(efault)";
  if (version === "4")
    return [...bytes].map((b) => (leading ? String(b).padStart(3, "0") : String(b))).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => Buffer.from(bytes).toString("hex", 2 * i, 2 * i + 2));
  return groups.join(leading ? "" : ":");
}

function convert(conversion: string, flags: string, index: number, given: Arguments): string {
  if (conversion === "s") return given.string(index);
  if (conversion === "c") return String.fromCharCode(Number(given.value(index) & 0xffn));
  const version = /^p([iI])([46])$/.exec(conversion);
  if (version !== null) {
    const [, kind = "I", number = "4"] = version;
    return ipAddress(given.bytes(index, number === "4" ? 4 : 16), number, kind === "i");
  }
  if (conversion.startsWith("p")) return given.value(index).toString(16).padStart(16, "0");
  return integer(given.value(index), conversion, flags);
}

function pad(text: string, flags: string, width: number, numeric: boolean): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0") || !numeric) return text.padStart(width);
  const sign = /^[+\- ]?/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

/** The formatted text, or a negative error number for a format that Linux refuses. `format` is without its final NUL. */
export function formatPrint(format: string, given: Arguments): string | number {
  if (!ALLOWED.test(format)) return EINVAL;
  let text = "";
  let used = 0;
  for (let at = 0; at < format.length; ) {
    if (format[at] !== "%") {
      text += format[at];
      at += 1;
      continue;
    }
    CONVERSION.lastIndex = at;
    const match = CONVERSION.exec(format);
    if (match === null) return EINVAL;
    at += match[0].length;
    const [, flags = "", width = "0", conversion] = match;
    if (conversion === undefined) {
      text += "%";
      continue;
    }
    if (used >= given.count) return EINVAL;
    const numeric = !["s", "c"].includes(conversion);
    text += pad(convert(conversion, flags, used, given), flags, Number(width), numeric);
    used += 1;
  }
  return text;
}
