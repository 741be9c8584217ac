/** The command line as a user meets it: in a process of its own, as it was built if SOUNDCHECK_TEST_BUILT says so (`npm test` builds it first), else from source. */
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sent once the process says something on standard error. */
  readonly signal?: NodeJS.Signals;
}

/** What stands before the arguments when a shell runs soundcheck. */
export const COMMAND: readonly string[] =
  process.env["SOUNDCHECK_TEST_BUILT"] === undefined
    ? [process.execPath, "--import", import.meta.resolve("tsx"), join(ROOT, "src/cli/main.ts")]
    : [process.execPath, join(ROOT, "dist/cli/main.js")];

/** A process, from its start to its end. */
export function execute(
  words: readonly string[],
  { input, cwd = ROOT, env, signal }: Surroundings = {},
): Promise<Ended> {
  const [program = "", ...args] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: "", ...env } });
    const streams = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        streams[name] += text;
        if (signal !== undefined && name === "stderr") child.kill(signal);
      });
    }
    child.on("error", reject);
    child.on("close", (status, ended) => resolve({ status, signal: ended, ...streams }));
    child.stdin.on("error", () => undefined).end(input);
  });
}

export function soundcheck(args: readonly string[], surroundings?: Surroundings): Promise<Ended> {
  return execute([...COMMAND, ...args], surroundings);
}

/** The JSON values on standard output, one a line. */
export function jsonLines({ stdout }: Ended): readonly unknown[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

/** A new directory with the given files. */
export function directory(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "soundcheck-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

export const object = (name: string): string => join(ROOT, "corpus/objects", name);
