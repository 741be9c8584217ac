/** The rules by which programs are verified that are compared with a kernel: that kernel's. */
import { kernelTypes } from "../../object/kernel-types.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import { objectOptionsFor } from "../../oracle/linux/object-options.ts";
import { profileOfRelease } from "../../oracle/profiles.ts";
import type { Rules } from "../../semantics/profile/rules.ts";

const known = new WeakMap<Kernel, Rules>();

/** The profile of its version or the newest before it; with the kernel's types, if it tells them. */
export function rulesOf(kernel: Kernel): Rules {
  let rules = known.get(kernel);
  if (rules === undefined) {
    const { targetBtf } = objectOptionsFor(kernel);
    const profile = profileOfRelease(kernel.release);
    rules = targetBtf === undefined ? { profile } : { profile, types: kernelTypes(targetBtf) };
    known.set(kernel, rules);
  }
  return rules;
}
