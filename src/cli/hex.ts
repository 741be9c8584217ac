/** Bytes as hexadecimal digits. */
import { InputError } from "../semantics/errors.ts";

/** Digits of either case, with white space anywhere and `0x` in front allowed. @param place what the text is, for errors */
export function parseHex(place: string, text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "").replace(/^0x/i, "");
  const wrong = /[^0-9a-fA-F]/u.exec(digits)?.[0];
  if (wrong !== undefined) throw new InputError(`${place}: ${JSON.stringify(wrong)} is not a hex digit`);
  if (digits.length % 2 !== 0)
    throw new InputError(`${place}: ${digits.length} hex digits are not whole bytes`);
  return new Uint8Array(Buffer.from(digits, "hex"));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** As `xxd` prints: offset, 16 bytes, and the characters that they are in ASCII. */
export function hexDump(bytes: Uint8Array, indent = ""): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
    const pairs = Array.from({ length: 8 }, (_, i) => (digits[2 * i] ?? "  ") + (digits[2 * i + 1] ?? "  "));
    const text = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join(
      "",
    );
    lines.push(`${indent}${at.toString(16).padStart(4, "0")}: ${pairs.join(" ")}  ${text}\n`);
  }
  return lines.join("");
}
