/** Standard output is for data, standard error for people. Both are written here, and only here is it known whether they are terminals. */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Puts text in a style if the stream that it is meant for shows styles. */
export type Paint = (style: Style, text: string) => string;

/** NO_COLOR (no-color.org) counts when it is not empty. */
function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  const wanted = (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
  if (stream.isTTY !== true || !wanted) return (_, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** For text on standard output. */
export const paint: Paint = paintFor(process.stdout);
/** For text on standard error. */
export const paintNote: Paint = paintFor(process.stderr);

/** Whether a line on standard error can be redrawn. */
export function canRedraw(): boolean {
  return process.stderr.isTTY && process.env["TERM"] !== "dumb";
}

/** Columns of the terminal behind standard error. */
export function noteColumns(): number {
  return process.stderr.columns ?? 100;
}

export function out(text: string): void {
  process.stdout.write(text);
}

/** One value a line, and nothing else: what `--json` means. */
export function outJson(value: object): void {
  out(`${JSON.stringify(value)}\n`);
}

export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** An error message: one line, whatever the message holds. */
export function complain(message: string): void {
  note(`${paintNote("red", "soundcheck:")} ${printable(message.replace(/\s*\n\s*/g, "; "))}`);
}

/** Text from a file, with what a terminal might obey made visible; line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Lets the process see signals and closed pipes between two pieces of work. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
