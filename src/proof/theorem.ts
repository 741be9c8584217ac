/**
 * What a theorem is: a claim about terms, turned into obligations that a solver decides one by one.
 *
 * An obligation holds if no values of its variables make all premises 1 and the goal 0. A theorem is proved if all its obligations are.
 * Which obligations make a proof of a claim is the business of the methods (methods.ts); what is claimed, of theorems/.
 */

import type { Condition } from "../absint/scalar/branch.ts";
import type { Component } from "../absint/scalar/components.ts";
import type { Scalar } from "../absint/scalar/product.ts";
import type { AluOp, Size } from "../semantics/isa/instruction.ts";
import { not } from "../semantics/term/build.ts";
import { toIntegers } from "../semantics/term/integers.ts";
import type { Term } from "../semantics/term/node.ts";
import { toSmtLib } from "../semantics/term/smt.ts";

/** What a theorem says of its subject. */
export type Statement =
  /** What comes out holds all that the concrete operation can give. */
  | "sound"
  /** A well-formed input gives a well-formed output. */
  | "well-formed"
  /** What comes out is no looser than what went in. */
  | "reductive"
  /** Nothing tighter would be sound. */
  | "optimal"
  /** A fact about an order, a join, a widening. */
  | "order"
  /** An instruction does what RFC 9669 says. */
  | "rfc"
  /** Two definitions of one thing agree. */
  | "equal";

/** The abstract inputs that a theorem speaks of. */
export type Inputs =
  /** All that are well formed. */
  | "any"
  /** Those that synchronisation leaves as they are. */
  | "synchronised";

/** What a program executes to show a counterexample: on registers, or on one and an immediate. */
export type ShownInstruction<Immediate> =
  | {
      readonly kind: "alu";
      readonly op: AluOp;
      readonly width: 32 | 64;
      readonly immediate?: Immediate;
    }
  /** A condition stands for the edge on which it holds. */
  | {
      readonly kind: "jump";
      readonly condition: Condition;
      readonly width: 32 | 64;
      readonly immediate?: Immediate;
    }
  /** Of the first operand's low bytes. */
  | { readonly kind: "load"; readonly size: Size; readonly signed: boolean };

/** What is needed to show a counterexample as a program. */
export interface Witness {
  /** Nothing for a deduction rule, or an order. */
  readonly instruction?: ShownInstruction<Term<64>>;
  /** The abstract operands with the numbers in them: destination, then source. Their variables are the claim's. */
  readonly operands: readonly { readonly scalar: Scalar; readonly value: Term<64> }[];
  /**
   * The number that escapes, and the component of an abstract result that it escapes from. Or "reached": the claim says that no numbers in
   * the operands get past the instruction, on the edge that it stands for.
   */
  readonly escapes:
    | { readonly value: Term<64>; readonly component: Component; readonly from: Scalar }
    | "reached";
}

export interface Obligation {
  /** Unique within its theorem. */
  readonly name: string;
  /** Decided as bit-vectors, or as integers (src/semantics/term/integers.ts) where products and quotients are too hard for bits. */
  readonly logic: "bits" | "integers";
  /** What may be taken for granted. Contradictory premises prove nothing: they are an error. */
  readonly premises: readonly Term<1>[];
  readonly goal: Term<1>;
  readonly witness?: Witness;
}

/**
 * What a run of the claim's subject breaks if the claim is wrong, each with its witness. Nothing is proved by it: where a step of a proof, or
 * a claim of which no program can speak, was refuted, numbers are looked for that refute one of these.
 */
type Whole = () => readonly Obligation[];

/** A wrong version of a theorem's subject. The same obligations, made of it, must not all hold: one has a counterexample. */
export interface Wrong {
  /** What is wrong with it. */
  readonly name: string;
  readonly obligations: () => readonly Obligation[];
  /** Absent if no run can break it: it says less than could be said, or nothing of runs. */
  readonly whole?: Whole;
}

export interface Theorem {
  /** Unique: subject, width and component, as `add64/unsigned/sound`. */
  readonly name: string;
  /** The operator or rule, as `add`. */
  readonly subject: string;
  readonly says: Statement;
  /** Bits of the numbers that it speaks of. */
  readonly width: number;
  /** Whether that is the width at which the subject is used. A theorem at another one stands in for one that is `open`. */
  readonly full: boolean;
  readonly inputs: Inputs;
  /** Made when asked for: terms cost time. */
  readonly obligations: () => readonly Obligation[];
  /** As for a wrong version, should the theorem be refuted. */
  readonly whole?: Whole;
  /** At least one, unless the theorem is open. */
  readonly wrong: readonly Wrong[];
  /** Why there is no proof (yet). It is listed, not tried. */
  readonly open?: string;
  /** What is argued on paper and not checked by a solver. */
  readonly assumptions?: readonly string[];
}

/** The assertions whose unsatisfiability proves an obligation. */
const refutation = ({ premises, goal }: Obligation): readonly Term<1>[] => [...premises, not(goal)];

const TEXT = { bits: toSmtLib, integers: toIntegers } as const;

/** An obligation in SMT-LIB 2.6, without `check-sat`: unsatisfiable exactly if it holds. */
export const obligationText = (obligation: Obligation): string =>
  TEXT[obligation.logic](refutation(obligation));

/** The premises alone: unsatisfiable if the obligation holds for no reason. */
export const premisesText = (obligation: Obligation): string => TEXT[obligation.logic](obligation.premises);
