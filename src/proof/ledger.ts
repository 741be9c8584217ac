/**
 * What has been proved, by a hash of the theorem's own terms: a theorem whose terms are the same need not be proved again. The file is
 * committed, a line a theorem in the order of their names, so that a difference shows which theorems changed.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { InputError } from "../semantics/errors.ts";
import type { Term } from "../semantics/term/node.ts";
import { type Obligation, obligationText } from "./theorem.ts";

const entrySchema = z.strictObject({
  /** Of the obligations (`hashOf`). */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Spent by solvers when it was proved. */
  seconds: z.number().nonnegative(),
  /** Names and versions of those that proved it. */
  solver: z.string(),
});

export type LedgerEntry = z.infer<typeof entrySchema>;

/** By the theorems' names. */
export type Ledger = ReadonlyMap<string, LedgerEntry>;

const schema = z.strictObject({ format: z.literal(1), proved: z.record(z.string(), entrySchema) });

/** @throws InputError in one line for anything that is not a ledger */
export function readLedger(text: string): Ledger {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`not a ledger: ${error instanceof Error ? error.message : ""}`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`not a ledger: ${issue?.path.join(": ")}: ${issue?.message}`);
  }
  return new Map(Object.entries(parsed.data.proved));
}

/** The ledger as the file's text. */
export function writeLedger(ledger: Ledger): string {
  const lines = [...ledger]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { hash, seconds, solver }]) => {
      return `${JSON.stringify(name)}: ${JSON.stringify({ hash, seconds, solver })}`;
    });
  return `{"format": 1, "proved": {\n${lines.join(",\n")}\n}}\n`;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What is known of obligations with a goal, by logic and premises: theorems share them, and their texts are long. */
const known = new WeakMap<Term, Map<string, string>>();

/** Of what an obligation's proof depends on: its logic, the number of its premises, and its text. */
export function hashOfObligation(obligation: Obligation): string {
  const { logic, premises, goal } = obligation;
  const key = [logic, ...premises.map(({ id }) => id)].join(" ");
  const hashes = known.get(goal) ?? new Map<string, string>();
  known.set(goal, hashes);
  let hash = hashes.get(key);
  if (hash === undefined) {
    hash = sha256(`${logic} ${premises.length}\n${obligationText(obligation)}`);
    hashes.set(key, hash);
  }
  return hash;
}

/** Of what a theorem's proof depends on: each of its obligations, in their order. */
export const hashOf = (obligations: readonly Obligation[]): string =>
  sha256(obligations.map(hashOfObligation).join("\n"));
