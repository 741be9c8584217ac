/** Whose rules a program is verified by: a kernel's profile, and its types where they are at hand. */
import type { KernelTypes } from "../program/kernel-types.ts";
import { defaultProfile } from "./default.ts";
import type { Profile } from "./profile.ts";

export interface Rules {
  readonly profile: Profile;
  /** Without them, programs that hold pointers to the kernel's objects are not supported. */
  readonly types?: KernelTypes | undefined;
}

/** The newest kernel's. */
export const DEFAULT_RULES: Rules = {
  get profile() {
    return defaultProfile();
  },
};
