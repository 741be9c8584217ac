/** Programs of a socket map: one for each of its attach types, which the map holds, or a link that holds the map. */
import { ATTACH_TYPES, type AttachType } from "../../semantics/program/program-types.ts";
import { EBUSY, EINVAL, ENOENT, ENOLINK, EOPNOTSUPP, EPERM } from "../../vm/errno.ts";
import type { Mapping, ReferredSocket, SocketMap } from "../../vm/maps/sockets.ts";
import type { KernelObject, MapObject, ProgramObject, Registry } from "../objects.ts";
import { expectedAttach, typeOf } from "./attach-types.ts";
import { type LinkDetails, LinkObject } from "./link.ts";
import { type MapPrograms, MappedSocket } from "./mapped-socket.ts";

interface Place {
  readonly program: ProgramObject;
  readonly link: SocketMapLink | undefined;
}

/** Of the two there is one alone. */
const EXCLUDES: Readonly<Partial<Record<AttachType, AttachType>>> = {
  sk_skb_stream_verdict: "sk_skb_verdict",
  sk_skb_verdict: "sk_skb_stream_verdict",
};

const redirects = ({ definition: { type } }: MapObject["storage"]): boolean =>
  type === "sockmap" || type === "sockhash";

export class SocketMapHook {
  readonly #places = new Map<AttachType, Place>();

  /** The hook of a map, or a negative error number. */
  static of(map: MapObject): SocketMapHook | number {
    if (!redirects(map.storage)) return EOPNOTSUPP;
    if (map.attached instanceof SocketMapHook) return map.attached;
    const hook = new SocketMapHook();
    map.attached = hook;
    return hook;
  }

  /** What sockets have to do with a map that they are put into, with the programs that it has then. */
  static mapping(map: MapObject, storage: SocketMap): Mapping {
    const programs: MapPrograms = {
      program: (attach) => (map.attached instanceof SocketMapHook ? map.attached.program(attach) : undefined),
    };
    const told = (socket: ReferredSocket): MappedSocket | undefined =>
      socket instanceof MappedSocket ? socket : undefined;
    if (!redirects(storage)) {
      return {
        enter: (socket) => told(socket)?.enterChoice(storage) ?? 0,
        refuse: () => undefined,
        leave: (socket) => told(socket)?.leaveChoice(),
      };
    }
    return {
      enter: (socket) => told(socket)?.enter(storage, programs) ?? 0,
      refuse: (socket) => told(socket)?.refuse(storage),
      leave: (socket) => told(socket)?.leave(storage, programs),
    };
  }

  /** The programs that the map itself holds. */
  get held(): readonly ProgramObject[] {
    return [...this.#places.values()].flatMap(({ program, link }) => (link === undefined ? program : []));
  }

  program(attach: AttachType): ProgramObject | undefined {
    return this.#places.get(attach)?.program;
  }

  /** Whether there may be a program of the type: 0 or a negative error number. */
  check(attach: AttachType): number {
    const other = EXCLUDES[attach];
    return other !== undefined && this.#places.has(other) ? EBUSY : 0;
  }

  /** BPF_PROG_ATTACH. Returns 0 or a negative error number. */
  attach(attach: AttachType, program: ProgramObject): number {
    const wrong = this.#checkFree(attach);
    if (wrong !== 0) return wrong;
    const before = this.#places.get(attach);
    program.hold();
    this.#places.set(attach, { program, link: undefined });
    before?.program.put();
    return 0;
  }

  /** BPF_PROG_DETACH. */
  detach(attach: AttachType, program: ProgramObject): number {
    const wrong = this.#checkFree(attach);
    if (wrong !== 0) return wrong;
    if (this.#places.get(attach)?.program !== program) return ENOENT;
    this.#places.delete(attach);
    program.put();
    return 0;
  }

  /** BPF_LINK_CREATE. @returns the link, or a negative error number */
  link(registry: Registry, attach: AttachType, program: ProgramObject, map: MapObject): LinkObject | number {
    const wrong = this.#checkFree(attach);
    if (wrong !== 0) return wrong;
    const before = this.#places.get(attach);
    const link = new SocketMapLink(registry, program, map, this, attach);
    this.#places.set(attach, { program, link });
    before?.program.put();
    return link;
  }

  #checkFree(attach: AttachType): number {
    const wrong = this.check(attach);
    return wrong === 0 && this.#places.get(attach)?.link !== undefined ? EBUSY : wrong;
  }

  exchange(attach: AttachType, link: SocketMapLink, program: ProgramObject): number {
    if (this.#places.get(attach)?.link !== link) return EBUSY;
    this.#places.set(attach, { program, link });
    return 0;
  }

  remove(attach: AttachType): void {
    this.#places.delete(attach);
  }

  /** User space can no longer reach the map. Links are users of it, so there are none. */
  close(): void {
    for (const { program } of this.#places.values()) program.put();
    this.#places.clear();
  }
}

class SocketMapLink extends LinkObject {
  readonly #map: MapObject;
  readonly #attach: AttachType;
  #hook: SocketMapHook | undefined;

  constructor(
    registry: Registry,
    program: ProgramObject,
    map: MapObject,
    hook: SocketMapHook,
    attach: AttachType,
  ) {
    super(registry, "sockmap", program);
    this.#map = map;
    this.#hook = hook;
    this.#attach = attach;
    map.holdUser();
  }

  override holds(): readonly KernelObject[] {
    return this.#hook === undefined ? super.holds() : [...super.holds(), this.#map];
  }

  override get userOf(): MapObject | undefined {
    return this.#hook === undefined ? undefined : this.#map;
  }

  protected release(): void {
    if (this.#hook === undefined) return;
    this.#hook.remove(this.#attach);
    this.#hook = undefined;
    this.#map.putUser();
  }

  override detach(): number {
    this.release();
    return 0;
  }

  override update(program: ProgramObject, old: ProgramObject | undefined): number {
    if (old !== undefined && old !== this.program) return EPERM;
    if (typeOf(program) !== typeOf(this.program)) return EINVAL;
    if (expectedAttach(program) !== expectedAttach(this.program)) return EINVAL;
    if (this.#hook === undefined) return ENOLINK;
    const wrong = this.#hook.exchange(this.#attach, this, program);
    if (wrong === 0) this.exchange(program);
    return wrong;
  }

  details(): LinkDetails {
    return [
      [16, this.#hook === undefined ? 0 : this.#map.id],
      [20, ATTACH_TYPES.indexOf(this.#attach)],
    ];
  }
}
