/** Whose rules a program is verified by: a kernel's profile, and its types where they are at hand. */
import type { KernelTypes } from "../program/kernel-types.ts";
import { DEFAULT_PROFILE } from "./default.ts";
import type { Profile } from "./profile.ts";

export interface Rules {
  readonly profile: Profile;
  /** Without them, programs that hold pointers to the kernel's objects are not supported. */
  readonly types?: KernelTypes;
}

export const DEFAULT_RULES: Rules = { profile: DEFAULT_PROFILE };
