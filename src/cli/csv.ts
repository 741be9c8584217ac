/** Comma-separated values as RFC 4180 has them: a record a line, quotes around what needs them. */
import { InputError } from "../semantics/errors.ts";

const cellText = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Records as lines. */
export const csvText = (records: readonly (readonly string[])[]): string =>
  records.map((record) => `${record.map(cellText).join(",")}\n`).join("");

/**
 * The records of a text. Lines that are empty are left out.
 *
 * @throws InputError  naming the line of a quote that is not closed or stands inside a plain value
 */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  let record: string[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const [cell, end] = text[at] === '"' ? quoted(text, at, line) : plain(text, at, line);
    for (let i = at; i < end; i += 1) if (text[i] === "\n") line += 1;
    record.push(cell);
    at = end;
    if (text[at] === ",") {
      at += 1;
      // A comma at the end of a record begins one more value, an empty one.
      if (at < text.length) continue;
      record.push("");
    }
    if (text[at] === "\r") at += 1;
    if (at < text.length && text[at] !== "\n")
      throw new InputError(`line ${line}: text after a closing quote`);
    at += 1;
    line += 1;
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}

function plain(text: string, from: number, line: number): readonly [string, number] {
  let end = from;
  while (end < text.length && !",\r\n".includes(text.charAt(end))) {
    if (text[end] === '"') throw new InputError(`line ${line}: a quote inside a value`);
    end += 1;
  }
  return [text.slice(from, end), end];
}

function quoted(text: string, from: number, line: number): readonly [string, number] {
  let cell = "";
  let at = from + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) throw new InputError(`line ${line}: a quote is not closed`);
    cell += text.slice(at, end);
    if (text[end + 1] !== '"') return [cell, end + 1];
    cell += '"';
    at = end + 2;
  }
}
