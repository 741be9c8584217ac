/**
 * The rules that a command verifies by: those of the kernel whose profile was asked for, else of the newest; and whether programs are taken for
 * those of a loader without capabilities. A process runs one command.
 */
import { readProfile } from "../oracle/profiles.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";

let chosen: Rules = DEFAULT_RULES;

/** `--profile`: a name or a file. @throws InputError of one line */
export function chooseProfile(nameOrFile: string | undefined): void {
  if (nameOrFile !== undefined) chosen = { profile: readProfile(nameOrFile) };
}

export function rules(): Rules {
  return chosen;
}

let unprivileged = false;

/** `--unprivileged`: whatever the programs say of themselves. */
export function chooseLoader(withoutCapabilities: true | undefined): void {
  unprivileged = withoutCapabilities === true;
}

/** A program as whoever was asked for loads it. */
export const asLoaded = (program: Program): Program =>
  unprivileged ? { ...program, privileges: [] } : program;
