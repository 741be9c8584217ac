/**
 * What is rejected faults on some input. This is no finding where it does not: programs are rejected that nobody can make fault, and how many and why says how precise a verifier is. So one rejected program
 * in four, by its seed, gets more runs, and those that none of them makes fault are counted by reason.
 */

import { runProgram } from "../../run-program.ts";
import type { Case, Oracle } from "./oracle.ts";

/** One seed in so many, and runs beside those that all programs get. */
const EVERY = 4;
const RUNS = 128;
const BUDGET = 4096;

export const harmless: Oracle = { name: "harmless", judge: () => [] };

/** Whether an input was found for a rejected program that makes it fault: undefined for one that was not looked at, or that the machine does not model. */
export function faultsAfterAll({ program, seed, rules, verdict, ran }: Case): boolean | undefined {
  if (verdict?.verdict !== "reject" || seed % EVERY !== 0) return undefined;
  if (ran.witness !== undefined) return true;
  // The inputs of another seed: those of its own have been tried.
  const more = runProgram(program, verdict, ~seed, RUNS, [], rules, BUDGET);
  if (more.witness !== undefined) return true;
  const ended = more.runs.filter(({ outcome }) => outcome.kind === "exit");
  return ended.length > 0 && ended.length === more.runs.length ? false : undefined;
}
