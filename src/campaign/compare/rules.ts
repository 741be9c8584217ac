/** The rules by which programs are verified that are compared with a kernel: that kernel's. */
import { kernelTypes } from "../../object/kernel-types.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import { objectOptionsFor } from "../../oracle/linux/object-options.ts";
import { DEFAULT_RULES, type Rules } from "../../semantics/profile/rules.ts";

const known = new WeakMap<Kernel, Rules>();

/** With the kernel's types, if it tells them. */
export function rulesOf(kernel: Kernel): Rules {
  let rules = known.get(kernel);
  if (rules === undefined) {
    const { targetBtf } = objectOptionsFor(kernel);
    rules = targetBtf === undefined ? DEFAULT_RULES : { ...DEFAULT_RULES, types: kernelTypes(targetBtf) };
    known.set(kernel, rules);
  }
  return rules;
}
