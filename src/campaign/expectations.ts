/**
 * What the corpus expects of its programs, and whether it holds: the verdict, the message, and the results of sample runs. Where our verdict is
 * known to differ, corpus/differences.json says why. Both files are written by hand and confirmed on the kernel.
 */

import { z } from "zod";
import { WITHOUT_TYPES } from "../absint/transfer/kernel-object.ts";
import { type CorpusExpectation, readExpectations } from "../object/expectations.ts";
import { InputError, Unsupported } from "../semantics/errors.ts";
import type { Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { loadTogether } from "../vm/together.ts";
import type { CheckedVerdict, ProgramReport } from "./check-report.ts";
import { stackRule } from "./run-program.ts";

const differencesSchema = z.array(
  z.strictObject({
    /** The program's name. */
    program: z.string(),
    /** For a program that is not of the corpus: a part of its file's path. */
    file: z.string().optional(),
    ours: z.enum(["accept", "reject", "unsupported"]),
    kernel: z.enum(["accept", "reject"]),
    reason: z.string(),
  }),
);

export type Difference = z.infer<typeof differencesSchema>[number];

/** The difference that is known for verdicts on a program; without a file, one of the corpus is meant. */
export function knownDifference(
  differences: readonly Difference[],
  wanted: Pick<Difference, "program" | "ours" | "file"> & { readonly kernel?: CheckedVerdict["verdict"] },
): Difference | undefined {
  const { program, ours, kernel, file } = wanted;
  return differences.find(
    (each) =>
      each.program === program &&
      each.ours === ours &&
      (kernel === undefined || each.kernel === kernel) &&
      (file === undefined ? each.file === undefined : each.file !== undefined && file.includes(each.file)),
  );
}

/** What is expected of a program: a bundle says it itself, for an object the corpus does. */
export type Expected = Pick<CorpusExpectation, "verdict" | "message"> & {
  readonly runs: readonly {
    readonly packet?: Uint8Array;
    readonly context?: Uint8Array;
    readonly retval: number;
  }[];
};

export interface CorpusKnowledge {
  /** The expectation for a program of an object file. */
  readonly expected: (file: string, program: string) => Expected | undefined;
  readonly differences: readonly Difference[];
}

export const NO_KNOWLEDGE: CorpusKnowledge = { expected: () => undefined, differences: [] };

/** `corpus/objects/xdp_vlan.v3.o` is an object of `xdp_vlan`. */
const objectName = (file: string): string => (file.split("/").at(-1) ?? file).replace(/(\.v\d)?\.o$/, "");

/** Reads the corpus' two files from their texts. @throws InputError naming what does not fit */
export function readKnowledge(expectations: string, differences: string): CorpusKnowledge {
  const objects = readExpectations(expectations);
  const known = differencesSchema.safeParse(JSON.parse(differences));
  if (!known.success) {
    throw new InputError(`differences: ${z.prettifyError(known.error).replaceAll("\n", " ")}`);
  }
  return {
    expected: (file, program) => objects.get(objectName(file))?.get(program),
    differences: known.data,
  };
}

/**
 * Whether a program does what is expected of it.
 *
 * @param together  all programs of its file, which its program arrays may hold
 * @param rules  those by which it was verified
 */
export function checkExpectation(
  program: Program,
  together: readonly Program[],
  ours: CheckedVerdict,
  expected: Expected,
  { differences }: CorpusKnowledge,
  rules: Rules,
): ProgramReport["expectation"] {
  const { verdict, message, runs } = expected;
  const known = knownDifference(differences, { program: program.name, ours: ours.verdict });
  if (known !== undefined) return { verdict, holds: true, reason: known.reason };
  // Nobody can say: it is about types of a kernel that is not here.
  if (ours.verdict === "unsupported" && ours.message?.endsWith(WITHOUT_TYPES) === true) {
    return { verdict, holds: true, reason: ours.message };
  }
  if (ours.verdict !== verdict) return { verdict, holds: false, reason: `the verdict is ${ours.verdict}` };
  if (message !== undefined && ours.message?.includes(message) !== true) {
    return { verdict, holds: false, reason: `the message is ${ours.message ?? "none"}` };
  }
  const problem = verdict === "accept" ? runsProblem(program, together, runs, rules) : undefined;
  return problem === undefined ? { verdict, holds: true } : { verdict, holds: false, reason: problem };
}

function runsProblem(
  program: Program,
  together: readonly Program[],
  runs: Expected["runs"],
  rules: Rules,
): string | undefined {
  for (const { packet, context, retval } of runs) {
    try {
      // Each run starts with the maps as the object defines them.
      const machine = loadTogether(together, { uninitialisedStack: stackRule(program, rules) })[
        together.indexOf(program)
      ];
      const input = {
        ...(packet === undefined ? {} : { packet }),
        ...(context === undefined ? {} : { context }),
      };
      const result = machine?.run(input);
      if (result?.outcome === "fault") return `a sample run faults: ${result.fault.message}`;
      const returned = Number((result?.r0 ?? 0n) & 0xffffffffn);
      if (returned !== retval) return `a sample run returns ${returned}, not ${retval}`;
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  }
  return undefined;
}
