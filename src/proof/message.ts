/**
 * What goes between a solver's process and the one that started it: a JSON value a line. Questions come on standard input; answers go out
 * on a descriptor of their own, since what a library prints must not be taken for one.
 */
import { z } from "zod";
import type { Answer, Question } from "./question.ts";

export const ANSWERS_DESCRIPTOR = 3;

const questionSchema = z.strictObject({
  text: z.string(),
  logic: z.enum(["bits", "integers"]),
  timeoutMs: z.int(),
  wanted: z.array(z.strictObject({ name: z.string(), width: z.int() })),
});

/** A value of a model; JSON has no integers of this size. */
const value = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt);

const fromChild = z.discriminatedUnion("result", [
  /** The first message: the solver has started. */
  z.strictObject({ result: z.literal("ready"), version: z.string() }),
  z.strictObject({ result: z.literal("unsat") }),
  z.strictObject({ result: z.literal("sat"), values: z.array(value) }),
  z.strictObject({ result: z.literal("unknown"), reason: z.string() }),
  z.strictObject({ result: z.literal("error"), message: z.string() }),
]);

export type FromChild = z.infer<typeof fromChild>;

export const questionLine = (question: Question): string => `${JSON.stringify(question)}\n`;

/** @throws Error for a line that is no question */
export const readQuestion = (line: string): Question => questionSchema.parse(JSON.parse(line));

export const readyLine = (version: string): string => `${JSON.stringify({ result: "ready", version })}\n`;

export const answerLine = (answer: Answer): string =>
  `${JSON.stringify(answer, (_, item: unknown) => (typeof item === "bigint" ? `${item}` : item))}\n`;

/** What the child says in a line; undefined if it is nothing that a child says. */
export function readFromChild(line: string): FromChild | undefined {
  try {
    return fromChild.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
