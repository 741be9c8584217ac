/** Programs without loops, executed once for all inputs: where paths meet, their states become one, by the conditions under which each path is taken. */
import { all, any, constant, FALSE, ite, not, TRUE } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";

/** A state as a row of terms; what is `undefined` was never set, on some path at least, and must not be read. */
export type State = readonly (Term | undefined)[];

interface Arrival {
  readonly reached: Term<1>;
  readonly state: State;
}

function meet(into: Arrival, from: Arrival): Arrival {
  const state = into.state.map((old, index) => {
    const other = from.state[index];
    if (old === undefined || other === undefined) return undefined;
    return ite<number>(from.reached, other, old);
  });
  return { reached: any(into.reached, from.reached), state };
}

/** What an instruction does with the states that reach it. */
export interface Paths {
  /** Goes on at `target` where `condition` holds too. */
  readonly go: (target: number, state: State, condition?: Term<1>) => void;
  /** Ends with the value where `condition` holds too. */
  readonly end: (value: Term<32>, condition?: Term<1>) => void;
}

/**
 * The result for all inputs.
 *
 * @param step  executes one instruction; it goes forward alone
 */
export function execute(
  length: number,
  start: State,
  step: (pc: number, state: State, paths: Paths) => void,
): Term<32> {
  const arrivals: (Arrival | undefined)[] = [{ reached: TRUE, state: start }];
  let result: Term<32> = constant(32, 0);
  for (let pc = 0; pc < length; pc++) {
    const here = arrivals[pc];
    if (here === undefined) continue;
    const { reached, state } = here;
    step(pc, state, {
      go(target, next, condition = TRUE) {
        if (target <= pc || target >= length) throw new Error(`a jump from ${pc} to ${target}`);
        if (condition === FALSE) return;
        const arrival = { reached: all(reached, condition), state: next };
        const before = arrivals[target];
        arrivals[target] = before === undefined ? arrival : meet(before, arrival);
      },
      end(value, condition = TRUE) {
        result = ite(all(reached, condition), value, result);
      },
    });
  }
  return result;
}

/** Both ways of a condition. */
export const ways = (condition: Term<1>): readonly [Term<1>, Term<1>] => [condition, not(condition)];
