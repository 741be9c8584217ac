/** Traces as text: JSON lines, an operation each. Empty lines and lines that begin with `#` are left out. */
import { type Operation, operationSchema } from "../../kernel/operation.ts";
import { InputError } from "../../semantics/errors.ts";

/** An operation with its line, from 1 on. */
export interface TraceLine {
  readonly line: number;
  readonly operation: Operation;
}

export interface Trace {
  /** What the comments at the beginning say, a line each. */
  readonly about: readonly string[];
  readonly lines: readonly TraceLine[];
}

/** @param file  its name, for errors. @throws InputError for a line that is no operation */
export function readTrace(file: string, text: string): Trace {
  const about: string[] = [];
  const lines: TraceLine[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const place = `${file}:${index + 1}`;
    if (line.startsWith("#")) {
      if (lines.length === 0) about.push(line.replace(/^# ?/, ""));
    } else if (line.trim() !== "") {
      lines.push({ line: index + 1, operation: operationOf(place, line) });
    }
  }
  return { about, lines };
}

function operationOf(place: string, line: string): Operation {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new InputError(`${place}: no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = operationSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") ?? "";
  throw new InputError(`${place}: ${path === "" ? "" : `${path}: `}${issue?.message ?? "no operation"}`);
}

/** A trace as the text of a file. */
export function writeTrace(about: readonly string[], operations: readonly Operation[]): string {
  const comments = about.map((line) => `# ${line}\n`).join("");
  return comments + operations.map((operation) => `${JSON.stringify(operation)}\n`).join("");
}
