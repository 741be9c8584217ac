/** What a kernel's message means to whoever wrote the program: the fact that was needed, and what usually mends it. */

import type { Context } from "../../semantics/profile/profile.ts";
import type { Program } from "../../semantics/program/program.ts";

/** The categories of Linux 7.3's explanations. */
export type Category =
  | "Memory Safety"
  | "Register Type Safety"
  | "Call Type Safety"
  | "Resource Lifetime Safety"
  | "Execution Context Safety"
  | "Program Structure"
  | "Policy"
  | "Verifier Limit";

/** What of the refusal a class may put into its words. */
export interface Subject {
  /** What the explanation is about: `R2`; "the register" if that is not known. */
  readonly name: string;
  /** The helper that moved the packet on the way, if one did. */
  readonly movedBy: string | undefined;
  /** The function after whose call it was a pointer no more, if there was one. */
  readonly endedBy: string | undefined;
  /** Whether it may have several values. */
  readonly variable: boolean;
  readonly program: Program;
  /** What the program begins with, if that is a structure. */
  readonly context: Context | undefined;
}

/** `groups` are those of the pattern; each takes part in every match. */
type Words = string | ((subject: Subject, groups: readonly string[]) => string);

export interface MessageClass {
  /** Matches the kernel's message, all lines of it; its groups are what `Words` get, from 1 on. */
  readonly pattern: RegExp;
  readonly category: Category;
  readonly problem: string;
  readonly needed: Words;
  readonly suggestion: Words;
  /** Which operand the explanation follows, where it is not the register that the message names. */
  readonly follow?: "source" | "destination" | "access" | "nothing";
  /** The path alone is not refused: others that were followed before it took part. */
  readonly withOthers?: true;
}

/** A class' words for a message that matched. */
export const wordsOf = (words: Words, match: RegExpExecArray, subject: Subject): string =>
  typeof words === "string" ? words : words(subject, [...match]);

/** The line of a message that says most: the last one, unless it is a state. */
export const headline = (message: string): string =>
  message
    .trimEnd()
    .split("\n")
    .findLast((line) => !/^(?:cur|old) state:/.test(line)) ?? "";
