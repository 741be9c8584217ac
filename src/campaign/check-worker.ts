/** What a process of the pool (`check-pool.ts`) does: it checks the programs of one file. */
import { objectOptionsFor } from "../oracle/linux/object-options.ts";
import { readProfile } from "../oracle/profiles.ts";
import { checkProgram, type InputFile, kernelToAsk, readTasks } from "./check.ts";
import type { ProgramReport } from "./check-report.ts";
import { rulesBy } from "./compare/rules.ts";
import type { Difference, Expected } from "./expectations.ts";

/** A file, and what is to be known to check it. Plain data, as it goes from process to process. */
export interface Job {
  readonly file: InputFile;
  /** By program. */
  readonly expected: readonly (readonly [string, Expected])[];
  readonly differences: readonly Difference[];
  readonly settings: CheckSettings;
}

export interface CheckSettings {
  readonly seed: number;
  readonly runs: number;
  readonly compare: boolean;
  /** Profiles by name, as of `CheckOptions`. */
  readonly profile?: string;
  readonly profileWithoutKernel?: string;
}

/** What became of one program: its report, without the program itself, which who asks has; or the bug of ours that came in between. */
export type Outcome = { readonly report: Omit<ProgramReport, "program"> } | { readonly error: unknown };

export default function checkFile({ file, expected, differences, settings }: Job): readonly Outcome[] {
  const { profile, profileWithoutKernel, ...rest } = settings;
  const known = new Map(expected);
  const options = {
    ...rest,
    now: () => performance.now(),
    knowledge: { expected: (_: string, program: string) => known.get(program), differences },
    object: objectOptionsFor(),
    ...(profile === undefined ? {} : { rules: rulesBy(readProfile(profile)) }),
    ...(profileWithoutKernel === undefined
      ? {}
      : { rulesWithoutKernel: { profile: readProfile(profileWithoutKernel) } }),
  };
  const kernel = kernelToAsk(settings.compare);
  return readTasks([file], options).tasks.map((task) => {
    try {
      const { program: _, ...report } = checkProgram(task, options, kernel);
      return { report };
    } catch (error) {
      return { error };
    }
  });
}
