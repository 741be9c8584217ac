/**
 * What the corpus expects of its compiled programs (corpus/expectations.json), and which differences between our verdicts and the running
 * kernel's are known, with their reasons (corpus/differences.json). Both are written by hand and confirmed on the kernel.
 */
import { z } from "zod";
import { InputError } from "../semantics/errors.ts";

const expectationsSchema = z.object({
  packets: z.record(z.string(), z.string()),
  objects: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({ verdict: z.enum(["accept", "reject"]), message: z.string().optional() }),
    ),
  ),
});

const differencesSchema = z.array(
  z.strictObject({
    /** The program's name, in any file. */
    program: z.string(),
    ours: z.enum(["accept", "reject", "unsupported"]),
    kernel: z.enum(["accept", "reject"]),
    reason: z.string(),
  }),
);

export type Difference = z.infer<typeof differencesSchema>[number];

export interface CorpusKnowledge {
  /** The expectation for a program of an object file, by the file's base name without version and extension. */
  readonly expected: (
    object: string,
    program: string,
  ) => { readonly verdict: "accept" | "reject"; readonly message?: string | undefined } | undefined;
  readonly differences: readonly Difference[];
}

export const NO_KNOWLEDGE: CorpusKnowledge = { expected: () => undefined, differences: [] };

/** Reads the corpus' two files from their texts. @throws InputError naming what does not fit */
export function readKnowledge(expectations: string, differences: string): CorpusKnowledge {
  const parsed = expectationsSchema.safeParse(JSON.parse(expectations));
  if (!parsed.success)
    throw new InputError(`expectations: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
  const known = differencesSchema.safeParse(JSON.parse(differences));
  if (!known.success)
    throw new InputError(`differences: ${z.prettifyError(known.error).replaceAll("\n", " ")}`);
  const { objects } = parsed.data;
  return {
    expected: (object, program) => objects[object]?.[program],
    differences: known.data,
  };
}
