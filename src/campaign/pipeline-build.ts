/** A pipeline from the file that describes it: programs are loaded, maps made, shared and filled. */
import { readBundle } from "../object/bundle.ts";
import { InputError, inFile } from "../semantics/errors.ts";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import type { Environment } from "../vm/environment.ts";
import type { Machine } from "../vm/machine.ts";
import type { MapStorage } from "../vm/maps/map.ts";
import type { Action, Device, PacketSocket, Pipeline, TrafficControl } from "../vm/pipeline/device.ts";
import type { Entry } from "../vm/pipeline/walk.ts";
import { loadTogether } from "../vm/together.ts";
import { environmentFrom } from "./environment-file.ts";
import { FIRST_IFINDEX, type PipelineFile, type ProgramReference } from "./pipeline-file.ts";

/** Everything that packets are sent through. */
export interface BuiltPipeline {
  readonly pipeline: Pipeline;
  readonly entry: Entry;
  readonly environment: Environment;
  /** All maps, by name; two of one name are of different files. */
  readonly maps: readonly MapStorage[];
}

/** The names of the files that a pipeline's programs are in. */
export function filesOf(file: PipelineFile): readonly string[] {
  const names = new Set<string>();
  for (const reference of references(file)) if (typeof reference === "string") names.add(fileOf(reference));
  return [...names];
}

const fileOf = (reference: string): string => reference.replace(/#[^#]*$/, "");

function* references({ devices, sockets }: PipelineFile): Generator<ProgramReference> {
  for (const { xdp, ingress, egress } of devices) {
    for (const reference of [xdp.offloaded, xdp.native, xdp.generic]) {
      if (reference !== undefined) yield reference;
    }
    for (const { tcx, clsact } of [ingress, egress]) {
      yield* tcx;
      for (const { program, actions } of clsact) {
        yield program;
        for (const action of actions) if ("program" in action) yield action.program;
      }
    }
  }
  for (const { filter } of sockets) if (filter !== undefined) yield filter;
}

/**
 * @param programs  the programs of each file
 * @throws InputError  for a program that is not there or does not fit its place, and for maps that cannot be shared or filled
 */
export function buildPipeline(
  file: PipelineFile,
  programs: ReadonlyMap<string, readonly Program[]>,
): BuiltPipeline {
  const { environment, cpus } = environmentFrom(file.environment);
  const builder = new Builder(file, programs, cpus);
  const devices = file.devices.map((_, at) => builder.device(at));
  const sockets = file.sockets.map((_, at) => builder.socket(at));
  builder.fill();
  const [first] = devices;
  const entry = file.input ?? { device: first?.name ?? "", direction: "receive" };
  return { pipeline: { devices, sockets }, entry, environment, maps: builder.maps };
}

type Kind = "xdp" | "classifier" | "action" | "filter";

/** Program types that a place takes. */
const TYPES: Readonly<Record<Kind, readonly ProgramType[]>> = {
  xdp: ["xdp"],
  classifier: ["sched_cls"],
  action: ["sched_act", "sched_cls"],
  filter: ["socket_filter"],
};

class Builder {
  readonly #file: PipelineFile;
  readonly #programs: ReadonlyMap<string, readonly Program[]>;
  readonly #options: { readonly cpus?: number };
  readonly #groups = new Map<string, readonly Machine[]>();
  readonly #pinned = new Map<string, MapStorage>();
  readonly #maps = new Set<MapStorage>();

  constructor(
    file: PipelineFile,
    programs: ReadonlyMap<string, readonly Program[]>,
    cpus: number | undefined,
  ) {
    this.#file = file;
    this.#programs = programs;
    this.#options = cpus === undefined ? {} : { cpus };
  }

  get maps(): readonly MapStorage[] {
    return [...this.#maps];
  }

  device(at: number): Device {
    const given = this.#file.devices[at];
    if (given === undefined) throw new Error(`no device ${at}`);
    const { name, ifindex = at + FIRST_IFINDEX, peer, xdp } = given;
    const place = `devices[${at}]`;
    const machine = (mode: "offloaded" | "native" | "generic") => {
      const reference = xdp[mode];
      return reference === undefined
        ? {}
        : { [mode]: this.#machine(`${place}.xdp.${mode}`, reference, "xdp") };
    };
    return {
      name,
      ifindex,
      address: given.address ?? Uint8Array.of(2, 0, 0, 0, 0, ifindex & 0xff),
      mtu: given.mtu,
      ...(peer === undefined ? {} : { peer }),
      xdp: { ...machine("offloaded"), ...machine("native"), ...machine("generic") },
      ingress: this.#traffic(`${place}.ingress`, given.ingress),
      egress: this.#traffic(`${place}.egress`, given.egress),
    };
  }

  #traffic(place: string, { tcx, clsact }: PipelineFile["devices"][number]["ingress"]): TrafficControl {
    return {
      tcx: tcx.map((reference, at) => this.#machine(`${place}.tcx[${at}]`, reference, "classifier")),
      clsact: clsact.map(({ program, direct_action, classid, actions }, at) => ({
        machine: this.#machine(`${place}.clsact[${at}].program`, program, "classifier"),
        direct: direct_action,
        classid,
        actions: actions.map((action, index): Action => {
          if (!("program" in action)) return { kind: "verdict", verdict: action.verdict };
          const where = `${place}.clsact[${at}].actions[${index}].program`;
          const machine = this.#machine(where, action.program, "action");
          return { kind: "program", machine, verdict: action.verdict };
        }),
      })),
    };
  }

  socket(at: number): PacketSocket {
    const given = this.#file.sockets[at];
    if (given === undefined) throw new Error(`no socket ${at}`);
    const { name, device, protocol, filter } = given;
    if (filter === undefined) return { name, device, protocol };
    return { name, device, protocol, filter: this.#machine(`sockets[${at}].filter`, filter, "filter") };
  }

  #machine(place: string, reference: ProgramReference, kind: Kind): Machine {
    return inFile(place, () => {
      const machine = typeof reference === "string" ? this.#named(reference) : this.#inline(place, reference);
      const { type } = machine.loaded.program;
      if (TYPES[kind].includes(type)) return machine;
      throw new InputError(`a ${type} program, where one of type ${TYPES[kind].join(" or ")} belongs`);
    });
  }

  #inline(place: string, bundle: Readonly<Record<string, unknown>>): Machine {
    const [machine] = this.#load(place, [readBundle(JSON.stringify(bundle)).program]);
    if (machine === undefined) throw new Error("a machine for each program");
    return machine;
  }

  #named(reference: string): Machine {
    const name = fileOf(reference);
    const chosen = reference === name ? undefined : reference.slice(name.length + 1);
    const machines = this.#load(name, this.#programs.get(name) ?? []);
    const names = machines.map(({ loaded }) => loaded.program.name);
    const [found, ...others] = machines.filter((_, at) => chosen === undefined || names[at] === chosen);
    if (found === undefined)
      throw new InputError(`${name} has no program ${chosen ?? ""}, but ${names.join(", ")}`);
    if (others.length > 0)
      throw new InputError(`${name} has ${names.join(", ")}; choose one: ${name}#${names[0]}`);
    return found;
  }

  /** The programs of a file are loaded once, with their maps. */
  #load(name: string, programs: readonly Program[]): readonly Machine[] {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    for (const { maps } of programs) for (const map of maps) this.#checkShared(map);
    const machines = loadTogether(programs, this.#options, this.#pinned);
    this.#groups.set(name, machines);
    for (const map of machines.flatMap(({ maps }) => maps)) {
      this.#maps.add(map);
      if (this.#file.pinned.includes(map.definition.name)) this.#pinned.set(map.definition.name, map);
    }
    return machines;
  }

  #checkShared(map: MapDefinition): void {
    const pinned = this.#pinned.get(map.name);
    if (pinned === undefined) return;
    for (const field of ["type", "keySize", "valueSize", "maxEntries"] as const) {
      const [ours, theirs] = [map[field], pinned.definition[field]];
      if (ours !== theirs)
        throw new InputError(`map ${map.name} is pinned, with ${field} ${theirs}, not ${ours}`);
    }
  }

  /** Puts the file's elements into the maps. */
  fill(): void {
    for (const [name, elements] of Object.entries(this.#file.maps)) {
      const maps = this.maps.filter(({ definition }) => definition.name === name);
      if (maps.length === 0) throw new InputError(`maps.${name}: no program has a map of this name`);
      for (const map of maps) {
        if (!("update" in map)) throw new InputError(`maps.${name}: user space writes no elements there`);
        for (const [at, [key, value]] of elements.entries()) {
          const error = map.update(key, value);
          if (error !== 0) throw new InputError(`maps.${name}[${at}]: the map refuses it (error ${-error})`);
        }
      }
    }
  }
}
