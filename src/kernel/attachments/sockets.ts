/**
 * Programs of sockets: a filter of what a socket receives, and what chooses among sockets that share an address. The socket holds them; it goes with the last descriptor of it, wherever
 * that is. Filters in classic BPF are programs without ids, which nobody else can hold.
 */
import { Unsupported } from "../../semantics/errors.ts";
import { EBADF, EINVAL, ENOENT, ENOTSOCK, EPERM } from "../../vm/errno.ts";
import type { Target } from "../descriptors.ts";
import type { NetworkNamespace } from "../network.ts";
import type { ProgramObject } from "../objects.ts";
import { type Holder, programByFd } from "./lookup.ts";
import { type Cookies, MappedSocket } from "./mapped-socket.ts";

/** A program, or a filter in classic BPF. */
type Filter = ProgramObject | "classic";

/** A UDP socket over IPv4. */
export class SocketFile implements Target {
  readonly kind = "socket";
  readonly id = 0;
  /** What it is to socket maps. */
  readonly mapped: MappedSocket;
  /** Where it was made: it keeps that, whoever else leaves. */
  readonly network: NetworkNamespace;
  #filter: Filter | undefined;
  #chooser: Filter | undefined;
  #locked = false;
  #sharesAddress = false;
  /** It is in a group of sockets that share an address, if only by itself: what chooses belongs to that. */
  #grouped = false;

  constructor(cookies: Cookies, network: NetworkNamespace) {
    this.mapped = new MappedSocket(cookies, "inet");
    this.network = network;
  }

  holdUser(): void {
    this.network.hold();
  }

  get held(): readonly ProgramObject[] {
    const own = [this.#filter, this.#chooser].flatMap((filter) => (typeof filter === "object" ? filter : []));
    return [...own, ...this.mapped.held];
  }

  /** The open file goes. */
  putUser(): void {
    this.mapped.close();
    this.#filter = exchanged(this.#filter, undefined);
    this.#chooser = exchanged(this.#chooser, undefined);
    this.network.put();
  }

  /** setsockopt(2). Returns 0 or a negative error number. */
  set(process: Holder, { option, value }: SocketOption): number {
    switch (option) {
      case "reuseport":
        this.#sharesAddress = value !== 0;
        return 0;
      case "lock_filter":
        if (this.#locked && value === 0) return EPERM;
        this.#locked = value !== 0;
        return 0;
      case "detach_filter":
        if (this.#locked) return EPERM;
        if (this.#filter === undefined) return ENOENT;
        this.#filter = exchanged(this.#filter, undefined);
        return 0;
      case "attach_bpf":
        return this.#attach(process, value);
      case "attach_filter":
        if (this.#locked) return EPERM;
        this.#filter = exchanged(this.#filter, "classic");
        return 0;
      case "attach_reuseport_ebpf":
        return this.#choose(process, value);
      case "attach_reuseport_cbpf":
        if (this.#locked) return EPERM;
        return this.#chooseBy("classic");
      case "detach_reuseport_bpf":
        if (this.#chooser === undefined) return this.#grouped || this.#sharesAddress ? ENOENT : EINVAL;
        this.#chooser = exchanged(this.#chooser, undefined);
        return 0;
    }
  }

  #attach(process: Holder, fd: number): number {
    if (this.#locked) return EPERM;
    const program = programByFd(process, fd, "socket_filter");
    if (typeof program === "number") return program;
    this.#filter = exchanged(this.#filter, program);
    return 0;
  }

  #choose(process: Holder, fd: number): number {
    if (this.#locked) return EPERM;
    const filter = programByFd(process, fd, "socket_filter");
    const program = filter === EINVAL ? programByFd(process, fd, "sk_reuseport") : filter;
    return typeof program === "number" ? program : this.#chooseBy(program);
  }

  /** bind(2) to all addresses, at a port that the kernel takes. Returns 0 or a negative error number. */
  bind(): number {
    if (this.mapped.open) return EINVAL;
    this.mapped.open = true;
    this.#grouped ||= this.#sharesAddress;
    this.mapped.reuseport = this.#grouped;
    return 0;
  }

  #chooseBy(filter: Filter): number {
    if (this.mapped.open ? !this.#grouped : !this.#sharesAddress) return EINVAL;
    this.#grouped = true;
    this.#chooser = exchanged(this.#chooser, filter);
    return 0;
  }
}

export interface SocketOption {
  readonly option:
    | "reuseport"
    | "lock_filter"
    | "detach_filter"
    | "attach_bpf"
    | "attach_filter"
    | "attach_reuseport_ebpf"
    | "attach_reuseport_cbpf"
    | "detach_reuseport_bpf";
  /** A descriptor or a number; for filters in classic BPF what they return. */
  readonly value: number;
}

/** The filter that takes the place of another one. */
function exchanged(before: Filter | undefined, now: Filter | undefined): Filter | undefined {
  if (typeof now === "object") now.hold();
  if (typeof before === "object") before.put();
  return now;
}

/** bind(2) of a descriptor. @throws Unsupported  for sockets of other kinds */
export function bindSocket(process: Holder, fd: number): number {
  const target = process.descriptors.target(fd);
  if (target === undefined) return EBADF;
  if (target instanceof SocketFile) return target.bind();
  if (target.kind === "socket") throw new Unsupported("bind of a Unix socket");
  return ENOTSOCK;
}

/** setsockopt(2) on a descriptor. @throws Unsupported  for sockets of other kinds */
export function setSocketOption(process: Holder, fd: number, option: SocketOption): number {
  const target = process.descriptors.target(fd);
  if (target === undefined) return EBADF;
  if (target instanceof SocketFile) return target.set(process, option);
  if (target.kind === "socket") throw new Unsupported(`setsockopt: ${option.option} of a Unix socket`);
  return ENOTSOCK;
}
