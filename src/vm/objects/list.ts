import type { InField } from "./field.ts";
import { leaveAll, type Thing } from "./thing.ts";

/** A list in a map's value or an object, from its front on. */
export class List implements InField {
  /** Where an object has the link by which it is in this list. */
  readonly link: number;
  readonly things: Thing[] = [];

  constructor(link: number) {
    this.link = link;
  }

  leave(): void {
    leaveAll(this.things.splice(0), this.link);
  }
}
