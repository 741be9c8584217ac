/**
 * The rules that a command verifies by: those of the kernel whose profile was asked for, else of the newest; whose types are the kernel's; and whether programs are taken for
 * those of a loader without capabilities. A process runs one command.
 */
import { type Btf, readBtf } from "../object/btf.ts";
import { kernelTypes } from "../object/kernel-types.ts";
import type { ObjectOptions } from "../object/programs.ts";
import { objectOptionsFor } from "../oracle/linux/object-options.ts";
import { profileNames, readProfile } from "../oracle/profiles.ts";
import { InputError } from "../semantics/errors.ts";
import type { Profile } from "../semantics/profile/profile.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { KernelTypes } from "../semantics/program/kernel-types.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";

let profile: Profile | undefined;

/** `--profile`: a name or a file. @throws InputError of one line */
export function chooseProfile(nameOrFile: string | undefined): void {
  if (nameOrFile !== undefined) profile = readProfile(nameOrFile);
}

let types: { readonly btf: Btf; readonly types: KernelTypes } | undefined;

/** `--btf`: a kernel's types, as a file has them, in place of the running kernel's. @throws InputError of one line */
export function chooseTypes(file: string, bytes: Uint8Array): void {
  const btf = readBtf(bytes, file);
  types = { btf, types: kernelTypes(btf) };
}

/**
 * How objects are read: for the kernel whose types were asked for, else the running one. @param defaultType of programs that do not say theirs
 */
export function objectOptions(defaultType: ProgramType | undefined): ObjectOptions {
  const running = objectOptionsFor();
  // Not a copy of all: what is asked of a kernel is asked when an object needs it.
  return {
    get targetBtf() {
      return types?.btf ?? running.targetBtf;
    },
    get kconfig() {
      return running.kconfig;
    },
    // What the kernel of other types has is not known.
    get symbols() {
      return types === undefined || types.btf === running.targetBtf ? running.symbols : undefined;
    },
    ...(defaultType === undefined ? {} : { defaultType }),
  };
}

/** The types are the running kernel's, which objects were read for, whatever the profile: unless others were asked for. They are read when a program needs them. */
function typesAtHand(): KernelTypes | undefined {
  if (types === undefined) {
    const { targetBtf } = objectOptionsFor();
    if (targetBtf !== undefined) types = { btf: targetBtf, types: kernelTypes(targetBtf) };
  }
  return types?.types;
}

/** Without `--profile` the newest; for loaders without capabilities the newest that says what these may do. */
export function rules(): Rules {
  profile ??= unprivileged ? newestForAnyLoader() : DEFAULT_RULES.profile;
  return {
    profile,
    get types() {
      return typesAtHand();
    },
  };
}

function newestForAnyLoader(): Profile {
  for (const name of profileNames().toReversed()) {
    const known = readProfile(name);
    if (known.capabilities !== undefined) return known;
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
