/**
 * The ordered list of programs at one hook, with positions before and after others, as Linux keeps it for tcx. At a place is either a program alone, which the list holds, or a
 * link, which holds its program.
 */
import { EBUSY, EEXIST, EINVAL, ENOENT, ERANGE, ESTALE } from "../../vm/errno.ts";
import type { ProgramObject } from "../objects.ts";
import { typeOf } from "./attach-types.ts";
import { FLAGS } from "./flags.ts";
import type { LinkObject } from "./link.ts";
import { type Caller, linkByFd, linkById, programByFd, programById } from "./lookup.ts";

/** How many programs a hook has room for. */
const MOST = 64;

export interface Place {
  readonly program: ProgramObject;
  readonly link: LinkObject | undefined;
}

/** Where in the list, as the caller says it. */
export interface Position {
  readonly flags: number;
  /** A descriptor or an id of a program or link, by the flags; 0 for none. */
  readonly relative: number;
  /** What the list's revision has to be; 0 for any. */
  readonly revision: bigint;
}

export class ProgramList {
  #places: Place[] = [];
  /** Counts changes, from 1 on. */
  revision = 1n;

  get places(): readonly Place[] {
    return this.#places;
  }

  /**
   * Puts a program in, or in the place of `old`. Returns 0 or a negative error number.
   * @param link  makes the link that holds it, if it is to be one
   */
  attach(
    caller: Caller,
    program: ProgramObject,
    link: (() => LinkObject) | undefined,
    old: ProgramObject | undefined,
    position: Position,
  ): number {
    const { flags } = position;
    if (this.#isStale(position)) return ESTALE;
    if (this.#places.some((place) => place.program === program)) return EEXIST;
    const anchor = relativeTo(caller, program, position);
    if (typeof anchor === "number") return anchor;
    const replaced = (flags & FLAGS.replace) === 0 ? undefined : this.#exact(old);
    if (replaced !== undefined && replaced < 0) return replaced;
    if (replaced === undefined && this.#places.length >= MOST) return ERANGE;
    const at = this.#index(flags, anchor, replaced);
    if (typeof at !== "number") return at.error;
    const place = { program, link: link?.() };
    if (replaced === undefined) this.#insert(at, place);
    else this.#replace(at, place);
    return 0;
  }

  /** Takes a program away, or whatever is at the position. Returns 0 or a negative error number. */
  detach(caller: Caller, program: ProgramObject | undefined, position: Position): number {
    if ((position.flags & FLAGS.replace) !== 0) return EINVAL;
    if (this.#isStale(position)) return ESTALE;
    const anchor = relativeTo(caller, program, position);
    if (typeof anchor === "number") return anchor;
    const exact = program === undefined ? undefined : this.#exact(program);
    if (exact !== undefined && exact < 0) return exact;
    const index = this.#index(position.flags, anchor, exact);
    if (typeof index !== "number") return index.error;
    const at = Math.min(Math.max(index, 0), this.#places.length - 1);
    const place = this.#places[at];
    if (place === undefined) return ENOENT;
    if (place.link !== undefined) return EBUSY;
    this.#removeAt(at);
    return 0;
  }

  /** Takes a link away that is in the list. */
  removeLink(link: LinkObject): void {
    const at = this.#places.findIndex((place) => place.link === link);
    if (at !== -1) this.#removeAt(at);
  }

  /** A link's place gets another program. */
  exchange(link: LinkObject, program: ProgramObject): number {
    if (this.#places.some((place) => place.program === program)) return EEXIST;
    const at = this.#places.findIndex((place) => place.link === link);
    if (at === -1) return ENOENT;
    this.#replace(at, { program, link });
    return 0;
  }

  /** Takes everything away; the links are told by the caller. */
  clear(): void {
    for (const { program, link } of this.#places.splice(0)) if (link === undefined) program.put();
  }

  #isStale({ revision }: Position): boolean {
    return revision !== 0n && revision !== this.revision;
  }

  /** Where a program is in the list, on condition that no link holds it there. */
  #exact(program: ProgramObject | undefined): number {
    const at = this.#places.findIndex((place) => place.program === program);
    if (at === -1) return ENOENT;
    return this.#places[at]?.link === undefined ? at : EBUSY;
  }

  #find({ program, link }: Anchor): number {
    return this.#places.findIndex(
      (place) => place.program === program && (link === undefined || place.link === link),
    );
  }

  /** The index that flags and anchor say; all that is said has to agree. */
  #index(flags: number, anchor: Anchor, exact: number | undefined): number | { error: number } {
    let index = exact;
    const place = anchor.program === undefined ? undefined : this.#find(anchor);
    const both = [
      [FLAGS.before, place === undefined ? -1 : place - 1],
      [FLAGS.after, place === undefined ? this.#places.length : place + 1],
    ] as const;
    for (const [flag, found] of both) {
      if ((flags & flag) === 0) continue;
      if (place === -1) return { error: ENOENT };
      if (index !== undefined && index !== found) return { error: ERANGE };
      index = found;
    }
    if (index === undefined) {
      if (anchor.program !== undefined || flags !== 0) return { error: EINVAL };
      index = this.#places.length;
    }
    return index >= MOST ? { error: ERANGE } : index;
  }

  /** @param index  one in front of the place for what comes before another; the place itself for what comes after */
  #insert(index: number, place: Place): void {
    this.#places.splice(index, 0, place);
    if (place.link === undefined) place.program.hold();
    this.revision += 1n;
  }

  #replace(at: number, place: Place): void {
    const before = this.#places[at];
    this.#places[at] = place;
    if (place.link === undefined) place.program.hold();
    if (before !== undefined && before.link === undefined) before.program.put();
    this.revision += 1n;
  }

  #removeAt(at: number): void {
    for (const { program, link } of this.#places.splice(at, 1)) if (link === undefined) program.put();
    this.revision += 1n;
  }
}

interface Anchor {
  readonly program: ProgramObject | undefined;
  readonly link: LinkObject | undefined;
}

const NOTHING: Anchor = { program: undefined, link: undefined };

/** What the position is relative to, or a negative error number. @param like  its type is asked for, if there is one */
function relativeTo(
  caller: Caller,
  like: ProgramObject | undefined,
  { flags, relative }: Position,
): Anchor | number {
  const byId = (flags & FLAGS.id) !== 0;
  const fits = (program: ProgramObject): boolean => like === undefined || typeOf(program) === typeOf(like);
  if ((flags & FLAGS.link) !== 0) {
    if (!byId && relative === 0) return EINVAL;
    const link = byId ? linkById(caller, relative) : linkByFd(caller.process, relative | 0);
    if (typeof link === "number") return link;
    return fits(link.program) ? { program: link.program, link } : EINVAL;
  }
  if (!byId && relative === 0) return NOTHING;
  const program = byId ? programById(caller, relative) : programByFd(caller.process, relative | 0);
  if (typeof program === "number") return program;
  return fits(program) ? { program, link: undefined } : EINVAL;
}
