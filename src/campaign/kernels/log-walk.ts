/**
 * Machine runs along a kernel's log: at each instruction every number must be inside of the bounds that stand there, and the run must go where
 * the kernel has been.
 */
import type { LogBounds } from "../../oracle/linux/register-text.ts";
import type { LogFrame, StateLog, StatePath } from "../../oracle/linux/state-log.ts";
import type { View } from "../../vm/view.ts";

/** Whether a number of 64 bits is within bounds; of bounds that contradict each other nothing is. */
function allows(b: LogBounds, x: bigint): boolean {
  const [signed, low, signedLow] = [BigInt.asIntN(64, x), BigInt.asUintN(32, x), BigInt.asIntN(32, x)];
  return (
    (x & ~b.mask) === b.value &&
    b.umin <= x &&
    x <= b.umax &&
    b.smin <= signed &&
    signed <= b.smax &&
    b.umin32 <= low &&
    low <= b.umax32 &&
    b.smin32 <= signedLow &&
    signedLow <= b.smax32
  );
}

/** A place in the log that the machine may stand at. */
interface Place {
  readonly path: StatePath;
  /** The step that is about to be executed. */
  readonly index: number;
}

const at = ({ path, index }: Place, pc: number): boolean => path.steps[index]?.pc === pc;

/** A number that `frame` does not allow; `lookedUp` is called for each number. */
function escaped(frame: LogFrame | undefined, view: View, lookedUp: () => void): Escape | undefined {
  for (const [register, held] of frame?.registers ?? []) {
    if (held.kind !== "scalar") continue;
    const content = view.register(register);
    if (content.kind !== "number") continue;
    lookedUp();
    if (!allows(held.bounds, content.value)) return { register, value: content.value, bounds: held.bounds };
  }
  return undefined;
}

/** A number outside of the kernel's bounds. */
export interface Escape {
  readonly register: number;
  readonly value: bigint;
  readonly bounds: LogBounds;
}

export interface Problem {
  /** The instruction that was about to be executed, and the one before it. */
  readonly pc: number;
  readonly last: number;
  readonly message: string;
  /** One for each state that the kernel has here; none where it takes the instruction for impossible. */
  readonly escapes: readonly Escape[];
}

/** A log's paths by where they come from. Of a log that does not say so, all but the first may come from anywhere. */
class Comings {
  readonly first: readonly StatePath[];
  readonly #from = new Map<number, StatePath[]>();
  readonly #anywhere: StatePath[] = [];

  constructor({ paths }: StateLog) {
    this.first = paths.slice(0, 1);
    for (const path of paths.slice(1)) {
      if (path.from === undefined) this.#anywhere.push(path);
      else this.#from.set(path.from, [...(this.#from.get(path.from) ?? []), path]);
    }
  }

  /** Those that go from one instruction to another. */
  of(from: number, start: number): readonly StatePath[] {
    const found = this.#from.get(from) ?? [];
    return [...found, ...this.#anywhere].filter((path) => path.start === start);
  }

  /** Of an instruction that the kernel executes once for each part of a state. */
  again(pc: number): readonly StatePath[] {
    return this.#from.get(pc)?.filter(({ start }) => start === pc) ?? [];
  }
}

const comings = new WeakMap<StateLog, Comings>();

function comingsOf(log: StateLog): Comings {
  let found = comings.get(log);
  if (found === undefined) {
    found = new Comings(log);
    comings.set(log, found);
  }
  return found;
}

/**
 * Follows the machine through the paths of a log. Where the kernel splits a state, a run is in at least one of its parts; where a path ends at a
 * state that was explored before, the run is out of sight.
 */
export class LogWalk {
  readonly #comings: Comings;
  #places: readonly Place[] = [];
  #last = -1;
  #lost = false;
  /** Numbers that were looked up. */
  compared = 0;
  problem: Problem | undefined;

  constructor(log: StateLog) {
    this.#comings = comingsOf(log);
  }

  /** The run goes where the log's paths do not say what happens: nothing is looked up any more. */
  lose(): void {
    this.#lost = true;
  }

  observe(pc: number, view: View): void {
    if (this.#lost || this.problem !== undefined) return;
    const reached = this.#reached(pc);
    if (this.#lost) return;
    const escapes = reached.map(({ path, index }) =>
      escaped(path.steps[index]?.before, view, () => {
        this.compared += 1;
      }),
    );
    this.#places = reached.filter((_, i) => escapes[i] === undefined);
    if (this.#places.length === 0) {
      const [escape] = escapes;
      const message =
        escape === undefined
          ? `the kernel takes insn ${pc} for impossible here`
          : `R${escape.register} is 0x${escape.value.toString(16)}, which the bounds exclude`;
      this.problem = { pc, last: this.#last, message, escapes: escapes.filter((each) => each !== undefined) };
    }
    this.#last = pc;
  }

  #reached(pc: number): readonly Place[] {
    const next =
      this.#last < 0
        ? this.#comings.first.map((path) => ({ path, index: 0 }))
        : this.#places.map(({ path, index }) => ({ path, index: index + 1 }));
    const jumped = this.#comings.of(this.#last, pc);
    const again = this.#comings.again(pc);
    const ended = next.some(({ path, index }) => path.covered && index >= path.steps.length);
    if (ended || jumped.some(({ covered }) => covered)) this.#lost = true;
    return [...next, ...[...jumped, ...again].map((path) => ({ path, index: 0 }))].filter((place) =>
      at(place, pc),
    );
  }
}
