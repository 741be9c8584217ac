/** Runs calls that were drawn by chance in the machine and in the kernel, and counts by helper. */
import { Unsupported } from "../../src/semantics/errors.ts";
import { Pair } from "./pair.ts";
import { type TracingCall, tracingCall } from "./tracing-calls.ts";
import { mapUserMemory } from "./user-memory.ts";

export interface Tally {
  /** Calls that both made, and how many of them left something else. */
  compared: number;
  different: number;
  /** What the machine said that it does not model. */
  unsupported: number;
  /** Programs that the kernel refused: it looks into constant formats itself. */
  refused: number;
  /** What the kernel answered: error numbers, and 0 for anything else. */
  readonly answers: Set<number>;
}

export interface Difference {
  readonly seed: number;
  readonly helper: string;
  readonly machine: unknown;
  readonly kernel: unknown;
}

/** Error numbers are above. */
const FIRST_ERROR = -4096n;

function compare(call: TracingCall, seed: number, tally: Tally): Difference | undefined {
  let pair: Pair;
  try {
    pair = new Pair([call.program]);
  } catch (error) {
    if (call.mayBeRefused !== true) throw error;
    tally.refused += 1;
    return undefined;
  }
  try {
    const run = pair.run(0, call.environment);
    const contents = pair.contents();
    tally.compared += 1;
    const answer = Buffer.from(contents.kernel["out"]?.["00000000"] ?? "", "hex").readBigInt64LE(0);
    tally.answers.add(answer < 0n && answer > FIRST_ERROR ? Number(answer) : 0);
    const machine = [run.machine, contents.machine];
    const kernel = [run.kernel, contents.kernel];
    if (JSON.stringify(machine) === JSON.stringify(kernel)) return undefined;
    tally.different += 1;
    return { seed, helper: call.helper, machine, kernel };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    tally.unsupported += 1;
    return undefined;
  } finally {
    pair.close();
  }
}

/** Makes the calls of `count` seeds from `first` on. */
export function tallyCalls(
  first: number,
  count: number,
): { readonly tallies: ReadonlyMap<string, Tally>; readonly differences: readonly Difference[] } {
  mapUserMemory();
  const tallies = new Map<string, Tally>();
  const differences: Difference[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const call = tracingCall(seed);
    const tally = tallies.get(call.helper) ?? {
      compared: 0,
      different: 0,
      unsupported: 0,
      refused: 0,
      answers: new Set<number>(),
    };
    tallies.set(call.helper, tally);
    const difference = compare(call, seed, tally);
    if (difference !== undefined) differences.push(difference);
  }
  return { tallies, differences };
}
