/** A run in progress: its state, and what it has done to the world so far. */
import type { Clone, Redirect } from "./effects.ts";
import { LateMap } from "./late-map.ts";
import type { CgroupStorage } from "./maps/cgroup-storage.ts";
import type { LoadedProgram } from "./maps/map.ts";
import { type MapValue, newValue } from "./maps/storage.ts";
import { Held } from "./objects/held.ts";
import type { ReservedRecord } from "./objects/record.ts";
import type { Timer } from "./objects/timer.ts";
import type { Region } from "./region.ts";
import type { State } from "./state.ts";
import { TracingDone } from "./tracing-effects.ts";

export class Run {
  readonly state: State;
  /** The trace's lines. */
  readonly printed: string[] = [];
  redirect: Redirect | undefined;
  readonly clones: Clone[] = [];
  /** What the program has to give back before it ends. */
  readonly held = new Held();
  /** The timer whose function runs; nothing in a program's own run. */
  timer: Timer | undefined;
  readonly #groupValues = new LateMap<CgroupStorage, MapValue>();
  /** Its records of ring buffers. */
  readonly records = new LateMap<Region, ReservedRecord>();
  /** What it has done to the system around it. */
  readonly tracing = new TracingDone();
  tailCalls = 0;
  /** A tail call has replaced the program since the interpreter last looked. */
  entered = false;
  /** The program has ended, in whatever frame. */
  ended = false;
  #random: number;

  constructor(state: State) {
    this.state = state;
    this.#random = state.environment.seed ?? 0;
  }

  /** What the run's control group has in a map, zeros at first. */
  groupValue(map: CgroupStorage): MapValue {
    const value = this.#groupValues.get(map) ?? newValue(map.definition);
    this.#groupValues.set(map, value);
    return value;
  }

  /** The next of the numbers that the environment's seed stands for, of 32 bits (the generator splitmix32). */
  random(): number {
    this.#random = (this.#random + 0x9e3779b9) | 0;
    const a = Math.imul(this.#random ^ (this.#random >>> 16), 0x21f0aaad);
    const b = Math.imul(a ^ (a >>> 15), 0x735a2d97);
    return (b ^ (b >>> 15)) >>> 0;
  }

  /** Continues at the start of another program. */
  enter(target: LoadedProgram): void {
    this.tailCalls += 1;
    this.state.replace(target);
    this.entered = true;
  }
}
