/**
 * What a run has taken and must give back before it ends: references to objects, locks, and sections. A program that ends with any of it faults, so that what a
 * verifier lets through is seen.
 */
import { fault } from "../fault.ts";
import { LateMap } from "../late-map.ts";

/** Sections that nest: how deep the program is in each. */
export type Section = "RCU read section" | "section without preemption" | "section without interrupts";

export class Held {
  readonly #references = new LateMap<object, { readonly what: string; count: number }>();
  readonly #sections = new LateMap<Section, number>();

  /** Takes a reference; `token` stands for what it is to, `what` says it in a fault. */
  acquire(token: object, what: string): void {
    const found = this.#references.get(token);
    if (found === undefined) this.#references.set(token, { what, count: 1 });
    else found.count += 1;
  }

  /** Gives a reference back; says no if none is held. */
  release(token: object): boolean {
    const found = this.#references.get(token);
    if (found === undefined) return false;
    found.count -= 1;
    if (found.count === 0) this.#references.delete(token);
    return true;
  }

  holds(token: object): boolean {
    return this.#references.has(token);
  }

  depth(section: Section): number {
    return this.#sections.get(section) ?? 0;
  }

  enter(section: Section): void {
    this.#sections.set(section, this.depth(section) + 1);
  }

  /** Says no if the program is in no such section. */
  leave(section: Section): boolean {
    const depth = this.depth(section);
    if (depth > 0) this.#sections.set(section, depth - 1);
    return depth > 0;
  }

  /** The program ends: faults if it still has anything. */
  end(): void {
    for (const [, { what }] of this.#references.entries())
      fault("reference_leak", `the program ends and still has ${what}`);
    for (const [section, depth] of this.#sections.entries())
      if (depth > 0) fault("reference_leak", `the program ends in a ${section}`);
  }
}
