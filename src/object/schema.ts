/** Parts of the forms of JSON files that people write, and errors that name the path to what does not fit one. */
import { z } from "zod";

export const u32 = z.int().min(0).max(0xffff_ffff);

/** Bytes as hexadecimal digits; white space is ignored. */
export const hex = z.string().transform((text, context): Uint8Array => {
  const digits = text.replace(/\s+/g, "");
  const wrong = /[^0-9a-fA-F]/u.exec(digits)?.[0];
  if (wrong !== undefined) context.addIssue(`${JSON.stringify(wrong)} is not a hex digit`);
  else if (digits.length % 2 !== 0) context.addIssue(`${digits.length} hex digits are not whole bytes`);
  else return new Uint8Array(Buffer.from(digits, "hex"));
  return z.NEVER;
});

/** What does not fit first, as one line. @param whole  what the file is, for what has no path inside of it */
export function explain({ issues: [issue] }: z.ZodError, whole: string): string {
  if (issue === undefined) return `not a ${whole}`;
  const path = pathText(issue.path, whole);
  switch (issue.code) {
    case "unrecognized_keys": {
      const key = issue.keys[0] ?? "";
      return `${pathText([...issue.path, key], whole)}: unknown key`;
    }
    case "invalid_value":
      return `${path}: not one of ${issue.values.map(String).join(", ")}`;
    default:
      return `${path}: ${issue.message}`;
  }
}

/** `maps[0].type`. */
function pathText(path: readonly PropertyKey[], whole: string): string {
  const text = path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${printable(String(key))}`))
    .join("");
  return text === "" ? whole : text.replace(/^\./, "");
}

function printable(key: string): string {
  return /^\w+$/.test(key) ? key : JSON.stringify(key);
}
