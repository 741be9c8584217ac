/** The same pipeline in the machine and in the running kernel: two veth pairs in a network namespace of their own. */
import { type Accepted, loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, type KernelMap } from "../../src/oracle/linux/maps.ts";
import { NetworkNamespace } from "../../src/oracle/linux/network/namespace.ts";
import { newClsact, newFilter, newVethPair, setXdp } from "../../src/oracle/linux/network/netlink.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Machine } from "../../src/vm/machine.ts";
import type { Device, PacketSocket, TrafficControl } from "../../src/vm/pipeline/device.ts";
import { walk } from "../../src/vm/pipeline/walk.ts";
import { loadTogether } from "../../src/vm/together.ts";
import {
  type DeviceName,
  NAMES,
  type Numbers,
  type PipelineSketch,
  programOf,
  RECORDS,
  type Sketch,
  socketsOf,
  type TrafficSketch,
} from "./pipeline-programs.ts";

/** What can be seen of a packet's course: what each socket received, and what each program recorded. */
export interface Seen {
  readonly sockets: Readonly<Record<string, readonly string[]>>;
  readonly records: readonly string[];
}

const PEERS: Readonly<Record<DeviceName, DeviceName>> = { a: "b", b: "a", c: "d", d: "c" };
const address = (name: DeviceName): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, NAMES.indexOf(name) + 1);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** All programs of a pipeline by where they stand, in one order. */
function placed(sketch: PipelineSketch): ReadonlyMap<string, Sketch> {
  const places = new Map<string, Sketch>();
  for (const name of NAMES) {
    const { xdp, ingress, egress } = sketch.devices[name];
    if (xdp !== undefined) places.set(`${name}/xdp`, xdp.program);
    for (const [way, { tcx, clsact }] of [
      ["ingress", ingress],
      ["egress", egress],
    ] as const) {
      for (const [i, each] of tcx.entries()) places.set(`${name}/${way}/tcx/${i}`, each);
      for (const [i, each] of clsact.entries()) places.set(`${name}/${way}/clsact/${i}`, each.program);
    }
  }
  for (const [name, filter] of Object.entries(sketch.filters))
    if (filter !== undefined) places.set(name, filter);
  return places;
}

export class PipelinePair {
  readonly #sketch: PipelineSketch;
  readonly #namespace = new NetworkNamespace(THIS_MACHINE);
  readonly #records: KernelMap;
  readonly #loaded = new Map<string, Accepted>();
  readonly #sockets: (readonly [name: string, descriptor: number])[] = [];
  readonly #numbers: Numbers;
  readonly #machines = new Map<string, Machine>();

  constructor(sketch: PipelineSketch) {
    this.#sketch = sketch;
    this.#records = createMap(RECORDS);
    try {
      this.#numbers = this.#devices();
      const places = [...placed(sketch)];
      const programs = places.map(([place, each], slot) => programOf(each, place, slot, this.#numbers));
      for (const program of programs) this.#load(program);
      for (const machine of loadTogether(programs)) this.#machines.set(machine.loaded.program.name, machine);
      for (const name of NAMES) this.#attach(name);
      for (const { name, device, protocol } of socketsOf(sketch)) {
        const filter = this.#loaded.get(name)?.fd;
        const socket = this.#namespace.listen({ ifindex: this.#numbers[device], protocol }, filter);
        this.#sockets.push([name, socket]);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #devices(): Numbers {
    const device = (name: DeviceName) => ({ name, address: address(name), mtu: 1500 });
    for (const name of ["a", "c"] as const) {
      this.#namespace.request("a pair of devices", newVethPair(device(name), device(PEERS[name])));
    }
    const number = (name: DeviceName): number => this.#namespace.ifindex(name);
    const numbers = { a: number("a"), b: number("b"), c: number("c"), d: number("d") };
    this.#namespace.bringUp(NAMES);
    return numbers;
  }

  #load(program: Program): void {
    const loaded = loadProgram(program, { maps: [this.#records] });
    if (loaded.verdict === "reject") throw new Error(`${program.name}: ${loaded.message}\n${loaded.log}`);
    this.#loaded.set(program.name, loaded);
  }

  #descriptor(place: string): number {
    const loaded = this.#loaded.get(place);
    if (loaded === undefined) throw new Error(`no program at ${place}`);
    return loaded.fd;
  }

  #attach(name: DeviceName): void {
    const ifindex = this.#numbers[name];
    const { xdp, ...ways } = this.#sketch.devices[name];
    if (xdp !== undefined) {
      this.#namespace.request("XDP", setXdp(ifindex, this.#descriptor(`${name}/xdp`), xdp.mode));
    }
    if (ways.ingress.clsact.length + ways.egress.clsact.length > 0) {
      this.#namespace.request("clsact", newClsact(ifindex));
    }
    for (const way of ["ingress", "egress"] as const) {
      for (const i of ways[way].tcx.keys()) {
        this.#namespace.linkTcx(ifindex, way, this.#descriptor(`${name}/${way}/tcx/${i}`));
      }
      for (const [i, { direct, classid }] of ways[way].clsact.entries()) {
        const fd = this.#descriptor(`${name}/${way}/clsact/${i}`);
        const filter = { fd, direction: way, priority: i + 1, direct, classid };
        this.#namespace.request("a filter", newFilter(ifindex, filter));
      }
    }
  }

  // --- Running

  /** Sends the pipeline's packets from `a`, one after the other, in both. */
  run(): { readonly machine: readonly Seen[]; readonly kernel: readonly Seen[] } {
    const { frames } = this.#sketch;
    return {
      machine: frames.map((frame) => this.#inMachine(frame)),
      kernel: frames.map((frame) => this.#inKernel(frame)),
    };
  }

  #inKernel(frame: Uint8Array): Seen {
    try {
      this.#namespace.send(this.#numbers.a, frame);
    } catch {
      // A packet that a program drops on its way out is an error of sending.
    }
    const sockets: Record<string, readonly string[]> = {};
    for (const [name, descriptor] of this.#sockets) {
      sockets[name] = this.#namespace
        .received(descriptor)
        .map(({ bytes, length, vlan }) => `${hex(bytes)} of ${length}${tagText(vlan)}`);
    }
    const records = this.#records.entries().map(([, value]) => hex(value));
    return { sockets, records: recordsOf(records) };
  }

  #inMachine(frame: Uint8Array): Seen {
    const pipeline = { devices: NAMES.map((name) => this.#device(name)), sockets: this.#packetSockets() };
    const { exits } = walk(pipeline, { device: "a", direction: "transmit" }, frame, {});
    const sockets: Record<string, string[]> = Object.fromEntries(
      socketsOf(this.#sketch).map(({ name }) => [name, []]),
    );
    for (const { kind, at, frame: bytes, length, vlan } of exits) {
      if (kind === "socket") sockets[at]?.push(`${hex(bytes)} of ${length}${tagText(vlan)}`);
    }
    const [machine] = this.#machines.values();
    const map = machine?.map("records");
    const records = map?.kind === "values" ? map.entries().map(([, value]) => hex(value)) : [];
    return { sockets, records: recordsOf(records) };
  }

  #machine(place: string): Machine {
    const machine = this.#machines.get(place);
    if (machine === undefined) throw new Error(`no program at ${place}`);
    return machine;
  }

  #device(name: DeviceName): Device {
    const { xdp, ingress, egress } = this.#sketch.devices[name];
    return {
      name,
      ifindex: this.#numbers[name],
      address: address(name),
      mtu: 1500,
      peer: PEERS[name],
      xdp: xdp === undefined ? {} : { [xdp.mode]: this.#machine(`${name}/xdp`) },
      ingress: this.#traffic(name, "ingress", ingress),
      egress: this.#traffic(name, "egress", egress),
    };
  }

  #traffic(name: DeviceName, way: string, { tcx, clsact }: TrafficSketch): TrafficControl {
    return {
      tcx: tcx.map((_, i) => this.#machine(`${name}/${way}/tcx/${i}`)),
      clsact: clsact.map(({ direct, classid }, i) => ({
        machine: this.#machine(`${name}/${way}/clsact/${i}`),
        direct,
        classid,
        actions: [],
      })),
    };
  }

  #packetSockets(): readonly PacketSocket[] {
    return socketsOf(this.#sketch).map((socket) => {
      const filter = this.#machines.get(socket.name);
      return filter === undefined ? socket : { ...socket, filter };
    });
  }

  close(): void {
    for (const loaded of this.#loaded.values()) loaded.close();
    this.#records.close();
    this.#namespace.leave();
  }
}

/** Elements that programs have used, in order. */
const recordsOf = (all: readonly string[]): readonly string[] =>
  all.map((one) => one.replace(/(?:00)+$/, ""));

const tagText = (vlan: { readonly protocol: number; readonly tci: number } | undefined): string =>
  vlan === undefined ? "" : `, tag ${vlan.protocol.toString(16)} ${vlan.tci.toString(16)}`;
