/**
 * Network namespaces and their devices: the loopback device, and pairs of which each device receives what the other one sends. A namespace lives while a process is in it, a
 * file keeps it, a socket that was made in it is open, or a link is at one of its netfilter hooks; its devices go with it.
 */
import { type NamespaceAttach, NamespaceHook } from "./attachments/namespace-programs.ts";
import { NetfilterHooks } from "./attachments/netfilter.ts";
import { TcxHook } from "./attachments/tcx.ts";
import { TrafficControl } from "./attachments/traffic-control.ts";
import { XdpHook } from "./attachments/xdp.ts";
import type { Target } from "./descriptors.ts";

/** The number of the loopback device, which each namespace has from the beginning. */
const LOOPBACK = 1;

export class NetworkNamespace implements Target {
  readonly kind = "netns";
  readonly id = 0;
  readonly devices = new Map<number, Device>();
  readonly hooks: Readonly<Record<NamespaceAttach, NamespaceHook>> = {
    flow_dissector: new NamespaceHook("flow_dissector"),
    sk_lookup: new NamespaceHook("sk_lookup"),
  };
  readonly netfilter = new NetfilterHooks();
  #references = 0;
  /** Where the search for a number begins for a device that comes without one. */
  #next = LOOPBACK + 1;

  constructor() {
    new Device("lo", undefined).enter(this, LOOPBACK);
  }

  hold(): this {
    this.#references += 1;
    return this;
  }

  put(): void {
    this.#references -= 1;
    if (this.#references > 0) return;
    for (const hook of Object.values(this.hooks)) hook.close();
    for (const device of this.devices.values()) device.remove();
  }

  holdUser(): void {
    this.hold();
  }

  putUser(): void {
    this.put();
  }

  byName(name: string): Device | undefined {
    for (const device of this.devices.values()) if (device.name === name) return device;
    return undefined;
  }

  /** A number for a device whose own is taken here. */
  freeIndex(): number {
    while (this.devices.has(this.#next)) this.#next += 1;
    this.#next += 1;
    return this.#next - 1;
  }
}

export class Device {
  readonly name: string;
  readonly xdp: XdpHook;
  readonly tcx = { tcx_ingress: new TcxHook(this), tcx_egress: new TcxHook(this) };
  readonly traffic: TrafficControl;
  #peer: Device | undefined;
  #index = 0;
  readonly #watchers: (() => void)[] = [];
  #namespace: NetworkNamespace | undefined;

  /** @param peer  the other one of a pair; a device without one is a loopback device, whose driver runs no XDP programs */
  constructor(name: string, peer: Device | "to come" | undefined) {
    this.name = name;
    this.xdp = new XdpHook(this, peer !== undefined);
    this.traffic = new TrafficControl({ ingress: this.tcx.tcx_ingress, egress: this.tcx.tcx_egress });
    if (!(peer instanceof Device)) return;
    this.#peer = peer;
    peer.#peer = this;
  }

  /** Its number, in its namespace. */
  get index(): number {
    return this.#index;
  }

  get isLoopback(): boolean {
    return this.#peer === undefined;
  }

  enter(namespace: NetworkNamespace, index: number): void {
    this.#namespace = namespace;
    this.#index = index;
    namespace.devices.set(index, this);
  }

  /** Has it said once when the device leaves its namespace. */
  watch(gone: () => void): void {
    this.#watchers.push(gone);
  }

  /** To another namespace, where traffic control's programs do not go along. */
  move(namespace: NetworkNamespace, index: number): void {
    this.#namespace?.devices.delete(this.#index);
    this.#leave();
    this.enter(namespace, index);
  }

  #leave(): void {
    this.traffic.remove();
    for (const hook of Object.values(this.tcx)) hook.close();
    for (const gone of this.#watchers.splice(0)) gone();
  }

  /** Takes the device away, and the other one of a pair with it. */
  remove(): void {
    if (this.#namespace === undefined) return;
    this.#namespace.devices.delete(this.#index);
    this.#namespace = undefined;
    this.#leave();
    this.xdp.close();
    this.#peer?.remove();
  }
}
