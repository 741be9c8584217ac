/**
 * The queueing disciplines of a device that carry filters: clsact, and ingress, which has the one direction only. Filters hold their programs, whoever made them; they go with the
 * discipline, and that with the device.
 */
import { EEXIST, EINVAL, ENOENT } from "../../vm/errno.ts";
import type { ProgramObject } from "../objects.ts";
import type { TcxHook } from "./tcx.ts";

export type Discipline = "clsact" | "ingress";
export type Direction = "ingress" | "egress";

/** How a request creates: only what is not there, only what is, or either. */
export type Manner = "create" | "exclusive" | "change";

export interface Filter {
  readonly priority: number;
  readonly handle: number;
  readonly program: ProgramObject;
}

/** The first priority that the kernel gives itself; those from the second number on are taken for its own. */
const OWN_PRIORITY = 0xc000;
const OWN_FROM = 0x8000;

export class TrafficControl {
  readonly #hooks: Readonly<Record<Direction, TcxHook>>;
  #discipline: Discipline | undefined;
  /** Whether one was ever asked for. */
  #had = false;
  readonly #filters: Record<Direction, Filter[]> = { ingress: [], egress: [] };

  constructor(hooks: Readonly<Record<Direction, TcxHook>>) {
    this.#hooks = hooks;
  }

  get discipline(): Discipline | undefined {
    return this.#discipline;
  }

  get all(): readonly Filter[] {
    return [...this.#filters.ingress, ...this.#filters.egress];
  }

  filters(direction: Direction): readonly Filter[] {
    return this.#filters[this.#list(direction)];
  }

  /** The ingress discipline has one list, whatever direction is asked for. */
  #list(direction: Direction): Direction {
    return this.#discipline === "ingress" ? "ingress" : direction;
  }

  /** Returns 0 or a negative error number. */
  create(discipline: Discipline, manner: Manner): number {
    this.#had = true;
    if (this.#discipline !== undefined) {
      if (manner === "exclusive") return EEXIST;
      return this.#discipline === discipline ? 0 : EINVAL;
    }
    if (manner === "change") return ENOENT;
    this.#discipline = discipline;
    for (const direction of this.#directions()) this.#hooks[direction].share(true);
    return 0;
  }

  delete(discipline: Discipline): number {
    if (this.#discipline !== discipline) return this.#had ? EINVAL : ENOENT;
    this.remove();
    return 0;
  }

  /** Takes the discipline away, if there is one, and its filters. */
  remove(): void {
    if (this.#discipline === undefined) return;
    for (const direction of this.#directions()) {
      this.#hooks[direction].share(false);
      for (const { program } of this.#filters[direction].splice(0)) program.put();
    }
    this.#discipline = undefined;
  }

  #directions(): readonly Direction[] {
    return this.#discipline === "clsact" ? ["ingress", "egress"] : ["ingress"];
  }

  /**
   * A filter with a program, or another program for one. Returns 0 or a negative error number.
   * @param program  looked up when the place is found; may be a negative error number
   */
  put(
    direction: Direction,
    wanted: { readonly priority: number; readonly handle: number; readonly manner: Manner },
    program: () => ProgramObject | number,
  ): number {
    if (this.#discipline === undefined) return EINVAL;
    const filters = this.#filters[this.#list(direction)];
    const { manner } = wanted;
    const priority = wanted.priority === 0 ? ownPriority(filters) : wanted.priority;
    const same = filters.filter((filter) => filter.priority === priority);
    const at = filters.findIndex((filter) => filter.priority === priority && filter.handle === wanted.handle);
    if (at === -1 && manner === "change") return ENOENT;
    if (at !== -1 && manner === "exclusive") return EEXIST;
    const found = program();
    if (typeof found === "number") return found;
    found.hold();
    const before = filters[at];
    if (before !== undefined) {
      filters[at] = { ...before, program: found };
      before.program.put();
      return 0;
    }
    const handle = wanted.handle === 0 ? lowestFree(same) : wanted.handle;
    const place = filters.findIndex((filter) => filter.priority >= priority);
    filters.splice(place === -1 ? filters.length : place, 0, { priority, handle, program: found });
    return 0;
  }

  /** Deletes a filter; all of a priority for handle 0; all there are for priority 0. */
  take(direction: Direction, priority: number, handle: number): number {
    if (this.#discipline === undefined) return EINVAL;
    const list = this.#list(direction);
    const filters = this.#filters[list];
    const gone = filters.filter(
      (filter) =>
        priority === 0 || (filter.priority === priority && (handle === 0 || filter.handle === handle)),
    );
    if (gone.length === 0 && priority !== 0) return ENOENT;
    this.#filters[list] = filters.filter((filter) => !gone.includes(filter));
    for (const { program } of gone) program.put();
    return 0;
  }
}

/** In front of the kernel's others, if there are any. */
function ownPriority(filters: readonly Filter[]): number {
  const first = filters.find(({ priority }) => priority >= OWN_FROM);
  return first === undefined ? OWN_PRIORITY : first.priority - 1;
}

function lowestFree(filters: readonly Filter[]): number {
  let handle = 1;
  while (filters.some((filter) => filter.handle === handle)) handle += 1;
  return handle;
}
