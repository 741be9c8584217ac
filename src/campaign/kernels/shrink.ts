/** Making what was found in a kernel small, with the kernel in the loop; and going on from a wrong bound to memory that is not there. */
import { GuestFailure } from "../../oracle/guest/failure.ts";
import type { Program } from "../../semantics/program/program.ts";
import { reduceProgram } from "../fuzz/reduce.ts";
import { escalations } from "./escalate.ts";
import type { Violation } from "./examine.ts";
import type { Input } from "./inputs.ts";
import type { Candidate, Judged } from "./judge.ts";

/** @throws GuestFailure  if the kernel does not survive it */
export type Judge = (candidates: readonly Candidate[], inputs: readonly Input[]) => readonly Judged[];

export interface Shrunk {
  readonly program: Program;
  readonly violation: Violation;
  /** A program that goes on from it, which the kernel accepts and the machine makes fault. */
  readonly hole?: Program;
}

const isSame = (a: Violation, b: Violation): boolean => a.oracle === b.oracle && a.cause === b.cause;

/** The program with the other's list of maps, where it has as many: what is known of maps is known of that list. */
const sharing = (program: Program, { maps }: Program): Program =>
  program.maps.length === maps.length ? { ...program, maps } : program;

/** The smallest program that shows the same on the same input; undefined if nothing shows it a second time. */
export function shrunk({ program, seed }: Candidate, seen: Violation, judge: Judge): Shrunk | undefined {
  const inputs = [seen.input];
  const showing = (tried: Program): Violation | undefined => {
    try {
      const [again] = judge([{ program: sharing(tried, program), seed }], inputs);
      return again?.violations.find((each) => isSame(each, seen));
    } catch (error) {
      if (error instanceof GuestFailure) return undefined;
      throw error;
    }
  };
  const small = sharing(
    reduceProgram(program, (tried) => showing(tried) !== undefined),
    program,
  );
  const violation = showing(small);
  if (violation === undefined) return undefined;
  const hole = holeOf(small, seed, violation, judge);
  return { program: small, violation, ...(hole === undefined ? {} : { hole }) };
}

function holeOf(
  program: Program,
  seed: number,
  { problem, input }: Violation,
  judge: Judge,
): Program | undefined {
  const longer = problem === undefined ? [] : escalations(program, problem);
  return longer.find((each) => {
    try {
      const [answer] = judge([{ program: each, seed }], [input]);
      return answer?.violations.some(({ oracle }) => oracle === "hole");
    } catch (error) {
      if (error instanceof GuestFailure) return false;
      throw error;
    }
  });
}
