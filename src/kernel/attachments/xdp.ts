/**
 * XDP programs of a device: one in the driver or one on socket buffers, not both. Attached by netlink, the device holds the program; a link
 * holds it itself.
 */
import { EBUSY, EEXIST, EINVAL, ENOLINK, EOPNOTSUPP, EPERM } from "../../vm/errno.ts";
import type { ProgramObject, Registry } from "../objects.ts";
import { expectedAttach, typeOf } from "./attach-types.ts";
import { type LinkDetails, LinkObject, type Numbered } from "./link.ts";

/** linux/if_link.h */
export const XDP_FLAGS = {
  update_if_noexist: 1 << 0,
  generic: 1 << 1,
  native: 1 << 2,
  hardware: 1 << 3,
  replace: 1 << 4,
} as const;
const MODES = ["generic", "native", "hardware"] as const;
export type XdpMode = (typeof MODES)[number];
const XDP_MODE_FLAGS = XDP_FLAGS.generic | XDP_FLAGS.native | XDP_FLAGS.hardware;
const OTHER = { generic: "native", native: "generic" } as const;

export const modesOf = (flags: number): readonly XdpMode[] =>
  MODES.filter((mode) => (flags & XDP_FLAGS[mode]) !== 0);

interface Attached {
  readonly program: ProgramObject;
  readonly link: XdpLink | undefined;
}

/** What is to be attached, and what has to be there. */
interface Change {
  /** A program, a link's program; nothing takes away what is there. */
  readonly program: ProgramObject | undefined;
  readonly link: boolean;
  readonly old: ProgramObject | undefined;
  readonly flags: number;
}

export class XdpHook {
  readonly #device: Numbered;
  readonly #native: boolean;
  readonly #attached = new Map<XdpMode, Attached>();

  constructor(device: Numbered, native: boolean) {
    this.#device = device;
    this.#native = native;
  }

  get attached(): ReadonlyMap<XdpMode, Attached> {
    return this.#attached;
  }

  /** The mode that flags say; without any it is the driver's if it has one. */
  modeOf(flags: number): XdpMode {
    return modesOf(flags).at(-1) ?? (this.#native ? "native" : "generic");
  }

  /** By netlink. Returns 0 or a negative error number. */
  set(program: ProgramObject | undefined, old: ProgramObject | undefined, flags: number): number {
    const mode = this.modeOf(flags);
    const wrong = this.#check({ program, link: false, old, flags });
    if (wrong !== 0) return wrong;
    const before = this.#attached.get(mode);
    if (program === undefined) this.#attached.delete(mode);
    else this.#attached.set(mode, { program, link: undefined });
    program?.hold();
    before?.program.put();
    return 0;
  }

  /** By a link. Returns the link, or a negative error number. */
  link(registry: Registry, program: ProgramObject, flags: number): XdpLink | number {
    const mode = this.modeOf(flags);
    const wrong = this.#check({ program, link: true, old: undefined, flags });
    if (wrong !== 0) return wrong;
    const link = new XdpLink(registry, program, this.#device, this, mode);
    this.#attached.set(mode, { program, link });
    return link;
  }

  #check({ program, link, old, flags }: Change): number {
    if (link && (flags & ~XDP_MODE_FLAGS) !== 0) return EINVAL;
    const modes = modesOf(flags);
    if (modes.length > 1) return EINVAL;
    if (modes.length === 0 && this.#attached.size > 1) return EINVAL;
    if (old !== undefined && (flags & XDP_FLAGS.replace) === 0) return EINVAL;
    const mode = this.modeOf(flags);
    const now = this.#attached.get(mode);
    if (now?.link !== undefined) return EBUSY;
    if (link && now !== undefined) return EBUSY;
    if ((flags & XDP_FLAGS.replace) !== 0 && now?.program !== old) return EEXIST;
    if (program !== undefined) {
      if ((flags & XDP_FLAGS.update_if_noexist) !== 0 && now !== undefined) return EBUSY;
      if (mode !== "hardware" && this.#attached.has(OTHER[mode])) return EEXIST;
      if (["xdp_devmap", "xdp_cpumap"].includes(expectedAttach(program))) return EINVAL;
    }
    if (program === now?.program) return 0;
    return this.#install(mode);
  }

  #install(mode: XdpMode): number {
    if (mode === "generic") return 0;
    if (!this.#native) return EOPNOTSUPP;
    return mode === "hardware" ? EINVAL : 0;
  }

  /** A link's place gets another program. */
  exchange(mode: XdpMode, link: XdpLink, program: ProgramObject): void {
    this.#attached.set(mode, { program, link });
  }

  remove(mode: XdpMode): void {
    this.#attached.delete(mode);
  }

  /** The device goes. */
  close(): void {
    const all = [...this.#attached.values()];
    this.#attached.clear();
    for (const { program, link } of all) {
      if (link === undefined) program.put();
      else link.forget();
    }
  }
}

class XdpLink extends LinkObject {
  readonly #mode: XdpMode;
  #device: Numbered | undefined;
  #hook: XdpHook | undefined;

  constructor(registry: Registry, program: ProgramObject, device: Numbered, hook: XdpHook, mode: XdpMode) {
    super(registry, "xdp", program);
    this.#device = device;
    this.#hook = hook;
    this.#mode = mode;
  }

  /** What it was attached to is gone. */
  forget(): void {
    this.#device = undefined;
    this.#hook = undefined;
  }

  protected release(): void {
    this.#hook?.remove(this.#mode);
    this.forget();
  }

  override detach(): number {
    this.release();
    return 0;
  }

  override update(program: ProgramObject, old: ProgramObject | undefined): number {
    if (this.#hook === undefined) return ENOLINK;
    if (old !== undefined && old !== this.program) return EPERM;
    if (typeOf(program) !== "xdp" || expectedAttach(program) !== expectedAttach(this.program)) return EINVAL;
    if (program === this.program) return 0;
    this.exchange(program);
    this.#hook.exchange(this.#mode, this, program);
    return 0;
  }

  details(): LinkDetails {
    return [[16, this.#device?.index ?? 0]];
  }
}
