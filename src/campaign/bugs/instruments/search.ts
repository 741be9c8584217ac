/** Instruments that look at one program after the other, until one of them shows something. */
import { Unsupported } from "../../../semantics/errors.ts";
import type { Program } from "../../../semantics/program/program.ts";
import type { Verdict } from "../../../verifier/verdict.ts";
import { verify } from "../../../verifier/verify.ts";
import { trialProgram } from "../programs.ts";
import type { Instrument, Judge, Outcome } from "./instrument.ts";

/** Neighbours of loops go round for ever, or nearly so: what takes more instructions is not waited for. */
const LIMIT = 20_000;

/** Steps of a checker for one program: of the sound version's certificates none of that length takes as many, and a wrong one can keep a checker busy for minutes. */
export const CHECKER_LIMIT = 10 * LIMIT;

/** What `verify` says of a short program. */
export const verifyShort = (program: Program): Verdict =>
  verify(program, undefined, undefined, LIMIT, CHECKER_LIMIT);

/** The instrument that asks a judge about each program of a trial. */
export const searching = (makeJudge: NonNullable<Instrument["judge"]>): Instrument => ({
  judge: makeJudge,
  async run(trial): Promise<Outcome> {
    const judge = await makeJudge(trial);
    let tried = 0;
    while (!trial.isOver()) {
      const program = trialProgram(trial.seed, tried, trial.originals);
      tried += 1;
      if (program === undefined) continue;
      const seed = tried;
      const evidence = safely(judge, program, seed);
      if (evidence !== undefined)
        return { tried, evidence, program, shows: (other) => safely(judge, other, seed) !== undefined };
    }
    return { tried };
  },
});

function safely(judge: Judge, program: Program, seed: number): string | undefined {
  try {
    return judge(program, seed);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}
