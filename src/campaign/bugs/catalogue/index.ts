/** All seeded bugs. */
import type { SeededBug } from "../bug.ts";
import { BOUNDS } from "./bounds.ts";
import { BRANCHES } from "./branches.ts";
import { CONTROL_FLOW } from "./control-flow.ts";
import { HELPERS } from "./helpers.ts";
import { LINK_BUGS } from "./links.ts";
import { MACHINE } from "./machine.ts";
import { OBJECT_BUGS } from "./objects.ts";
import { POINTERS } from "./pointers.ts";
import { PRUNING } from "./pruning.ts";
import { REFERENCES } from "./references.ts";
import { STACK_BUGS } from "./stack.ts";
import { TRANSFER } from "./transfer.ts";

export const BUGS: readonly SeededBug[] = [
  ...TRANSFER,
  ...BOUNDS,
  ...BRANCHES,
  ...LINK_BUGS,
  ...PRUNING,
  ...POINTERS,
  ...STACK_BUGS,
  ...HELPERS,
  ...REFERENCES,
  ...OBJECT_BUGS,
  ...MACHINE,
  ...CONTROL_FLOW,
];
