/**
 * Packets on their way through the hooks of devices, in Linux's order.
 *
 * Receiving: XDP on the device (`offloaded`), XDP in the driver (`native`); then a socket buffer is there: XDP on it (`generic`), a VLAN tag
 * is taken out of the frame, packet sockets for all protocols, tcx, clsact; then the network stack, with packet sockets for one protocol. Sending: tcx, clsact, the driver.
 * What an XDP program sends back or elsewhere goes to the driver at once, past tcx and clsact.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Effects, Redirect } from "../effects.ts";
import type { Environment } from "../environment.ts";
import type { Machine } from "../machine.ts";
import type { MapStorage } from "../maps/map.ts";
import { indexKey } from "../maps/storage.ts";
import { type Classification, classify } from "./classify.ts";
import { passBuffer, passXdp, stateOf } from "./context.ts";
import type { Device, PacketSocket, Pipeline, TrafficControl, XdpMode } from "./device.ts";
import type { Exit, XdpException } from "./exit.ts";
import {
  type Buffered,
  begin,
  type Flight,
  forwarded,
  made,
  ofNoVlan,
  received,
  rewritten,
  tagged,
  untagged,
} from "./flight.ts";
import { xdpVerdict } from "./verdicts.ts";

/** What became of one packet. */
export interface Course {
  /** In the order in which they were reached: copies make several of one packet. */
  readonly exits: readonly Exit[];
  readonly events: readonly XdpException[];
  /** What the programs printed. */
  readonly printed: readonly string[];
}

export interface Entry {
  readonly device: string;
  /** Whether the packet comes in from the device's wire, or this machine's network stack sends it. */
  readonly direction: "receive" | "transmit";
}

/** Devices that a packet and its copies may pass: in Linux, two programs that send everything to each other never end. */
const MOST_HOPS = 64;
/** How deep devices may be in each other's sending side: XMIT_RECURSION_LIMIT in linux/netdevice.h. */
const MOST_DEPTH = 8;

const PROTOCOL_ALL = "all";

/** Sends one packet through the pipeline. @throws Unsupported  where it comes to something that is not modelled */
export function walk(pipeline: Pipeline, entry: Entry, frame: Uint8Array, environment: Environment): Course {
  const walker = new Walker(pipeline, environment);
  const device = walker.named(entry.device);
  const flight = begin(frame);
  if (entry.direction === "receive") walker.receive(device, flight);
  else walker.transmit(device, made(flight));
  walker.finish();
  const { exits, events, printed } = walker;
  return { exits, events, printed };
}

class Walker {
  readonly exits: Exit[] = [];
  readonly events: XdpException[] = [];
  readonly printed: string[] = [];
  readonly #pipeline: Pipeline;
  readonly #environment: Environment;
  /** What is still to be done: packets that wait in a device's queue. */
  readonly #waiting: (() => void)[] = [];
  #hops = 0;
  /** A program has said where to redirect, and then returned something else: Linux remembers. */
  #remembered = false;

  constructor(pipeline: Pipeline, environment: Environment) {
    this.#pipeline = pipeline;
    this.#environment = among(pipeline, environment);
  }

  /** Until no packet is on its way any more. */
  finish(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
  }

  named(name: string): Device {
    const found = this.#pipeline.devices.find((device) => device.name === name);
    if (found === undefined) throw new Error(`there is no device ${name}`);
    return found;
  }

  #numbered(ifindex: number): Device | undefined {
    return this.#pipeline.devices.find((device) => device.ifindex === ifindex);
  }

  #leave(
    kind: Exit["kind"],
    at: string,
    { frame, buffer }: Flight,
    more: Pick<Exit, "why" | "program" | "value" | "fault"> = {},
  ): void {
    const vlan = buffer?.vlan;
    this.exits.push({
      kind,
      at,
      ...more,
      frame,
      length: frame.length,
      ...(vlan === undefined ? {} : { vlan }),
    });
  }

  // --- Receiving

  /** A packet arrives at a device: as a frame, or as a socket buffer from the device's peer. */
  receive(device: Device, flight: Flight): void {
    this.#hops += 1;
    if (this.#hops > MOST_HOPS) {
      this.#leave("lost", device.name, flight, { why: `a loop: ${MOST_HOPS} devices passed` });
      return;
    }
    let next: Flight | undefined = { ...flight, ingressIfindex: device.ifindex };
    for (const mode of ["offloaded", "native"] as const) {
      next = next === undefined ? undefined : this.#xdp(device, mode, next);
    }
    if (next !== undefined) this.#receiveBuffer(device, received(next, device));
  }

  /** The part of receiving in which there is a socket buffer. */
  #receiveBuffer(device: Device, flight: Buffered): void {
    const here = { ...flight, ingressIfindex: device.ifindex };
    const passed = here.redirected ? here : this.#xdp(device, "generic", here);
    if (passed === undefined) return;
    const arrived = untagged(rewritten(here, passed, device));
    const copied = this.#copies(device, arrived, PROTOCOL_ALL);
    if (copied && arrived.metadata.length > 0 && hasPrograms(device.ingress)) {
      // Before a program that may write into a packet that somebody else has as well, Linux makes a copy, and leaves the metadata behind.
      throw new Unsupported("metadata of a packet of which a packet socket has a copy");
    }
    const passedOn = this.#traffic(device, "ingress", arrived);
    if (passedOn === undefined) return;
    const kept = ofNoVlan(passedOn);
    this.#copies(device, kept, kept.buffer.protocol);
    this.#leave("stack", device.name, kept);
  }

  /** Copies for the packet sockets of a protocol; whether there were any. */
  #copies(device: Device, flight: Buffered, protocol: PacketSocket["protocol"]): boolean {
    const before = this.exits.length;
    for (const socket of this.#pipeline.sockets) {
      if (socket.device !== device.name || socket.protocol !== protocol) continue;
      const kept = this.#filtered(socket, device, flight);
      if (kept === 0) continue;
      const { frame, buffer } = flight;
      this.exits.push({
        kind: "socket",
        at: socket.name,
        frame: frame.slice(0, kept),
        length: frame.length,
        ...(buffer.vlan === undefined ? {} : { vlan: buffer.vlan }),
      });
    }
    return this.exits.length > before;
  }

  /** How many bytes of the frame a socket gets. */
  #filtered({ filter, name }: PacketSocket, { ifindex }: Device, flight: Buffered): number {
    const { length } = flight.frame;
    if (filter === undefined) return length;
    const alone = { ...flight, buffer: { ...flight.buffer, cb: new Uint8Array(flight.buffer.cb.length) } };
    const passage = passBuffer(filter, alone, { from: "link", ifindex }, this.#environment);
    this.printed.push(...passage.printed);
    if (passage.outcome === "exit") return Math.min(passage.value, length);
    this.#leave("fault", name, flight, {
      why: "socket filter",
      program: nameOf(filter),
      fault: passage.fault,
    });
    return 0;
  }

  // --- XDP

  /** The packet as an XDP program leaves it for the next hook; nothing if it does not go there. */
  #xdp<F extends Flight>(device: Device, mode: XdpMode, flight: F): F | undefined {
    const machine = device.xdp[mode];
    if (machine === undefined) return flight;
    const passage = passXdp(machine, flight, device, this.#environment);
    this.printed.push(...passage.printed);
    const by = { why: `xdp ${mode}`, program: nameOf(machine) };
    if (passage.outcome === "fault") {
      this.#leave("fault", device.name, flight, { ...by, fault: passage.fault });
      return undefined;
    }
    const { value, flight: changed, effects } = passage;
    const verdict = xdpVerdict(value);
    if (verdict !== "redirect" && effects.redirect !== undefined) this.#remembered = true;
    switch (verdict) {
      case "pass":
        return changed;
      case "drop":
        this.#leave("dropped", device.name, changed, { ...by, value });
        return undefined;
      case "aborted":
        this.events.push({
          event: "xdp:xdp_exception",
          program: by.program,
          act: value,
          ifindex: device.ifindex,
        });
        this.#leave("aborted", device.name, changed, { ...by, value });
        return undefined;
      case "transmit":
        this.#drive(device, leaving(changed, mode), by.why);
        return undefined;
      default:
        this.#redirectXdp(device, machine, by.why, leaving(changed, mode), effects);
        return undefined;
    }
  }

  #redirectXdp(device: Device, machine: Machine, why: string, flight: Flight, { redirect }: Effects): void {
    if (redirect === undefined) {
      this.#nowhere(device, flight, why);
      return;
    }
    if (redirect.to === "map") {
      this.#redirectByMap(device, machine.map(redirect.map), redirect, flight, why);
      return;
    }
    if (redirect.to !== "device")
      throw new Unsupported(`${why} in a pipeline: redirecting to a ${redirect.to}`);
    this.#driveNumber(device, redirect.ifindex, flight, why);
  }

  /** To what a map has at a key: a device, or a processor, which goes on receiving the packet. */
  #redirectByMap(
    device: Device,
    map: MapStorage,
    { key, all }: Redirect & { readonly to: "map" },
    flight: Flight,
    why: string,
  ): void {
    const { name, type } = map.definition;
    if (all) throw new Unsupported(`${why} in a pipeline: redirecting to all of map ${name}`);
    if (map.kind !== "devices") throw new Unsupported(`${why} in a pipeline: redirecting to a ${type}`);
    const target = map.find(indexKey(key));
    if (target?.program !== undefined)
      throw new Unsupported(`programs in map ${name}, where packets are redirected to`);
    if (target === undefined) {
      this.#leave("lost", device.name, flight, { why: `${why}: redirected to nothing in ${name}` });
    } else if (type === "cpumap") {
      this.#waiting.push(() => this.#receiveBuffer(device, received(flight, device)));
    } else this.#driveNumber(device, target.number, flight, why);
  }

  #driveNumber(device: Device, ifindex: number, flight: Flight, why: string): void {
    const target = this.#numbered(ifindex);
    if (target !== undefined) this.#drive(target, flight, why);
    else this.#leave("lost", device.name, flight, { why: `${why}: redirected to no device` });
  }

  /** A program has returned that the packet is redirected without having said where to. */
  #nowhere(device: Device, flight: Flight, why: string): void {
    if (this.#remembered) throw new Unsupported("redirecting to where an earlier program has said");
    this.#leave("lost", device.name, flight, { why: `${why}: redirected nowhere` });
  }

  /** What a driver is given to send: it goes to the peer, or on the wire. */
  #drive(device: Device, flight: Flight, why: string): void {
    if (device.peer === undefined) {
      this.#leave("sent", device.name, tagged(flight));
      return;
    }
    const peer = this.named(device.peer);
    // Frames without a socket buffer are taken by those that have set up their driver for them.
    if (flight.buffer === undefined && peer.xdp.native === undefined) {
      this.#leave("lost", peer.name, flight, { why: `${why}: the peer's driver takes no frames` });
      return;
    }
    const { buffer } = flight;
    const arriving = buffer === undefined ? flight : forwarded({ ...flight, buffer });
    this.#waiting.push(() => this.receive(peer, arriving));
  }

  // --- Traffic control

  /** The packet as the programs of a device's way leave it; nothing if it does not go on. */
  #traffic(device: Device, way: "ingress" | "egress", flight: Buffered): Buffered | undefined {
    const result = classify(device, way, flight, this.#environment, (clone) => {
      const target = this.#numbered(clone.ifindex);
      const copy = { ...flight, frame: clone.packet, buffer: stateOf(clone.socketBuffer) };
      if (target !== undefined) this.#deliver(target, clone.ingress, copy);
    });
    this.printed.push(...result.printed);
    return this.#after(device, result);
  }

  #after(device: Device, result: Classification): Buffered | undefined {
    const { verdict, flight, redirect, by } = result;
    if (verdict !== "redirect" && redirect !== undefined) this.#remembered = true;
    switch (verdict) {
      case "ok":
      case "continue":
        return flight;
      case "drop":
        this.#leave("dropped", device.name, flight, by);
        return undefined;
      case "consumed":
        this.#leave("consumed", device.name, flight, by);
        return undefined;
      case "fault":
        this.#leave("fault", device.name, flight, by);
        return undefined;
      default:
        this.#redirectBuffer(device, flight, redirect, by.why);
        return undefined;
    }
  }

  #redirectBuffer(device: Device, flight: Buffered, redirect: Redirect | undefined, why = ""): void {
    const lost = (problem: string): void =>
      this.#leave("lost", device.name, flight, { why: `${why}: ${problem}` });
    if (redirect === undefined) {
      this.#nowhere(device, flight, why);
      return;
    }
    if (redirect.to === "neighbour" || redirect.to === "map") {
      throw new Unsupported(`${why} in a pipeline: redirecting to a ${redirect.to}`);
    }
    const target = this.#numbered(redirect.ifindex);
    if (target === undefined) {
      lost("redirected to no device");
      return;
    }
    if (redirect.to === "device") {
      this.#deliver(target, redirect.ingress, flight);
      return;
    }
    throw new Unsupported(`${why} in a pipeline: redirecting to a peer in another network namespace`);
  }

  /** A packet that a program of traffic control has sent to a device. */
  #deliver(target: Device, ingress: boolean, flight: Buffered): void {
    if (ingress) {
      this.#waiting.push(() => this.#receiveAgain(target, forwarded(flight)));
      return;
    }
    if (this.#isTooDeep(target, flight)) return;
    const depth = flight.depth + 1;
    this.transmit(target, { ...flight, depth, redirected: true });
  }

  /** Loses a packet that is: programs see it before, its driver does not. */
  #isTooDeep({ name }: Device, flight: Buffered): boolean {
    if (flight.depth <= MOST_DEPTH) return false;
    this.#leave("lost", name, flight, { why: `more than ${MOST_DEPTH} devices send through each other` });
    return true;
  }

  #receiveAgain(device: Device, flight: Buffered): void {
    this.#hops += 1;
    if (this.#hops > MOST_HOPS) {
      this.#leave("lost", device.name, flight, { why: `a loop: ${MOST_HOPS} devices passed` });
      return;
    }
    this.#receiveBuffer(device, received(flight, device));
  }

  // --- Sending

  /** The network stack, or a program, sends a packet from a device. */
  transmit(device: Device, flight: Buffered): void {
    const sent = this.#traffic(device, "egress", flight);
    if (sent !== undefined && !this.#isTooDeep(device, sent)) this.#drive(device, sent, "");
  }
}

/** The environment with the pipeline's devices among those that programs may ask for. */
function among({ devices }: Pipeline, environment: Environment): Environment {
  const { network } = environment;
  const others = (network?.devices ?? []).filter(
    ({ ifindex }) => !devices.some((device) => device.ifindex === ifindex),
  );
  const own = devices.map(({ ifindex, name, mtu, address }) => ({ ifindex, name, mtu, address }));
  return { ...environment, network: { ...network, devices: [...others, ...own] } };
}

const hasPrograms = ({ tcx, clsact }: TrafficControl): boolean => tcx.length + clsact.length > 0;

const nameOf = (machine: Machine): string => machine.loaded.program.name;

/** What XDP sends: a driver's frame, without what a socket buffer held beside it; or a socket buffer, without the metadata. */
const leaving = (flight: Flight, mode: XdpMode): Flight =>
  mode === "generic" ? { ...flight, metadata: new Uint8Array(0) } : { ...flight, buffer: undefined };
