/** `soundcheck corpus reduce`: makes a program smaller that goes on showing something. */
import { existsSync, writeFileSync } from "node:fs";
import { reduceProgram } from "../campaign/fuzz/reduce.ts";
import { readFinding } from "../campaign/regression/causes.ts";
import { propertyOf } from "../campaign/regression/property.ts";
import { PROPERTIES } from "../campaign/regression/property-names.ts";
import { writeBundle } from "../object/bundle-write.ts";
import { InputError } from "../semantics/errors.ts";
import { chosen, readBytes, readProgramFile } from "./files.ts";
import { rules } from "./rules.ts";
import { STATUS, type Status } from "./status.ts";
import { note, out, outJson, printable } from "./terminal.ts";

export interface CorpusReduceOptions {
  readonly json?: true;
  readonly while?: string;
  readonly program?: string;
  readonly output?: string;
  readonly runs: number;
  readonly seed?: number;
}

/** What is asked for, or what the finding was whose file is beside the bundle. */
async function wantedOf(
  file: string,
  { while: words, seed }: CorpusReduceOptions,
): Promise<{ readonly words: string; readonly seed: number }> {
  const beside = file.replace(/(\.prog)?\.json$/, ".finding.json");
  if (beside !== file && existsSync(beside)) {
    const finding = readFinding(beside, Buffer.from(await readBytes(beside)).toString("utf8"));
    return { words: words ?? `finding:${finding.key}`, seed: seed ?? finding.seed ?? 1 };
  }
  if (words === undefined) throw new InputError(`${file}: has no finding beside it: --while ${PROPERTIES}`);
  return { words, seed: seed ?? 1 };
}

export async function corpusReduce(file: string, options: CorpusReduceOptions): Promise<Status> {
  const { json, output, runs } = options;
  const { words, seed } = await wantedOf(file, options);
  const shows = propertyOf(words, { rules: rules(), seed, runs });
  const { programs } = await readProgramFile(file);
  const [program, ...others] = chosen(file, programs, options.program);
  if (program === undefined || others.length > 0) {
    throw new InputError(`${file}: has ${programs.length} programs: say which with --program`);
  }
  if (!shows(program)) throw new InputError(`${file}: ${program.name} does not show ${words}`);
  const reduced = reduceProgram(program, shows);
  const bundle = writeBundle({ program: reduced });
  const sizes = { before: program.insns.length, after: reduced.insns.length };
  if (output !== undefined) {
    try {
      writeFileSync(output, bundle);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InputError(`${output}: cannot be written: ${reason}`, { cause: error });
    }
  }
  note(printable(`${sizes.before} instructions, ${sizes.after} left that show ${words}`));
  if (json === true) outJson({ file, ...sizes, property: words, output: output ?? null });
  else if (output === undefined) out(bundle);
  return STATUS.held;
}
