/**
 * A socket in socket maps. Maps do not keep it: it leaves them when it is closed. But it keeps the programs that a map had when it was put there, until it is in no map any more, or leaves one that
 * has a program of that sort. Source: the running kernel, which `scripts/attachments.ts --area socket_map` compares with.
 */
import type { AttachType } from "../../semantics/program/program-types.ts";
import { EBUSY, EOPNOTSUPP } from "../../vm/errno.ts";
import type { ReferredSocket, SocketMap } from "../../vm/maps/sockets.ts";
import type { ProgramObject } from "../objects.ts";

/** The programs of a map, by where they are. */
export interface MapPrograms {
  readonly program: (attach: AttachType) => ProgramObject | undefined;
}

const PARSER = "sk_skb_stream_parser";
const VERDICTS = ["sk_skb_stream_verdict", "sk_skb_verdict"] as const;
const MESSAGES = "sk_msg_verdict";

/** A socket has only one program of each sort, and one verdict; the second map that brings one is refused. */
const CLASHES: readonly (readonly [brings: AttachType, has: AttachType])[] = [
  [MESSAGES, MESSAGES],
  [PARSER, PARSER],
  ...VERDICTS.flatMap((brings) => VERDICTS.map((has) => [brings, has] as const)),
];

/** The kernel's numbers for sockets, which it gives when somebody first asks. */
export class Cookies {
  #last = 0n;

  next(): bigint {
    this.#last += 1n;
    return this.#last;
  }
}

/** A UDP socket, or one of a pair of Unix sockets. */
export class MappedSocket implements ReferredSocket {
  readonly kind = "socket";
  readonly id = 0;
  readonly family: "inet" | "unix";
  readonly protocol: "udp" | "other";
  /** Unix sockets are connected; others have to be bound. */
  open: boolean;
  reuseport = false;
  readonly #cookies: Cookies;
  readonly #programs = new Map<AttachType, ProgramObject>();
  /** The maps that it is in, as often as it is. */
  readonly #maps: SocketMap[] = [];
  /** Whether verdicts are asked for. */
  #asks = false;
  /** Whether it is among those that one is chosen of. */
  #isChoice = false;
  #cookie: bigint | undefined;

  constructor(cookies: Cookies, family: "inet" | "unix") {
    this.#cookies = cookies;
    this.family = family;
    this.protocol = family === "inet" ? "udp" : "other";
    this.open = family === "unix";
  }

  get cookie(): bigint {
    this.#cookie ??= this.#cookies.next();
    return this.#cookie;
  }

  /** The programs that it keeps. */
  get held(): readonly ProgramObject[] {
    return [...this.#programs.values()];
  }

  /** It is put among those that one is chosen of. Whoever is there is in no other map. */
  enterChoice(map: SocketMap): number {
    if (this.#maps.length > 0) return EBUSY;
    this.#maps.push(map);
    this.#isChoice = true;
    return 0;
  }

  leaveChoice(): void {
    this.#maps.length = 0;
    this.#isChoice = false;
  }

  /** It is put into a map with these programs. Returns 0 or a negative error number. */
  enter(map: SocketMap, { program }: MapPrograms): number {
    if (this.#isChoice) return EBUSY;
    if (CLASHES.some(([brings, has]) => program(brings) !== undefined && this.#programs.has(has)))
      return EBUSY;
    for (const attach of [MESSAGES, PARSER, ...VERDICTS] as const) {
      const brought = program(attach);
      if (brought !== undefined) this.#set(attach, brought);
    }
    if (!this.#asks) {
      const streams = program("sk_skb_stream_verdict") !== undefined;
      if (program(PARSER) !== undefined && streams) {
        // Only TCP has a stream that can be parsed.
        this.#dropUnlessMapped();
        return EOPNOTSUPP;
      }
      this.#asks = streams || program("sk_skb_verdict") !== undefined;
    }
    this.#maps.push(map);
    return 0;
  }

  /** There was no place for it in the map: it was in it, but is not taken out. */
  refuse(map: SocketMap): void {
    this.#maps.splice(this.#maps.indexOf(map), 1);
    this.#dropUnlessMapped();
  }

  /** It is taken out of a map, which has these programs now. */
  leave(map: SocketMap, { program }: MapPrograms): void {
    this.#maps.splice(this.#maps.indexOf(map), 1);
    if (this.#asks) {
      const verdict = VERDICTS.some((attach) => program(attach) !== undefined);
      const parser = program(PARSER) !== undefined;
      if (parser) this.#set(PARSER, undefined);
      if (verdict) for (const attach of VERDICTS) this.#set(attach, undefined);
      if (parser || verdict) this.#asks = false;
    }
    this.#dropUnlessMapped();
  }

  /** Its last descriptor goes. */
  close(): void {
    for (const map of this.#maps.slice()) map.drop(this);
  }

  #dropUnlessMapped(): void {
    if (this.#maps.length > 0) return;
    for (const attach of this.#programs.keys()) this.#set(attach, undefined);
    this.#asks = false;
  }

  #set(attach: AttachType, program: ProgramObject | undefined): void {
    program?.hold();
    this.#programs.get(attach)?.put();
    if (program === undefined) this.#programs.delete(attach);
    else this.#programs.set(attach, program);
  }
}
