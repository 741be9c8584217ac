/**
 * Programs of cgroups. Each attach type of each cgroup has a list, and flags that all attaching to it has to agree with: a single program, one that those below may override, or several.
 * What runs for a cgroup is what is in its list and in those above.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { ATTACH_TYPES, type AttachType } from "../../semantics/program/program-types.ts";
import { E2BIG, EINVAL, ENOENT, ENOLINK, EPERM, ESTALE } from "../../vm/errno.ts";
import type { Target } from "../descriptors.ts";
import type { ProgramObject, Registry } from "../objects.ts";
import { typeOf } from "./attach-types.ts";
import { FLAGS } from "./flags.ts";
import { type LinkDetails, LinkObject } from "./link.ts";
import { type Caller, linkByFd, linkById, programByFd, programById } from "./lookup.ts";
import type { Position } from "./program-list.ts";

/** How many programs a list has room for. */
const MOST = 64;

interface Place {
  program: ProgramObject;
  readonly link: CgroupLink | undefined;
  /** Runs before what is below. */
  readonly preorder: boolean;
}

class Hook {
  readonly places: Place[] = [];
  /** BPF_F_ALLOW_OVERRIDE or BPF_F_ALLOW_MULTI, or neither. */
  flags = 0;
  revision = 1n;

  get multiple(): boolean {
    return (this.flags & FLAGS.allow_multi) !== 0;
  }
}

/** What is to be attached: a program, or what makes a link of it. */
interface Newcomer {
  readonly program: ProgramObject;
  readonly link: (() => CgroupLink) | undefined;
  readonly old: ProgramObject | undefined;
}

export class Cgroup {
  readonly name: string;
  readonly parent: Cgroup | undefined;
  readonly children = new Map<string, Cgroup>();
  readonly #hooks = new Map<AttachType, Hook>();
  #removed = false;

  constructor(name: string, parent: Cgroup | undefined) {
    this.name = name;
    this.parent = parent;
  }

  get isRemoved(): boolean {
    return this.#removed;
  }

  hook(attach: AttachType): Hook {
    const known = this.#hooks.get(attach);
    if (known !== undefined) return known;
    const hook = new Hook();
    this.#hooks.set(attach, hook);
    return hook;
  }

  /** The programs that the cgroup itself holds. */
  get held(): readonly ProgramObject[] {
    return [...this.#hooks.values()].flatMap(({ places }) =>
      places.flatMap(({ program, link }) => (link === undefined ? program : [])),
    );
  }

  /** BPF_PROG_ATTACH. Returns 0 or a negative error number. */
  attach(
    caller: Caller,
    attach: AttachType,
    program: ProgramObject,
    old: ProgramObject | undefined,
    at: Position,
  ): number {
    return this.#put(caller, attach, { program, link: undefined, old }, at);
  }

  /** BPF_LINK_CREATE. @returns the link, or a negative error number */
  link(caller: Caller, attach: AttachType, program: ProgramObject, at: Position): LinkObject | number {
    let made: CgroupLink | undefined;
    const link = (): CgroupLink => {
      made = new CgroupLink(caller.kernel.objects, program, this, attach);
      return made;
    };
    const flags = at.flags | FLAGS.allow_multi;
    const wrong = this.#put(caller, attach, { program, link, old: undefined }, { ...at, flags });
    return made ?? wrong;
  }

  #put(caller: Caller, attach: AttachType, { program, link, old }: Newcomer, at: Position): number {
    const { flags, revision } = at;
    const override = (flags & FLAGS.allow_override) !== 0;
    const multiple = (flags & FLAGS.allow_multi) !== 0;
    const replace = (flags & FLAGS.replace) !== 0;
    if ((override && multiple) || (replace && !multiple)) return EINVAL;
    if (replace && (flags & (FLAGS.before | FLAGS.after)) !== 0) return EINVAL;
    if (replace !== (old !== undefined)) return EINVAL;
    const hook = this.hook(attach);
    if (revision !== 0n && revision !== hook.revision) return ESTALE;
    if (!this.#isAllowed(attach)) return EPERM;
    const saved = flags & (FLAGS.allow_override | FLAGS.allow_multi);
    if (hook.places.length > 0 && hook.flags !== saved) return EPERM;
    if (hook.places.length >= MOST) return E2BIG;
    const there = entryFor(hook, program, link !== undefined, old, multiple);
    if (typeof there === "number" && there < 0) return there;
    const index = typeof there === "number" ? there : newIndex(caller, hook.places, link !== undefined, at);
    if (index < 0) return index;
    const preorder = (flags & FLAGS.preorder) !== 0;
    const place: Place = { program, link: link?.(), preorder };
    const [before] = hook.places.splice(index, typeof there === "number" ? 1 : 0, place);
    if (place.link === undefined) program.hold();
    hook.flags = saved;
    hook.revision += 1n;
    if (before !== undefined && before.link === undefined) before.program.put();
    return 0;
  }

  /** Whether the cgroups above leave it to this one what runs. */
  #isAllowed(attach: AttachType): boolean {
    for (const above of lineage(this.parent)) {
      const hook = above.hook(attach);
      if (hook.multiple) return true;
      if (hook.places.length === 1) return (hook.flags & FLAGS.allow_override) !== 0;
    }
    return true;
  }

  /** BPF_PROG_DETACH; @param program  nothing where the descriptor is none of a program of the type */
  detach(attach: AttachType, program: ProgramObject | undefined, revision: bigint): number {
    const hook = this.hook(attach);
    if (revision !== 0n && revision !== hook.revision) return ESTALE;
    if (!hook.multiple) {
      if (hook.places.length === 0) return ENOENT;
      return this.#takeAt(hook, 0);
    }
    if (program === undefined) return EINVAL;
    const at = hook.places.findIndex((place) => place.program === program && place.link === undefined);
    return at === -1 ? ENOENT : this.#takeAt(hook, at);
  }

  #takeAt(hook: Hook, at: number): number {
    for (const { program, link } of hook.places.splice(at, 1)) if (link === undefined) program.put();
    if (hook.places.length === 0) hook.flags = 0;
    hook.revision += 1n;
    return 0;
  }

  removeLink(attach: AttachType, link: CgroupLink): void {
    const hook = this.hook(attach);
    const at = hook.places.findIndex((place) => place.link === link);
    if (at !== -1) this.#takeAt(hook, at);
  }

  /** A link's place gets another program. */
  exchange(attach: AttachType, link: CgroupLink, program: ProgramObject): void {
    const hook = this.hook(attach);
    for (const place of hook.places) if (place.link === link) place.program = program;
    hook.revision += 1n;
  }

  /** What runs for this cgroup, in order. */
  effective(attach: AttachType): readonly ProgramObject[] {
    const first: ProgramObject[] = [];
    const rest: ProgramObject[] = [];
    let count = 0;
    for (const from of lineage(this)) {
      const hook = from.hook(attach);
      if (count > 0 && !hook.multiple) continue;
      count += hook.places.length;
      first.unshift(...hook.places.filter(({ preorder }) => preorder).map(({ program }) => program));
      rest.push(...hook.places.filter(({ preorder }) => !preorder).map(({ program }) => program));
    }
    return [...first, ...rest];
  }

  /** The directory is removed. */
  remove(): void {
    this.#removed = true;
    this.parent?.children.delete(this.name);
    for (const { places } of this.#hooks.values())
      for (const { program, link } of places.splice(0)) {
        if (link === undefined) program.put();
        else link.forget();
      }
  }
}

/** A cgroup and those above it. */
function lineage(cgroup: Cgroup | undefined): readonly Cgroup[] {
  return cgroup === undefined ? [] : [cgroup, ...lineage(cgroup.parent)];
}

/** The place that the newcomer takes over, if it does; or a negative error number. */
function entryFor(
  { places }: Hook,
  program: ProgramObject,
  isLink: boolean,
  old: ProgramObject | undefined,
  multiple: boolean,
): number | undefined {
  if (!multiple) return places.length === 0 ? undefined : 0;
  const held = (one: ProgramObject): number =>
    places.findIndex((place) => place.link === undefined && place.program === one);
  if (!isLink && program !== old && held(program) !== -1) return EINVAL;
  if (old === undefined) return undefined;
  const at = held(old);
  return at === -1 ? ENOENT : at;
}

/** Where a new place goes, by the position that the caller says; or a negative error number. */
function newIndex(
  caller: Caller,
  places: readonly Place[],
  forLink: boolean,
  { flags, relative }: Position,
): number {
  const [before, after] = [(flags & FLAGS.before) !== 0, (flags & FLAGS.after) !== 0];
  const isLink = (flags & FLAGS.link) !== 0;
  const byId = (flags & FLAGS.id) !== 0;
  if (isLink || byId || relative !== 0) {
    if (before === after) return EINVAL;
    // Links go before and after links, programs before and after programs.
    if (isLink !== forLink) return EINVAL;
  } else if (places.length > 0 && before && after) return EINVAL;
  if (!isLink && !byId && relative === 0) return before ? 0 : places.length;
  const anchor = anchorOf(caller, isLink, byId, relative);
  if (typeof anchor === "number") return anchor;
  const preorder = (flags & FLAGS.preorder) !== 0;
  const at = places.findIndex(({ program, link }) => (link ?? program) === anchor);
  if (at === -1) return ENOENT;
  if (places[at]?.preorder !== preorder) return EINVAL;
  return before ? at : at + 1;
}

function anchorOf(
  caller: Caller,
  isLink: boolean,
  byId: boolean,
  relative: number,
): LinkObject | ProgramObject | number {
  if (isLink) {
    if (byId) return linkById(caller, relative);
    return relative === 0 ? EINVAL : linkByFd(caller.process, relative | 0);
  }
  return byId ? programById(caller, relative) : programByFd(caller.process, relative | 0);
}

class CgroupLink extends LinkObject {
  readonly #attach: AttachType;
  #cgroup: Cgroup | undefined;

  constructor(registry: Registry, program: ProgramObject, cgroup: Cgroup, attach: AttachType) {
    super(registry, "cgroup", program);
    this.#cgroup = cgroup;
    this.#attach = attach;
  }

  /** The cgroup is gone. */
  forget(): void {
    this.#cgroup = undefined;
  }

  protected release(): void {
    this.#cgroup?.removeLink(this.#attach, this);
    this.forget();
  }

  override detach(): number {
    this.release();
    return 0;
  }

  override update(program: ProgramObject, old: ProgramObject | undefined): number {
    if (this.#cgroup === undefined) return ENOLINK;
    if (old !== undefined && old !== this.program) return EPERM;
    if (typeOf(program) !== typeOf(this.program)) return EINVAL;
    this.#cgroup.exchange(this.#attach, this, program);
    this.exchange(program);
    return 0;
  }

  details(): LinkDetails {
    if (this.#cgroup !== undefined) throw new Unsupported("information of a link to a cgroup: its number");
    return [[24, ATTACH_TYPES.indexOf(this.#attach)]];
  }
}

/** What an open directory of a cgroup is. */
export class CgroupFile implements Target {
  readonly kind = "cgroup";
  readonly id = 0;
  readonly cgroup: Cgroup;

  constructor(cgroup: Cgroup) {
    this.cgroup = cgroup;
  }

  holdUser(): void {}

  putUser(): void {}
}
