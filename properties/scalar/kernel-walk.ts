/** Machine runs along the kernel's log: at each instruction every number must be inside the bounds that stand there. */
import type { LogFrame, StateLog, StatePath } from "../../src/oracle/linux/state-log.ts";
import type { View } from "../../src/vm/view.ts";
import { plainOf } from "./kernel-bounds.ts";
import { contains } from "./scalars.ts";

/** A place in the log that the machine may stand at. */
interface Place {
  readonly path: StatePath;
  /** The step that is about to be executed. */
  readonly index: number;
}

const at = ({ path, index }: Place, pc: number): boolean => path.steps[index]?.pc === pc;

/** A number that `frame` does not allow; `lookedUp` is called for each number. */
function escaped(frame: LogFrame | undefined, view: View, lookedUp: () => void): string | undefined {
  for (const [register, held] of frame?.registers ?? []) {
    const content = view.register(register);
    if (held.kind !== "scalar" || content.kind !== "number") continue;
    lookedUp();
    if (!contains(plainOf(held.bounds), content.value))
      return `R${register} is 0x${content.value.toString(16)}, which the bounds exclude`;
  }
  return undefined;
}

/**
 * Follows the machine through the paths of a log. Where the kernel splits a state, a run is in at least one of its parts; where a path ends at a
 * state that was explored before, the run is out of sight.
 */
export class LogWalk {
  readonly #log: StateLog;
  #places: readonly Place[] = [];
  #last = -1;
  #lost = false;
  /** Numbers that were looked up. */
  compared = 0;
  problem: { readonly pc: number; readonly message: string } | undefined;

  constructor(log: StateLog) {
    this.#log = log;
  }

  observe(pc: number, view: View): void {
    if (this.#lost || this.problem !== undefined) return;
    const reached = this.#reached(pc);
    if (this.#lost) return;
    const problems = reached.map(({ path, index }) =>
      escaped(path.steps[index]?.before, view, () => {
        this.compared += 1;
      }),
    );
    this.#places = reached.filter((_, i) => problems[i] === undefined);
    this.#last = pc;
    if (this.#places.length === 0) {
      this.problem = { pc, message: problems[0] ?? `the kernel takes insn ${pc} for impossible here` };
    }
  }

  #reached(pc: number): readonly Place[] {
    const { paths } = this.#log;
    const next =
      this.#last < 0
        ? paths.slice(0, 1).map((path) => ({ path, index: 0 }))
        : this.#places.map(({ path, index }) => ({ path, index: index + 1 }));
    const jumped = paths.filter(({ from, start }) => from === this.#last && start === pc);
    // An instruction that the kernel executes once for each part of a state.
    const again = paths.filter(({ from, start }) => from === pc && start === pc);
    const ended = next.some(({ path, index }) => path.covered && index >= path.steps.length);
    if (ended || jumped.some(({ covered }) => covered)) this.#lost = true;
    return [...next, ...[...jumped, ...again].map((path) => ({ path, index: 0 }))].filter((place) =>
      at(place, pc),
    );
  }
}
