/** The rules by which programs are verified: those of a kernel that is asked too, or those of a profile with the types of a kernel. */
import { kernelTypes } from "../../object/kernel-types.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import { objectOptionsFor } from "../../oracle/linux/object-options.ts";
import { THIS_MACHINE } from "../../oracle/linux/this-machine.ts";
import { profileOfRelease } from "../../oracle/profiles.ts";
import type { Profile } from "../../semantics/profile/profile.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { KernelTypes } from "../../semantics/program/kernel-types.ts";

const known = new WeakMap<Kernel, Rules>();

/** The profile of its version or the newest before it; with the kernel's types, if it tells them. */
export function rulesOf(kernel: Kernel): Rules {
  let rules = known.get(kernel);
  if (rules === undefined) {
    rules = rulesBy(profileOfRelease(kernel.release), kernel);
    known.set(kernel, rules);
  }
  return rules;
}

/** The rules of any kernel's profile, and the types of the kernel that objects are read for, if it tells them: it is asked when a program needs them. */
export function rulesBy(profile: Profile, kernel: Kernel = THIS_MACHINE): Rules {
  return {
    profile,
    get types() {
      return typesOf(kernel);
    },
  };
}

const types = new WeakMap<Kernel, { readonly known: KernelTypes | undefined }>();

function typesOf(kernel: Kernel): KernelTypes | undefined {
  let found = types.get(kernel);
  if (found === undefined) {
    const { targetBtf } = objectOptionsFor(kernel);
    found = { known: targetBtf === undefined ? undefined : kernelTypes(targetBtf) };
    types.set(kernel, found);
  }
  return found.known;
}
