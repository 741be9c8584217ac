/** Programs of a device at the tcx hooks of traffic control: a list for each direction, with positions; programs alone and links are in one order. */
import { ATTACH_TYPES } from "../../semantics/program/program-types.ts";
import { EINVAL, ENOENT, ENOLINK, EPERM } from "../../vm/errno.ts";
import type { ProgramObject } from "../objects.ts";
import { typeOf } from "./attach-types.ts";
import { type LinkDetails, LinkObject, type Numbered } from "./link.ts";
import type { Caller } from "./lookup.ts";
import { type Position, ProgramList } from "./program-list.ts";

export type TcxAttach = "tcx_ingress" | "tcx_egress";

export class TcxHook {
  readonly #device: Numbered;
  #list: ProgramList | undefined;
  /** The clsact discipline's filters share the list, which is there as long as they may be. */
  #shared = false;

  constructor(device: Numbered) {
    this.#device = device;
  }

  get list(): ProgramList | undefined {
    return this.#list;
  }

  /** BPF_PROG_ATTACH. Returns 0 or a negative error number. */
  attach(caller: Caller, program: ProgramObject, old: ProgramObject | undefined, at: Position): number {
    return this.#change((list) => list.attach(caller, program, undefined, old, at));
  }

  /** BPF_PROG_DETACH. */
  detach(caller: Caller, program: ProgramObject | undefined, at: Position): number {
    if (this.#list === undefined) return ENOENT;
    return this.#change((list) => list.detach(caller, program, at));
  }

  /** BPF_LINK_CREATE. @returns the link, or a negative error number */
  link(caller: Caller, program: ProgramObject, attach: TcxAttach, at: Position): LinkObject | number {
    let link: TcxLink | undefined;
    const make = (): TcxLink => {
      link = new TcxLink(caller.kernel.objects, program, this.#device, this, attach);
      return link;
    };
    const wrong = this.#change((list) => list.attach(caller, program, make, undefined, at));
    return link ?? wrong;
  }

  exchange(link: LinkObject, program: ProgramObject): number {
    return this.#list?.exchange(link, program) ?? ENOENT;
  }

  removeLink(link: LinkObject): void {
    this.#change((list) => {
      list.removeLink(link);
      return 0;
    });
  }

  /** The device goes, or goes elsewhere. */
  close(): void {
    const list = this.#list;
    this.#list = undefined;
    for (const { link } of list?.places ?? []) if (link instanceof TcxLink) link.forget();
    list?.clear();
  }

  share(shared: boolean): void {
    this.#shared = shared;
    this.#change(() => 0);
  }

  #change(change: (list: ProgramList) => number): number {
    const list = this.#list ?? new ProgramList();
    const result = change(list);
    this.#list = list.places.length === 0 && !this.#shared ? undefined : list;
    return result;
  }
}

class TcxLink extends LinkObject {
  readonly #attach: TcxAttach;
  #device: Numbered | undefined;
  #hook: TcxHook | undefined;

  constructor(
    registry: ConstructorParameters<typeof LinkObject>[0],
    program: ProgramObject,
    device: Numbered,
    hook: TcxHook,
    attach: TcxAttach,
  ) {
    super(registry, "tcx", program);
    this.#device = device;
    this.#hook = hook;
    this.#attach = attach;
  }

  /** What it was attached to is gone. */
  forget(): void {
    this.#device = undefined;
    this.#hook = undefined;
  }

  protected release(): void {
    this.#hook?.removeLink(this);
    this.forget();
  }

  override detach(): number {
    this.release();
    return 0;
  }

  override update(program: ProgramObject, old: ProgramObject | undefined): number {
    if (this.#hook === undefined) return ENOLINK;
    if (old !== undefined && old !== this.program) return EPERM;
    if (program === this.program) return 0;
    if (typeOf(program) !== "sched_cls") return EINVAL;
    const wrong = this.#hook.exchange(this, program);
    if (wrong === 0) this.exchange(program);
    return wrong;
  }

  details(): LinkDetails {
    return [
      [16, this.#device?.index ?? 0],
      [20, ATTACH_TYPES.indexOf(this.#attach)],
    ];
  }
}
