/**
 * The rules that a command verifies by: those of the kernel whose profile was asked for, else of the newest; and whether programs are taken for
 * those of a loader without capabilities. A process runs one command.
 */
import { profileNames, readProfile } from "../oracle/profiles.ts";
import { InputError } from "../semantics/errors.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";

let chosen: Rules | undefined;

/** `--profile`: a name or a file. @throws InputError of one line */
export function chooseProfile(nameOrFile: string | undefined): void {
  if (nameOrFile !== undefined) chosen = { profile: readProfile(nameOrFile) };
}

/** Without `--profile` the newest; for loaders without capabilities the newest that says what these may do. */
export function rules(): Rules {
  chosen ??= unprivileged ? newestForAnyLoader() : DEFAULT_RULES;
  return chosen;
}

function newestForAnyLoader(): Rules {
  for (const name of profileNames().toReversed()) {
    const profile = readProfile(name);
    if (profile.capabilities !== undefined) return { profile };
  }
  throw new InputError("no profile says what loaders without capabilities may do");
}

let unprivileged = false;

/** `--unprivileged`: whatever the programs say of themselves. */
export function chooseLoader(withoutCapabilities: true | undefined): void {
  unprivileged = withoutCapabilities === true;
}

/** A program as whoever was asked for loads it. */
export const asLoaded = (program: Program): Program =>
  unprivileged ? { ...program, privileges: [] } : program;
