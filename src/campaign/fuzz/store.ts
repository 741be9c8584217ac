/**
 * Where a campaign keeps what it has found and how far it has come: a directory that holds at any moment what a campaign needs to go on. Files are written
 * beside their place and moved there, so that a campaign that is killed leaves the old ones or the new ones.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../semantics/errors.ts";
import type { CodeCoverage } from "./code-coverage.ts";
import type { Kept } from "./corpus.ts";
import { ORACLE_NAMES } from "./oracle-names.ts";
import { type Stats, statsSchema } from "./stats.ts";

const count = z.number().int().nonnegative();

const findingSchema = z.strictObject({
  key: z.string(),
  oracle: z.enum(ORACLE_NAMES),
  message: z.string(),
  insn: z.number().int().optional(),
  /** The program that showed it first, and the input's seed. */
  seed: z.number().int(),
  /** The bundle beside this file. */
  program: z.string(),
  instructions: count,
  version: z.string(),
  replay: z.string(),
  /** Whose verifier it was, if not ours. */
  target: z.string().optional(),
  /** Of a kernel: what the run was given, in hexadecimal digits; the bundle of a program that goes on to memory that is not there; its last words. */
  packet: z.string().optional(),
  value: z.string().optional(),
  hole: z.string().optional(),
  console: z.string().optional(),
});

export type Finding = z.infer<typeof findingSchema>;

const step = z.strictObject({ kind: count, a: count, b: count, c: count });
const steps = z.array(step);
const keptSchema: z.ZodType<Kept> = z.strictObject({
  seed: z.number().int(),
  recipe: z.strictObject({ shape: count, main: steps, callee: steps, callback: steps }),
  entries: z.array(count),
});

const codeSchema: z.ZodType<CodeCoverage> = z.array(
  z.strictObject({ file: z.string(), ran: z.array(count), blocks: z.array(count) }),
);

export class Store {
  readonly directory: string;

  /** @throws InputError where the directory cannot be made, or holds something else */
  constructor(directory: string) {
    this.directory = directory;
    try {
      mkdirSync(join(directory, "findings"), { recursive: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InputError(`${directory}: cannot be made: ${reason}`, { cause: error });
    }
  }

  /** How far an earlier campaign came, if there was one. */
  stats(): Stats | undefined {
    return this.#read("stats.json", statsSchema);
  }

  /** All findings so far, in the order of their names. */
  findings(): readonly Finding[] {
    return readdirSync(join(this.directory, "findings"))
      .filter((name) => name.endsWith(".finding.json"))
      .sort()
      .flatMap((name) => this.#read(join("findings", name), findingSchema) ?? []);
  }

  /** Recipes that were kept, in their order. A line that a kill has cut off is none. */
  corpus(): readonly Kept[] {
    const path = join(this.directory, CORPUS);
    if (!existsSync(path)) return [];
    const text = readFileSync(path, "utf8");
    if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n");
    const lines = text.split("\n").slice(0, -1);
    return lines.flatMap((line) => {
      try {
        return keptSchema.safeParse(JSON.parse(line)).data ?? [];
      } catch {
        return [];
      }
    });
  }

  keep(kept: Kept): void {
    appendFileSync(join(this.directory, CORPUS), `${JSON.stringify(kept)}\n`);
  }

  /** The code that ran. */
  code(): CodeCoverage {
    return this.#read("code.json", codeSchema) ?? [];
  }

  saveCode(code: CodeCoverage): void {
    this.#write("code.json", JSON.stringify(code));
  }

  #read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const path = join(this.directory, name);
    if (!existsSync(path)) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(readFileSync(path, "utf8"));
    } catch (error) {
      throw new InputError(`${path}: is not JSON`, { cause: error });
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new InputError(`${path}: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
  }

  #write(name: string, text: string): void {
    const path = join(this.directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  saveStats(stats: Stats): void {
    this.#write("stats.json", `${JSON.stringify(stats, undefined, 2)}\n`);
  }

  saveFinding(finding: Finding, bundle: string, hole?: string): void {
    this.#write(join("findings", finding.program), bundle);
    if (finding.hole !== undefined && hole !== undefined) this.#write(join("findings", finding.hole), hole);
    this.#write(join("findings", findingName(finding.program)), `${JSON.stringify(finding, undefined, 2)}\n`);
  }
}

const CORPUS = "corpus.ndjson";

/** What is told of a finding stands beside its bundle. */
export const findingName = (program: string): string => program.replace(/\.prog\.json$/, ".finding.json");

/** The text of a `.finding.json`. @throws InputError  where it is none */
export function readFinding(text: string): Finding {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError("is not JSON", { cause: error });
  }
  const parsed = findingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(z.prettifyError(parsed.error).replaceAll("\n", " "));
}

/** The name of a finding's bundle: what can stand in a file's name of its key, and of the program's seed. */
export const bundleName = (key: string, seed: number): string =>
  `${key
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 80)
    .replace(/^-|-$/g, "")}-${seed}.prog.json`;
