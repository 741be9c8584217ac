/**
 * Our verdict beside that of a kernel, on each program of a file. Objects are read for the kernel that is asked, as their loader would: its
 * types, its configuration. What cannot be loaded for reasons that are not the verifier's is told as such and is no agreement.
 */
import { asLoaded } from "../../object/as-loaded.ts";
import { embeddedObjects, isBigEndianObject } from "../../object/embedded.ts";
import { readPrograms } from "../../object/read.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import { objectOptionsFor } from "../../oracle/linux/object-options.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { verify } from "../../verifier/verify.ts";
import type { InputFile } from "../check.ts";
import type { CheckedVerdict } from "../check-report.ts";
import type { Difference } from "../expectations.ts";
import { checkedVerdict, kernelAnswer, type OtherAnswer } from "./answer.ts";
import { type Relation, relationOf } from "./relation.ts";
import { rulesOf } from "./rules.ts";

export interface CompareOptions {
  /** Asked before each program: a guest that one of them brought down has another in its place. */
  readonly kernel: () => Kernel;
  /** Milliseconds, from any start. */
  readonly now: () => number;
  /** Differences that are explained. */
  readonly known: readonly Difference[];
  /** Whether a file is of the corpus. */
  readonly ofCorpus: (file: string) => boolean;
  /** The type of programs in sections whose names say nothing. */
  readonly defaultType?: ProgramType;
}

/** One program and the two verdicts on it. */
export interface Comparison {
  /** The file's name; of an object inside another file with its offset, as `file@1234`. */
  readonly file: string;
  readonly program: Program;
  readonly kernel: Pick<Kernel, "name" | "release">;
  readonly ours: CheckedVerdict;
  readonly theirs: OtherAnswer;
  readonly relation: Relation;
}

/** What there is nothing to say of: a file, or a program in it. */
export interface Skipped {
  readonly file: string;
  readonly program?: string;
  readonly reason: string;
}

export interface FileComparison {
  readonly comparisons: readonly Comparison[];
  readonly skipped: readonly Skipped[];
  /** Programs on which the verifier failed: bugs of ours. */
  readonly faults: readonly { readonly file: string; readonly program: string; readonly error: unknown }[];
}

/** An object, bundle, assembly, or a program or library with objects inside. @throws InputError for a file that holds none of them */
export function compareFile(file: InputFile, options: CompareOptions): FileComparison {
  const comparisons: Comparison[] = [];
  const skipped: Skipped[] = [];
  const faults: { file: string; program: string; error: unknown }[] = [];
  for (const { name, bytes } of partsOf(file)) {
    if (isBigEndianObject(bytes)) {
      skipped.push({ file: name, reason: "compiled for big-endian machines" });
      continue;
    }
    const { kernel, defaultType } = options;
    const { programs, failures } = readPrograms(name, bytes, {
      ...objectOptionsFor(kernel()),
      ...(defaultType === undefined ? {} : { defaultType }),
    });
    for (const failure of failures)
      skipped.push({ file: name, program: failure.name, reason: failure.message });
    for (const program of programs) {
      try {
        comparisons.push(compareProgram(name, asLoaded(program), options));
      } catch (error) {
        faults.push({ file: name, program: program.name, error });
      }
    }
  }
  return { comparisons, skipped, faults };
}

/** The file itself, or the objects inside of it. */
function partsOf({ name, bytes }: InputFile): readonly InputFile[] {
  const objects = embeddedObjects(bytes);
  if (objects.length === 0) return [{ name, bytes }];
  return objects.map(({ offset, bytes: own }) => ({
    name: offset === 0 ? name : `${name}@${offset}`,
    bytes: own,
  }));
}

function compareProgram(file: string, program: Program, options: CompareOptions): Comparison {
  const { kernel, now, known, ofCorpus } = options;
  const asked = kernel();
  const rules = rulesOf(asked);
  const start = now();
  const verdict = verify(program, undefined, rules);
  const ours = checkedVerdict(verdict, now() - start);
  const theirs = kernelAnswer(asked, program, now);
  const relation = relationOf(ours, theirs, {
    program: program.name,
    file: ofCorpus(file) ? undefined : file,
    known,
  });
  return { file, program, kernel: { name: asked.name, release: asked.release }, ours, theirs, relation };
}
