/** The kernel's functions that the machine has, by name, without `_impl`. */
import type { HelperTable } from "../helpers/helper.ts";
import { SECTION_FUNCTIONS } from "./sections.ts";

export const KERNEL_FUNCTIONS: HelperTable = { ...SECTION_FUNCTIONS };
