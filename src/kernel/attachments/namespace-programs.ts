/** Programs of a network namespace as a whole: the flow dissector, of which there is one, by itself or by a link; and look-ups of sockets, by links alone. */
import { Unsupported } from "../../semantics/errors.ts";
import { ATTACH_TYPES } from "../../semantics/program/program-types.ts";
import { E2BIG, EEXIST, EINVAL, ENOENT, ENOLINK, EPERM } from "../../vm/errno.ts";
import type { ProgramObject, Registry } from "../objects.ts";
import { typeOf } from "./attach-types.ts";
import { type LinkDetails, LinkObject } from "./link.ts";

export type NamespaceAttach = "flow_dissector" | "sk_lookup";

/** How many links there may be. */
const MOST: Readonly<Record<NamespaceAttach, number>> = { flow_dissector: 1, sk_lookup: 64 };

export class NamespaceHook {
  readonly #attach: NamespaceAttach;
  readonly #links: NamespaceLink[] = [];
  #program: ProgramObject | undefined;

  constructor(attach: NamespaceAttach) {
    this.#attach = attach;
  }

  /** What is attached, in order. */
  get programs(): readonly ProgramObject[] {
    return this.#program === undefined ? this.#links.map(({ program }) => program) : [this.#program];
  }

  get held(): readonly ProgramObject[] {
    return this.#program === undefined ? [] : [this.#program];
  }

  /** BPF_PROG_ATTACH. Returns 0 or a negative error number. */
  attach(program: ProgramObject): number {
    if (this.#links.length > 0) return EEXIST;
    if (program === this.#program) return EINVAL;
    program.hold();
    this.#program?.put();
    this.#program = program;
    return 0;
  }

  /** BPF_PROG_DETACH. */
  detach(program: ProgramObject): number {
    if (this.#links.length > 0) return EINVAL;
    if (program !== this.#program) return ENOENT;
    this.#program = undefined;
    program.put();
    return 0;
  }

  /** BPF_LINK_CREATE. @returns the link, or a negative error number */
  link(registry: Registry, program: ProgramObject): LinkObject | number {
    if (this.#links.length >= MOST[this.#attach]) return E2BIG;
    if (this.#program !== undefined) return EEXIST;
    const link = new NamespaceLink(registry, program, this, this.#attach);
    this.#links.push(link);
    return link;
  }

  remove(link: NamespaceLink): void {
    this.#links.splice(this.#links.indexOf(link), 1);
  }

  /** The namespace goes. */
  close(): void {
    for (const link of this.#links.splice(0)) link.forget();
    this.#program?.put();
    this.#program = undefined;
  }
}

class NamespaceLink extends LinkObject {
  readonly #attach: NamespaceAttach;
  #hook: NamespaceHook | undefined;

  constructor(registry: Registry, program: ProgramObject, hook: NamespaceHook, attach: NamespaceAttach) {
    super(registry, "netns", program);
    this.#hook = hook;
    this.#attach = attach;
  }

  /** What it was attached to is gone. */
  forget(): void {
    this.#hook = undefined;
  }

  protected release(): void {
    this.#hook?.remove(this);
    this.forget();
  }

  override detach(): number {
    this.release();
    return 0;
  }

  override update(program: ProgramObject, old: ProgramObject | undefined): number {
    if (old !== undefined && old !== this.program) return EPERM;
    if (typeOf(program) !== typeOf(this.program)) return EINVAL;
    if (this.#hook === undefined) return ENOLINK;
    this.exchange(program);
    return 0;
  }

  details(): LinkDetails {
    if (this.#hook !== undefined)
      throw new Unsupported("information of a link to a network namespace: its number");
    return [[20, ATTACH_TYPES.indexOf(this.#attach)]];
  }
}
