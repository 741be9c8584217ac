/** The rules that a command verifies by: those of the kernel whose profile was asked for, else of the newest. A process runs one command. */
import { readProfile } from "../oracle/profiles.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";

let chosen: Rules = DEFAULT_RULES;

/** `--profile`: a name or a file. @throws InputError of one line */
export function chooseProfile(nameOrFile: string | undefined): void {
  if (nameOrFile !== undefined) chosen = { profile: readProfile(nameOrFile) };
}

export function rules(): Rules {
  return chosen;
}
