/** `soundcheck corpus add`: keeps a finding, or any program, as an entry of the regression corpus. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { kernelAnswer } from "../campaign/compare/answer.ts";
import { bundleName } from "../campaign/fuzz/store.ts";
import {
  type Causes,
  fingerprint,
  type KnownFinding,
  readCauses,
  readFinding,
  writeCauses,
} from "../campaign/regression/causes.ts";
import { type Bundle, type Expectation, readBundle } from "../object/bundle.ts";
import { writeBundle } from "../object/bundle-write.ts";
import type { Kernel } from "../oracle/linux/calls.ts";
import { loadProgram } from "../oracle/linux/load.ts";
import { testRun } from "../oracle/linux/test-run.ts";
import { InputError } from "../semantics/errors.ts";
import { encode } from "../semantics/isa/codec.ts";
import type { Program } from "../semantics/program/program.ts";
import { verify } from "../verifier/verify.ts";
import { CORPUS_DIRECTORY, corpusFiles } from "./corpus.ts";
import { readBytes } from "./files.ts";
import { openKernel } from "./kernels.ts";
import { rules } from "./rules.ts";
import { attempt, STATUS, type Status, worse } from "./status.ts";
import { note, out, outJson, printable } from "./terminal.ts";

export interface CorpusAddOptions {
  readonly json?: true;
  /** The directory of the entries. */
  readonly to?: string;
  /** `bundle`, or a kernel's name. */
  readonly expectFrom: string;
  readonly name?: string;
}

const FINDING = /\.finding\.json$/;

interface Given {
  readonly file: string;
  readonly bundle: Bundle;
  readonly finding: KnownFinding | undefined;
}

async function text(file: string): Promise<string> {
  return Buffer.from(await readBytes(file)).toString("utf8");
}

/** A finding's file leads to its bundle; beside a finding's bundle is its file. */
async function given(file: string): Promise<Given> {
  if (FINDING.test(file)) {
    const finding = readFinding(file, await text(file));
    const beside = join(dirname(file), finding.program ?? basename(file).replace(FINDING, ".prog.json"));
    return { file: beside, bundle: await bundleOf(beside), finding };
  }
  const beside = file.replace(/\.prog\.json$/, ".finding.json");
  const finding = beside !== file && existsSync(beside) ? readFinding(beside, await text(beside)) : undefined;
  return { file, bundle: await bundleOf(file), finding };
}

async function bundleOf(file: string): Promise<Bundle> {
  try {
    return readBundle(await text(file));
  } catch (error) {
    if (error instanceof InputError && !error.message.startsWith(file)) {
      throw new InputError(`${file}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** What the kernel says of the program, and of those of the bundle's runs that our verifier thinks safe. */
function askedOf(file: string, kernel: Kernel, { program, expect }: Bundle): Expectation {
  const answer = kernelAnswer(kernel, program, () => 0);
  if ("incomparable" in answer)
    throw new InputError(`${file}: the kernel gives no verdict: ${answer.incomparable}`);
  if (answer.verdict === "reject") {
    const last = answer.message?.trimEnd().split("\n").at(-1);
    return { verdict: "reject", ...(last === undefined ? {} : { message: last }), runs: [] };
  }
  const safe = verify(program, undefined, rules()).verdict === "accept";
  return { verdict: "accept", runs: safe ? ranIn(kernel, program, expect?.runs ?? []) : [] };
}

function ranIn(kernel: Kernel, program: Program, runs: Expectation["runs"]): Expectation["runs"] {
  if (runs.length === 0) return [];
  const loaded = loadProgram(program, { kernel });
  if (loaded.verdict !== "accept") return [];
  try {
    return runs.flatMap(({ retval: _, ...input }) => {
      const ran = testRun(loaded.fd, input, kernel);
      return ran.ran ? [{ ...input, retval: ran.retval }] : [];
    });
  } finally {
    loaded.close();
  }
}

/** The expectation, and what it is from. */
function expectationOf(
  file: string,
  bundle: Bundle,
  from: string,
): { readonly expect: Expectation; readonly source: string } {
  if (from === "bundle") {
    if (bundle.expect !== undefined) return { expect: bundle.expect, source: from };
    throw new InputError(`${file}: expects nothing: say whom to ask, such as --expect-from linux`);
  }
  const { kernel, close } = openKernel(from);
  try {
    return { expect: askedOf(file, kernel(), bundle), source: `linux ${kernel().release}` };
  } finally {
    close();
  }
}

/** Whether our verifier says what is expected: an entry that does not hold is a bug that is to be repaired. */
function problemOf(program: Program, { verdict, message = "" }: Expectation): string | undefined {
  const ours = verify(program, undefined, rules());
  if (ours.verdict !== verdict) return `the verdict is ${ours.verdict}, not ${verdict}`;
  if (ours.verdict !== "reject" || ours.message.includes(message)) return undefined;
  return `the message is ${ours.message}`;
}

/** Bundles and their texts: most have other instructions than a program and say so in digits, so few have to be read as bundles. */
type Texts = readonly (readonly [file: string, content: string, digits: string])[];

const textsOf = (files: readonly string[]): Texts =>
  files
    .filter((file) => file.endsWith(".prog.json"))
    .map((file) => {
      const content = readFileSync(file, "utf8");
      return [file, content, content.replaceAll(/\s/g, "")];
    });

/** The file that has the same program. */
function sameProgram(program: Program, texts: Texts): string | undefined {
  const print = fingerprint(program);
  const insns = Buffer.from(encode(program.insns)).toString("hex");
  return texts.find(([, content, digits]) => {
    const perhaps = digits.includes(insns) || /"(asm|kfuncs|ksyms)":/.test(digits);
    return perhaps && fingerprint(readBundle(content).program) === print;
  })?.[0];
}

function regressionFiles(directory: string): readonly string[] {
  const path = join(directory, "causes.json");
  if (!existsSync(path)) return [];
  return [...readCauses(path, readFileSync(path, "utf8")).keys()].map((name) => join(directory, name));
}

function write(path: string, content: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path}: cannot be written: ${reason}`, { cause: error });
  }
}

/** @returns `found` where the corpus has the cause or the program already */
async function addOne(
  name: string,
  directory: string,
  bundled: Texts,
  { json, expectFrom, name: wanted }: CorpusAddOptions,
): Promise<Status> {
  const { file, bundle, finding } = await given(name);
  const index = join(directory, "causes.json");
  const causes: Causes = existsSync(index) ? readCauses(index, readFileSync(index, "utf8")) : new Map();
  const cause = finding?.key ?? `program ${fingerprint(bundle.program)}`;
  const same =
    sameProgram(bundle.program, [...bundled, ...textsOf(regressionFiles(directory))]) ??
    [...causes].find(([, each]) => each.cause === cause)?.[0];
  if (same !== undefined) {
    note(printable(`${file}: is there already: ${same}`));
    if (json === true) outJson({ file, added: null, same });
    return STATUS.found;
  }
  const { expect, source } = expectationOf(file, bundle, expectFrom);
  const entry = finding === undefined ? basename(file) : bundleName(finding.key, finding.seed ?? 0);
  const target = join(directory, entry);
  if (existsSync(target)) throw new InputError(`${target}: is there already, and is something else`);
  const title = wanted ?? (finding === undefined ? bundle.program.name : `regression: ${finding.key}`);
  write(target, writeBundle({ program: { ...bundle.program, name: title }, expect }));
  const { seed, version } = finding ?? {};
  const why = {
    cause,
    expectation: source,
    ...(seed === undefined ? {} : { seed }),
    ...(version === undefined ? {} : { version }),
  };
  write(index, writeCauses(new Map([...causes, [entry, why]])));
  const problem = problemOf(bundle.program, expect);
  if (json === true)
    outJson({ file, added: target, expect: expect.verdict, from: source, problem: problem ?? null });
  else {
    const says = `${expect.verdict}${expect.message === undefined ? "" : `: ${expect.message}`}`;
    out(printable(`${target}: expected by ${source}: ${says}\n`));
    if (problem !== undefined) out(printable(`  does not hold yet: ${problem}\n`));
  }
  return STATUS.held;
}

export async function corpusAdd(files: readonly string[], options: CorpusAddOptions): Promise<Status> {
  const directory = options.to ?? join(CORPUS_DIRECTORY, "regression");
  const bundled = textsOf(corpusFiles());
  let status: Status = STATUS.held;
  for (const file of files) {
    status = worse(status, await attempt(file, () => addOne(file, directory, bundled, options)));
  }
  return status;
}
