/**
 * Why an entry of the regression corpus is there: `causes.json` beside the entries says for each what was found, so that a cause is kept once, and where its expectation
 * comes from.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { writeBundle } from "../../object/bundle-write.ts";
import { parseJson } from "../../object/json.ts";
import { InputError } from "../../semantics/errors.ts";
import type { Program } from "../../semantics/program/program.ts";

const causeSchema = z.strictObject({
  /** What findings with the same cause have in common; for a program that nobody found, its fingerprint. */
  cause: z.string(),
  /** `bundle`, or the kernel that was asked: `linux 6.18.44`. */
  expectation: z.string(),
  /** Of the campaign: the program's seed, and whose finding it was. */
  seed: z.number().int().optional(),
  version: z.string().optional(),
});

export type Cause = z.infer<typeof causeSchema>;
/** By the entry's file name. */
export type Causes = ReadonlyMap<string, Cause>;

const causesSchema = z.record(z.string(), causeSchema);

/** What a campaign writes beside a finding's bundle, as far as it matters here. */
const findingSchema = z.looseObject({
  key: z.string(),
  seed: z.number().int().optional(),
  version: z.string().optional(),
  /** The bundle's file, beside this one. */
  program: z.string().optional(),
});

export type KnownFinding = z.infer<typeof findingSchema>;

function parsed<T>(name: string, schema: z.ZodType<T>, text: string): T {
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  throw new InputError(`${name}: ${z.prettifyError(result.error).replaceAll("\n", " ")}`);
}

/** @throws InputError that begins with the file's name */
export const readCauses = (name: string, text: string): Causes =>
  new Map(Object.entries(parsed(name, causesSchema, text)));

/** @throws InputError that begins with the file's name */
export const readFinding = (name: string, text: string): KnownFinding => parsed(name, findingSchema, text);

export const writeCauses = (causes: Causes): string =>
  `${JSON.stringify(Object.fromEntries([...causes].sort(([a], [b]) => (a < b ? -1 : 1))), undefined, 2)}\n`;

/** The same for programs that differ in nothing but their names. */
export const fingerprint = (program: Program): string =>
  createHash("sha256")
    .update(writeBundle({ program: { ...program, name: "" } }))
    .digest("hex")
    .slice(0, 16);
