/** Maps of sockets, as tables of references: those that redirect (sockmap, sockhash), choose among listeners (reuseport_sockarray) or take packets from a device (xskmap). */
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Socket } from "../environment/sockets.ts";
import { E2BIG, EBUSY, EEXIST, EINVAL, ENOENT, ENOSPC, ENOTSOCK, ENOTSUPP, EOPNOTSUPP } from "../errno.ts";
import { nextIndex } from "./array.ts";
import { jenkins } from "./jenkins.ts";
import { indexOf } from "./storage.ts";
import { Table } from "./table.ts";
import { BPF_EXIST, BPF_NOEXIST, isUnknownUpdate, type Referent, UserSide } from "./user-side.ts";

/** A socket as maps care for it. */
export interface ReferredSocket extends Referent {
  readonly kind: "socket";
  /** What a look-up tells. */
  readonly cookie: bigint;
  readonly family: "inet" | "unix" | "xdp" | "other";
  readonly protocol: "tcp" | "udp" | "other";
  /** Whether a TCP socket is connected or listens, and a UDP socket is bound. */
  readonly open: boolean;
  /** It is bound with SO_REUSEPORT. */
  readonly reuseport: boolean;
  /** What programs see of it that look it up. */
  readonly seen?: Socket;
  /** Of an AF_XDP socket: the queue that it takes packets from. */
  readonly queue?: number;
}

const isSocket = (held: Referent): held is ReferredSocket => held.kind === "socket" && "cookie" in held;

/** What a socket has to do with a map that it is put into, or taken out of. */
export interface Mapping {
  /** Returns 0 or a negative error number, with which it is not put there. */
  readonly enter: (socket: ReferredSocket) => number;
  /** There is no place for it after all. */
  readonly refuse: (socket: ReferredSocket) => void;
  readonly leave: (socket: ReferredSocket) => void;
}

const NO_MAPPING: Mapping = { enter: () => 0, refuse: () => undefined, leave: () => undefined };

export class SocketMap extends UserSide {
  readonly kind = "sockets";
  mapping = NO_MAPPING;
  readonly #sockets: Table<ReferredSocket>;

  constructor(definition: MapDefinition) {
    super(definition);
    this.#sockets = new Table(definition.maxEntries, (key) => jenkins(key, 0));
  }

  reset(): void {
    const sockets = [...this.#sockets.byAge()].map(({ held }) => held);
    this.#sockets.clear();
    for (const socket of sockets) this.mapping.leave(socket);
  }

  /** Takes a socket out, wherever it is. */
  drop(socket: ReferredSocket): void {
    for (const { key, held } of this.#sockets.byAge()) if (held === socket) this.#take(key, socket);
  }

  #take(key: Uint8Array, socket: ReferredSocket): void {
    this.#sockets.remove(key);
    this.mapping.leave(socket);
  }

  find(key: Uint8Array): ReferredSocket | undefined {
    return this.#sockets.get(key);
  }

  get #isHash(): boolean {
    return this.definition.type === "sockhash";
  }

  #isOutside(key: Uint8Array): boolean {
    return !this.#isHash && indexOf(key) >= this.definition.maxEntries;
  }

  /** A program's or user space's update. Returns 0 or a negative error number. */
  put(key: Uint8Array, socket: ReferredSocket, flags: bigint): number {
    if (flags > BPF_EXIST) return EINVAL;
    if (this.#isOutside(key)) return E2BIG;
    const existing = this.find(key);
    if (this.definition.type === "reuseport_sockarray") {
      const problem = this.#placeProblem(existing, socket, flags) || this.mapping.enter(socket);
      if (problem !== 0) return problem;
    } else {
      // Linux tells the socket first, which may learn from that even where nothing comes of it.
      const entered = this.mapping.enter(socket);
      if (entered !== 0) return entered;
      const problem = this.#placeProblem(existing, socket, flags);
      if (problem !== 0) {
        this.mapping.refuse(socket);
        return problem;
      }
    }
    this.#sockets.insert(key, socket);
    if (existing !== undefined) this.mapping.leave(existing);
    return 0;
  }

  #placeProblem(existing: ReferredSocket | undefined, socket: ReferredSocket, flags: bigint): number {
    const { type, maxEntries } = this.definition;
    if (existing !== undefined && flags === BPF_NOEXIST) return EEXIST;
    if (existing === undefined && flags === BPF_EXIST) return ENOENT;
    const problem = type === "reuseport_sockarray" ? this.#checkListener(socket) : 0;
    if (problem !== 0) return problem;
    return existing === undefined && this.#sockets.size >= maxEntries ? E2BIG : 0;
  }

  #checkListener(socket: ReferredSocket): number {
    const { family, protocol, reuseport } = socket;
    if (family !== "inet" || protocol === "other") return ENOTSUPP;
    if (!reuseport) return EINVAL;
    for (const { held } of this.#sockets.byAge()) if (held === socket) return EBUSY;
    return 0;
  }

  remove(key: Uint8Array): number {
    const socket = this.find(key);
    const there = socket !== undefined;
    if (there) this.#take(key, socket);
    switch (this.definition.type) {
      case "sockmap":
        return there ? 0 : EINVAL;
      case "xskmap":
        return this.#isOutside(key) ? EINVAL : 0;
      case "reuseport_sockarray":
        if (this.#isOutside(key)) return E2BIG;
        return there ? 0 : ENOENT;
      default:
        return there ? 0 : ENOENT;
    }
  }

  protected override userLookup(key: Uint8Array): Uint8Array | number {
    if (this.definition.type === "xskmap") return EOPNOTSUPP;
    if (this.definition.valueSize !== 8) return ENOSPC;
    const socket = this.find(key);
    if (socket === undefined) return ENOENT;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, socket.cookie, true);
    return bytes;
  }

  #accept(value: Uint8Array): ReferredSocket | number {
    const view = new DataView(value.buffer, value.byteOffset);
    const descriptor = value.length === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
    if (descriptor > 0x7fff_ffffn) return EINVAL;
    const held = this.held(Number(descriptor));
    if (typeof held === "number") return held;
    return isSocket(held) ? held : ENOTSOCK;
  }

  protected override userUpdate(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const { type } = this.definition;
    const redirects = type === "sockmap" || type === "sockhash";
    if (!redirects) {
      if (flags > BPF_EXIST || isUnknownUpdate(flags)) return EINVAL;
      if (this.#isOutside(key)) return E2BIG;
    }
    const socket = this.#accept(value);
    if (typeof socket === "number") return socket;
    if (type === "xskmap" && socket.family !== "xdp") return EOPNOTSUPP;
    if (redirects && !isRedirectable(socket)) return EOPNOTSUPP;
    return this.put(key, socket, flags);
  }

  protected override userDelete(key: Uint8Array): number {
    return this.remove(key);
  }

  protected override userNext(key: Uint8Array | undefined): Uint8Array | number {
    if (!this.#isHash) return nextIndex(this.definition, key);
    return this.#sockets.keyAfter(key) ?? ENOENT;
  }
}

/** Sockets of the local domain, of UDP that are bound, and of TCP that are connected or listen. */
const isRedirectable = ({ family, protocol, open }: ReferredSocket): boolean =>
  family === "unix" || (family === "inet" && protocol !== "other" && open);
