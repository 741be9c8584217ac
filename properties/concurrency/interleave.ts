/**
 * Operations of several processors on one element, in steps between which others may come: what Linux does at once is one step. From the kernel's documentation of maps: a hash table's
 * update puts a new element in the old one's place, an array's copies the value into the one that is there, word by word; BPF_F_LOCK does so with the element's lock held.
 */
import type { Call, ElementOperation, Result, Value } from "./history.ts";

/** An element as it lies in memory. */
export interface Element {
  /** Nothing while it is not there. A program that looked it up keeps the words, even if others are in its place. */
  words: bigint[] | undefined;
  locked: boolean;
}

/** An operation in steps; it yields where others may come, `"wait"` where it can only go on once the lock is free. */
export type Steps = Generator<"go" | "wait", Result, void>;
type Way = (element: Element, operation: ElementOperation) => Steps;

function refused(element: Element, operation: ElementOperation): number | undefined {
  if (operation.do !== "update") return undefined;
  if (operation.flags === "noexist" && element.words !== undefined) return -17;
  if (operation.flags === "exist" && element.words === undefined) return -2;
  return undefined;
}

function* copied(words: readonly bigint[]): Generator<"go", Value, void> {
  const found: bigint[] = [];
  for (let at = 0; at < words.length; at += 1) {
    found.push(words[at] ?? 0n);
    yield "go";
  }
  return found;
}

function* written(words: bigint[], value: Value): Generator<"go", number, void> {
  for (const [at, word] of value.entries()) {
    words[at] = word;
    yield "go";
  }
  return 0;
}

/** A word at once, as an atomic instruction does it. */
function add(words: bigint[] | undefined, by: bigint): Result {
  if (words === undefined) return "absent";
  const found = words[0] ?? 0n;
  words[0] = found + by;
  return [found];
}

/** Elements of an array: always there, written in place. */
export const inPlace: Way = function* (element, operation) {
  const words = element.words ?? [];
  yield "go";
  switch (operation.do) {
    case "lookup":
      return yield* copied(words);
    case "update":
      return refused(element, operation) ?? (yield* written(words, operation.value));
    case "add":
      return add(words, operation.by);
    case "delete":
      return -22;
  }
};

/** Elements of a hash table without preallocation: replaced as a whole, and what a reader has found stays as it is. */
export const replaced: Way = function* (element, operation) {
  yield "go";
  switch (operation.do) {
    case "lookup":
      return element.words === undefined ? "absent" : yield* copied(element.words);
    case "update": {
      // The bucket's lock is held from the check to the change.
      const error = refused(element, operation);
      if (error === undefined) element.words = [...operation.value];
      return error ?? 0;
    }
    case "delete": {
      const there = element.words !== undefined;
      element.words = undefined;
      return there ? 0 : -2;
    }
    case "add":
      return add(element.words, operation.by);
  }
};

/** With the element's lock held from the first word to the last. */
export const locked: Way = function* (element, operation) {
  while (element.locked) yield "wait";
  element.locked = true;
  const result = yield* inPlace(element, operation);
  element.locked = false;
  return result;
};

/** The addition as a load, an addition and a store: what a program does that is not atomic. */
export const notAtomic: Way = function* (element, operation) {
  if (operation.do !== "add") return yield* inPlace(element, operation);
  yield "go";
  const words = element.words ?? [];
  const found = words[0] ?? 0n;
  yield "go";
  words[0] = found + operation.by;
  return [found];
};

/** A check in one step and the change in another: what a hash table without its bucket's lock would do. */
export const unlockedBucket: Way = function* (element, operation) {
  if (operation.do !== "update") return yield* replaced(element, operation);
  yield "go";
  const error = refused(element, operation);
  yield "go";
  if (error === undefined) element.words = [...operation.value];
  return error ?? 0;
};

interface Running {
  readonly thread: number;
  /** What is still to be done. */
  readonly left: ElementOperation[];
  steps: Steps | undefined;
  begin: number;
}

/** Everything that can come of the threads' operations: each history once for each order of steps. */
export function* histories(
  way: Way,
  start: Value | undefined,
  threads: readonly (readonly ElementOperation[])[],
): Generator<readonly Call[], void, void> {
  // Generators cannot be copied: each order is run from the beginning, by the choices that were made before.
  const choices: number[] = [];
  for (;;) {
    const { calls, options } = run(way, start, threads, choices);
    if (calls !== undefined) yield calls;
    // The last choice that has another one after it.
    let at = options.length - 1;
    while (at >= 0 && (choices[at] ?? 0) + 1 >= (options[at] ?? 0)) at -= 1;
    if (at < 0) return;
    choices[at] = (choices[at] ?? 0) + 1;
    choices.length = at + 1;
  }
}

interface Ended {
  /** Nothing where all that were left waited. */
  readonly calls: readonly Call[] | undefined;
  /** How many threads could go on at each step. */
  readonly options: readonly number[];
}

/** One order of steps: the choices that are given, then always the first that can go on. */
function run(
  way: Way,
  start: Value | undefined,
  threads: readonly (readonly ElementOperation[])[],
  choices: readonly number[],
): Ended {
  const element: Element = { words: start === undefined ? undefined : [...start], locked: false };
  const running: Running[] = threads.map((operations, thread) => ({
    thread,
    left: [...operations],
    steps: undefined,
    begin: 0,
  }));
  const calls: Call[] = [];
  const options: number[] = [];
  for (let moment = 0; ; moment += 1) {
    const able = running.filter(
      ({ left, steps }) => (steps ?? left[0]) !== undefined && !waits(element, steps),
    );
    if (able.length === 0) {
      const done = running.every(({ left, steps }) => steps === undefined && left.length === 0);
      return { calls: done ? calls : undefined, options };
    }
    options.push(able.length);
    const one = able[choices[options.length - 1] ?? 0];
    if (one === undefined) throw new Error("a choice that there is not");
    advance(one, element, way, moment, calls);
  }
}

/** Threads that wait for a lock that is held cannot go on. */
const waiting = new WeakSet<Steps>();
const waits = (element: Element, steps: Steps | undefined): boolean =>
  steps !== undefined && element.locked && waiting.has(steps);

function advance(one: Running, element: Element, way: Way, moment: number, calls: Call[]): void {
  const [operation] = one.left;
  if (operation === undefined) return;
  if (one.steps === undefined) {
    one.steps = way(element, operation);
    one.begin = moment;
  }
  const { steps } = one;
  const next = steps.next();
  if (next.done === true) {
    calls.push({ thread: one.thread, operation, result: next.value, begin: one.begin, end: moment });
    one.left.shift();
    one.steps = undefined;
  } else if (next.value === "wait") waiting.add(steps);
  else waiting.delete(steps);
}
