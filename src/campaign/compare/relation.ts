/** How two verdicts on one program stand to each other: ours, and that of another verifier. */
import type { CheckedVerdict } from "../check-report.ts";
import { type Difference, knownDifference } from "../expectations.ts";
import type { OtherAnswer } from "./answer.ts";
import { complaintOf } from "./complaint.ts";

/** In the order of what they mean to whoever relies on us. */
export const RELATIONS = [
  /** We accept what the other rejects: either it is imprecise, or we are wrong. */
  "we accept",
  /** The other accepts what we reject. */
  "we reject",
  /** We do not model something, and say what. */
  "unsupported",
  /** Both reject, with another errno. */
  "errno",
  /** Both reject, with one errno, and complain of something else. */
  "message",
  "same",
  /** The other did not come to verifying it. */
  "not comparable",
] as const;

export interface Relation {
  readonly kind: (typeof RELATIONS)[number];
  /** Why it is not `same`, where that is known. */
  readonly reason?: string;
}

/** Whether a relation is a difference that nobody has explained. */
export function isUnexplained({ kind, reason }: Relation): boolean {
  return kind !== "same" && reason === undefined;
}

/** Where a program is, for what is known of it. */
export interface Place {
  readonly program: string;
  /** Its file's path; `undefined` for a file of the corpus. */
  readonly file: string | undefined;
  /** Differences that are explained. */
  readonly known: readonly Difference[];
}

/** @param ours, theirs  on the same program */
export function relationOf(
  ours: CheckedVerdict,
  theirs: OtherAnswer,
  { program, file, known }: Place,
): Relation {
  if ("incomparable" in theirs) return { kind: "not comparable", reason: theirs.incomparable };
  const kind = kindOf(ours, theirs);
  if (kind === "same") return { kind };
  if (kind === "unsupported") return { kind, reason: ours.message ?? "" };
  const explained = knownDifference(known, {
    program,
    ours: ours.verdict,
    kernel: theirs.verdict,
    ...(file === undefined ? {} : { file }),
  });
  return explained === undefined ? { kind } : { kind, reason: explained.reason };
}

function kindOf(ours: CheckedVerdict, theirs: CheckedVerdict): Relation["kind"] {
  if (ours.verdict === "unsupported") return "unsupported";
  if (ours.verdict !== theirs.verdict) return ours.verdict === "accept" ? "we accept" : "we reject";
  if (ours.verdict === "accept") return "same";
  if (ours.errno !== theirs.errno) return "errno";
  return complaintOf(ours.message ?? "") === complaintOf(theirs.message ?? "") ? "same" : "message";
}
