/** The kernel's functions that the machine has, by name, without `_impl`. */
import type { HelperTable } from "../helpers/helper.ts";
import { ARENA_FUNCTIONS } from "./arena.ts";
import { CAST_FUNCTIONS } from "./casts.ts";
import { DYNPTR_FUNCTIONS } from "./dynptr.ts";
import { ITERATOR_FUNCTIONS } from "./iterators.ts";
import { LIST_FUNCTIONS } from "./lists.ts";
import { LOCK_FUNCTIONS } from "./locks.ts";
import { OWN_OBJECT_FUNCTIONS } from "./own-objects.ts";
import { SECTION_FUNCTIONS } from "./sections.ts";
import { STRING_FUNCTIONS } from "./strings.ts";
import { TASK_FUNCTIONS } from "./tasks.ts";
import { TREE_FUNCTIONS } from "./trees.ts";
import { WORK_FUNCTIONS } from "./work.ts";

export const KERNEL_FUNCTIONS: HelperTable = {
  ...ARENA_FUNCTIONS,
  ...CAST_FUNCTIONS,
  ...DYNPTR_FUNCTIONS,
  ...ITERATOR_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...LOCK_FUNCTIONS,
  ...OWN_OBJECT_FUNCTIONS,
  ...SECTION_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...TASK_FUNCTIONS,
  ...TREE_FUNCTIONS,
  ...WORK_FUNCTIONS,
};
