/** The steps of probes, each as often as it is wanted. */
import {
  atomic,
  branch,
  call,
  callersElement,
  constantPlace,
  element,
  exchange,
  keep,
  loop,
  packetElement,
  packetTwice,
  sized,
  stackElement,
} from "./memory-steps.ts";
import {
  clamp,
  copy,
  either,
  fetch,
  fill,
  guard,
  link,
  mask,
  pair,
  put,
  spill,
  split,
  unary,
  withConstant,
  withNumber,
} from "./number-steps.ts";
import { loadThrough, lookUp } from "./pointer-steps.ts";
import { CALLERS_STACK, type Step } from "./probe.ts";

type Weights = readonly (readonly [Step, number])[];

const all = (weights: Weights): readonly Step[] =>
  weights.flatMap(([step, weight]) => Array.from({ length: weight }, () => step));

/** On numbers alone: what a function may do that knows of nothing else. */
const NUMBERS: Weights = [
  [put, 1],
  [mask, 3],
  [withConstant, 4],
  [withNumber, 3],
  [unary, 1],
  [copy, 3],
  [split, 2],
  [guard, 2],
  [clamp, 2],
  [link, 2],
  [pair, 3],
  [either, 3],
  [exchange, 2],
];

/** Inside of branches and loops. */
const INNER: Weights = [
  ...NUMBERS,
  [fetch, 4],
  [spill, 2],
  [fill, 2],
  [element, 2],
  [stackElement, 1],
  [atomic, 1],
  [keep, 1],
];

export const CALLEE_STEPS: readonly Step[] = all([
  ...NUMBERS,
  [callersElement, 4],
  [constantPlace(CALLERS_STACK), 6],
]);

export const PROBE_STEPS: readonly Step[] = all([
  ...INNER,
  [fetch, 2],
  [spill, 1],
  [fill, 1],
  [element, 3],
  [constantPlace(), 2],
  [packetElement, 2],
  [packetTwice(all(INNER)), 2],
  [sized, 2],
  [loadThrough, 1],
  [lookUp, 1],
  [call, 3],
  [branch(all(INNER)), 6],
  [loop(all(INNER)), 1],
]);
