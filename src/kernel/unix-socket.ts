/**
 * Unix sockets in pairs, as far as they pass descriptors. A message holds open files until it is received. Sockets that only lie in each other's messages can be received by
 * nobody: Linux collects them when it next closes a Unix socket, here they go at once.
 */
import { EAGAIN } from "../vm/errno.ts";
import { type Cookies, MappedSocket } from "./attachments/mapped-socket.ts";
import type { OpenFile, Target } from "./descriptors.ts";
import type { NetworkNamespace } from "./network.ts";
import type { ProgramObject } from "./objects.ts";

const ECONNRESET = -104;

type Message = readonly OpenFile[];

export class UnixSocket implements Target {
  readonly kind = "socket";
  readonly id = 0;
  readonly #all: Set<UnixSocket>;
  /** What has been sent to it and not been received. */
  readonly #messages: Message[] = [];
  /** The other one, while it is open. */
  peer: UnixSocket | undefined;
  /** Whether the other one went with messages that nobody had received, and that has not been told. */
  #reset = false;
  /** The open file. */
  file: OpenFile | undefined;

  /** What it is to socket maps. */
  readonly mapped: MappedSocket;
  /** Where it was made: it keeps that, whoever else leaves. */
  readonly network: NetworkNamespace;

  /** @param all  the sockets that are open, or in flight */
  constructor(all: Set<UnixSocket>, cookies: Cookies, network: NetworkNamespace) {
    this.#all = all;
    this.network = network;
    this.mapped = new MappedSocket(cookies, "unix");
  }

  holdUser(): void {
    this.#all.add(this);
    this.network.hold();
  }

  putUser(): void {
    this.mapped.close();
    this.#all.delete(this);
    if (this.peer !== undefined) {
      this.peer.peer = undefined;
      this.peer.#reset = this.#messages.length > 0;
    }
    this.clear();
    this.network.put();
  }

  /** The programs that it keeps. */
  get held(): readonly ProgramObject[] {
    return this.mapped.held;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  deliver(message: Message): void {
    this.#messages.push(message.map((file) => file.hold()));
  }

  /** The next message, whose files are the caller's now; or what recvmsg(2) gives where there is none. */
  take(): Message | number {
    const message = this.#messages.shift();
    if (message !== undefined) return message;
    if (this.#reset) {
      this.#reset = false;
      return ECONNRESET;
    }
    return this.peer === undefined ? 0 : EAGAIN;
  }

  /** Gives all messages up. */
  clear(): void {
    for (const file of this.emptied()) file.put();
  }

  /** Takes all messages out: what was in them is the caller's to put. */
  emptied(): Message {
    return this.#messages.splice(0).flat();
  }
}

/** How often each socket's file lies in messages of the sockets. */
function inFlight(sockets: Iterable<UnixSocket>): ReadonlyMap<OpenFile, number> {
  const counts = new Map<OpenFile, number>();
  for (const { messages } of sockets)
    for (const file of messages.flat()) counts.set(file, (counts.get(file) ?? 0) + 1);
  return counts;
}

/**
 * Gives up the messages of sockets that nobody can receive from: all references to them lie in messages of each other.
 */
export function collect(sockets: ReadonlySet<UnixSocket>): void {
  let garbage = new Set(sockets);
  for (;;) {
    const counts = inFlight(garbage);
    const left = [...garbage].filter(
      ({ file }) => file !== undefined && counts.get(file) === file.references,
    );
    if (left.length === garbage.size) break;
    garbage = new Set(left);
  }
  // All messages are taken out first: a socket that goes because of it has none, and its peer hears of an end alone.
  const files = [...garbage].flatMap((socket) => socket.emptied());
  for (const file of files) file.put();
}
