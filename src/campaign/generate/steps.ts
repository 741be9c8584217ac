/** All kinds of steps, each as often as it is wanted. */
import { bounded, constant, copy, fork, linked, unary, withImmediate, withRegister } from "./arithmetic.ts";
import { ask, copied, field, moving } from "./calls.ts";
import type { Emit } from "./context.ts";
import { branch, callBack, callFunction, choice, clamp, loop, tailCall } from "./flow.ts";
import {
  access,
  atomic,
  change,
  fill,
  global,
  index,
  lookup,
  packet,
  record,
  spill,
  stackIndex,
} from "./memory.ts";

const WEIGHTS: readonly (readonly [Emit, number])[] = [
  [constant, 2],
  [copy, 3],
  [withImmediate, 6],
  [withRegister, 5],
  [unary, 2],
  [bounded, 4],
  [fork, 2],
  [linked, 3],
  [clamp, 3],
  [branch, 5],
  [choice, 3],
  [loop, 2],
  [callFunction, 2],
  [callBack, 1],
  [tailCall, 1],
  [spill, 4],
  [fill, 4],
  [stackIndex, 2],
  [packet, 4],
  [access, 6],
  [index, 5],
  [lookup, 3],
  [global, 2],
  [change, 2],
  [record, 1],
  [atomic, 2],
  [ask, 3],
  [field, 3],
  [copied, 1],
  [moving, 1],
];

export const STEPS: readonly Emit[] = WEIGHTS.flatMap(([emit, weight]) =>
  Array.from({ length: weight }, () => emit),
);
