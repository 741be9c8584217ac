/**
 * Histories of operations on one element of a map, and whether they are linearisable: whether each operation could have happened at one moment between its call and its
 * return (Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects", 1990). Found out by search as Wing and Gong do it, with what was tried remembered (Lowe,
 * "Testing for linearizability", 2017).
 */

/** Values are words of 8 bytes; an element's value has several. */
export type Value = readonly bigint[];

export type ElementOperation =
  | { readonly do: "lookup" }
  | { readonly do: "update"; readonly value: Value; readonly flags: "any" | "noexist" | "exist" }
  | { readonly do: "delete" }
  /** BPF_ATOMIC with BPF_FETCH on the first word. */
  | { readonly do: "add"; readonly by: bigint };

/** A value, `absent`, an error number, or what an addition found. */
export type Result = Value | "absent" | number;

export interface Call {
  readonly thread: number;
  readonly operation: ElementOperation;
  readonly result: Result;
  /** Moments of call and return, in whatever unit: a call that returned before another one began has the smaller `end`. */
  readonly begin: number | bigint;
  readonly end: number | bigint;
}

const ENOENT = -2;
const EEXIST = -17;
const WORD = 64;

/** What an operation gives and leaves where it is alone. Elements of arrays are always there: they are not deleted. */
function alone(state: Value | undefined, operation: ElementOperation): readonly [Result, Value | undefined] {
  switch (operation.do) {
    case "lookup":
      return [state ?? "absent", state];
    case "update":
      if (operation.flags === "noexist" && state !== undefined) return [EEXIST, state];
      if (operation.flags === "exist" && state === undefined) return [ENOENT, state];
      return [0, operation.value];
    case "delete":
      return state === undefined ? [ENOENT, state] : [0, undefined];
    case "add": {
      if (state === undefined) return ["absent", state];
      const [first = 0n, ...rest] = state;
      return [[first], [BigInt.asUintN(WORD, first + operation.by), ...rest]];
    }
  }
}

const text = (result: Result | undefined): string => String(result);

/**
 * The calls in an order in which each gives alone what it gave; nothing if there is none.
 *
 * @param calls  those of one thread follow each other
 */
export function linearisation(calls: readonly Call[], start: Value | undefined): readonly Call[] | undefined {
  const threads = [...new Set(calls.map(({ thread }) => thread))].map((thread) =>
    calls.filter((call) => call.thread === thread).sort((a, b) => (a.begin < b.begin ? -1 : 1)),
  );
  const failed = new Set<string>();
  const order: Call[] = [];
  const search = (done: readonly number[], state: Value | undefined): boolean => {
    if (order.length === calls.length) return true;
    const key = `${done.join()}:${text(state)}`;
    if (failed.has(key)) return false;
    const first = threads.flatMap((thread, index) => thread[done[index] ?? 0] ?? []);
    for (const [index, thread] of threads.entries()) {
      const call = thread[done[index] ?? 0];
      // What returned before this one began comes first.
      if (call === undefined || first.some(({ end }) => end < call.begin)) continue;
      const [result, next] = alone(state, call.operation);
      if (text(result) !== text(call.result)) continue;
      order.push(call);
      if (search(done.with(index, (done[index] ?? 0) + 1), next)) return true;
      order.pop();
    }
    failed.add(key);
    return false;
  };
  return search(
    threads.map(() => 0),
    start,
  )
    ? order
    : undefined;
}

/** Whether the words of a value were never written together. */
export const isTorn = (value: Value, written: readonly Value[]): boolean =>
  !written.some((one) => text(one) === text(value));
