/**
 * Work that asks a kernel, as a generator: it yields system calls and goes on with what came of them. So each piece of work reads as if it were
 * alone, and many of them go to the kernel in one list of calls, which for a guest saves most of the time.
 */
import type { Argument, Kernel, Outcome, SystemCall } from "../calls.ts";

/** What is told of the work: which part, and how much of it is done. */
export type ProbeProgress = (part: string, done: number, of: number) => void;

export type Ask<T> = Generator<readonly SystemCall[], T, readonly Outcome[]>;

/** Does one piece of work. */
export function answer<T>(kernel: Kernel, ask: Ask<T>): T {
  let step = ask.next();
  while (step.done !== true) step = ask.next(kernel.calls(step.value));
  return step.value;
}

/** Pieces of work that go on side by side: more make lists that take too long to answer. */
const ABREAST = 48;

/** Several pieces of work as one, with their results in order. */
export function* all<T>(asks: Iterable<Ask<T>>): Ask<T[]> {
  const results: T[] = [];
  const waiting = [...asks].entries();
  let running: { index: number; ask: Ask<T>; calls: readonly SystemCall[] }[] = [];
  for (;;) {
    while (running.length < ABREAST) {
      const { value, done } = waiting.next();
      if (done === true) break;
      const [index, ask] = value;
      const step = ask.next();
      if (step.done === true) results[index] = step.value;
      else running.push({ index, ask, calls: step.value });
    }
    if (running.length === 0) return results;
    const outcomes = yield running.reduce<SystemCall[]>((list, { calls }) => {
      list.push(...shifted(calls, list.length));
      return list;
    }, []);
    let at = 0;
    const still: typeof running = [];
    for (const { index, ask, calls } of running) {
      const step = ask.next(outcomes.slice(at, at + calls.length));
      at += calls.length;
      if (step.done === true) results[index] = step.value;
      else still.push({ index, ask, calls: step.value });
    }
    running = still;
  }
}

/** The calls, where results of earlier ones are meant by their place in a list that begins `by` calls before. */
function shifted(calls: readonly SystemCall[], by: number): SystemCall[] {
  return calls.map((call) => ({
    ...call,
    arguments: call.arguments.map(
      (argument): Argument =>
        typeof argument === "object" && "resultOf" in argument
          ? { resultOf: argument.resultOf + by }
          : argument,
    ),
  }));
}
