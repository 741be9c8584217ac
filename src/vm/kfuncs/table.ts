/** The kernel's functions that the machine has, by name, without `_impl`. */
import type { HelperTable } from "../helpers/helper.ts";
import { DYNPTR_FUNCTIONS } from "./dynptr.ts";
import { SECTION_FUNCTIONS } from "./sections.ts";

export const KERNEL_FUNCTIONS: HelperTable = {
  ...DYNPTR_FUNCTIONS,
  ...SECTION_FUNCTIONS,
};
