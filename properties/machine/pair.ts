/**
 * The machine and the running kernel side by side: the same programs with the same maps, given the same packets one after the other.
 */
import { type Accepted, loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap, type KernelMap, possibleCpus, word } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Environment } from "../../src/vm/environment.ts";
import type { Machine, MachineOptions } from "../../src/vm/machine.ts";
import type { MapStorage } from "../../src/vm/maps/map.ts";
import { loadTogether } from "../../src/vm/together.ts";

/** How a run ended, in a form that can be compared and read. */
export interface Ended {
  readonly retval: number | string;
  readonly packet: string;
  readonly context: string;
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

export class Pair {
  readonly machines: readonly Machine[];
  readonly #maps = new Map<string, KernelMap>();
  readonly #loaded: Accepted[] = [];

  /** @throws if the kernel refuses one of the programs */
  constructor(programs: readonly Program[], options: Omit<MachineOptions, "maps" | "cpus"> = {}) {
    // What Linux permits root, some of these programs do.
    this.machines = loadTogether(programs, { uninitialisedStack: "allow", ...options, cpus: possibleCpus() });
    try {
      this.#load(programs);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #load(programs: readonly Program[]): void {
    for (const { maps } of programs) for (const definition of maps) this.#create(definition);
    for (const map of this.#maps.values()) {
      if (map.definition.type === "prog_array") continue;
      for (const { index, name } of map.definition.holds ?? []) {
        const held = this.#maps.get(name);
        if (held !== undefined) map.update(word(index), word(held.fd));
      }
    }
    for (const program of programs) {
      const maps = program.maps.map(({ name }) => this.kernelMap(name));
      const loaded = loadProgram(program, { maps });
      if (loaded.verdict === "reject") throw new Error(`${program.name}: ${loaded.message}\n${loaded.log}`);
      this.#loaded.push(loaded);
    }
    for (const map of this.#maps.values()) {
      if (map.definition.type !== "prog_array") continue;
      for (const { index, name } of map.definition.holds ?? []) {
        const held = this.#loaded[programs.findIndex((program) => program.name === name)];
        if (held !== undefined) map.update(word(index), word(held.fd));
      }
    }
  }

  #create(definition: MapDefinition): void {
    if (!this.#maps.has(definition.name)) this.#maps.set(definition.name, createMap(definition));
  }

  kernelMap(name: string): KernelMap {
    const map = this.#maps.get(name);
    if (map === undefined) throw new Error(`there is no map ${name}`);
    return map;
  }

  /** Puts the same value into the machine's and the kernel's map: for per-CPU maps for every processor. */
  update(name: string, key: Uint8Array, value: Uint8Array): void {
    const kernel = this.kernelMap(name);
    const copies = kernel.transferSize / value.length;
    const all = Uint8Array.from({ length: kernel.transferSize }, (_, i) => value[i % value.length] ?? 0);
    if (!Number.isInteger(copies)) throw new Error(`map ${name}: a value of ${value.length} bytes`);
    kernel.update(key, all);
    for (const map of this.#machineMaps(name)) if (map.kind === "values") map.update(key, all);
  }

  #machineMaps(name: string): readonly MapStorage[] {
    const maps = this.machines.flatMap((machine) => machine.maps);
    return maps.filter(({ definition }) => definition.name === name).slice(0, 1);
  }

  /** Runs program `index` on both. A kernel that will not run it, or a machine that faults, says why in `retval`. */
  run(index: number, environment: Environment): { readonly machine: Ended; readonly kernel: Ended } {
    const machine = this.machines[index];
    const loaded = this.#loaded[index];
    if (machine === undefined || loaded === undefined) throw new Error(`there is no program ${index}`);
    return { machine: onMachine(machine, environment), kernel: onKernel(loaded, environment) };
  }

  /** Contents of the maps that both have, as text by map and key; per-CPU values are added up, since the kernel chooses the processor. */
  contents(): { readonly machine: Contents; readonly kernel: Contents } {
    const machine: Contents = {};
    const kernel: Contents = {};
    for (const [name, map] of this.#maps) {
      const [own] = this.#machineMaps(name);
      if (own?.kind !== "values") continue;
      machine[name] = contentsOf(map.definition, own.entries());
      kernel[name] = contentsOf(map.definition, map.entries());
    }
    return { machine, kernel };
  }

  close(): void {
    for (const loaded of this.#loaded.splice(0)) loaded.close();
    for (const map of this.#maps.values()) map.close();
    this.#maps.clear();
  }
}

type Contents = Record<string, Record<string, string>>;

function onMachine(machine: Machine, environment: Environment): Ended {
  const ended = machine.run(environment);
  if (ended.outcome === "fault") {
    const { insn, kind, message } = ended.fault;
    return { retval: `fault at ${insn}: ${kind}: ${message}`, packet: "", context: "" };
  }
  const back = environment.context !== undefined && environment.packet !== undefined;
  const context = back ? hex(ended.context) : "";
  return { retval: Number(BigInt.asUintN(32, ended.r0)), packet: hex(ended.packet), context };
}

/** Helpers make packets longer than four pages only if they stand for several. */
const GROWTH = 50_000;

function onKernel({ fd }: Accepted, { packet, context }: Environment): Ended {
  const ended = testRun(fd, {
    ...(packet === undefined ? {} : { packet }),
    ...(context === undefined ? {} : { context }),
    contextBack: packet !== undefined,
    growth: GROWTH,
  });
  if (!ended.ran) return { retval: ended.message, packet: "", context: "" };
  return { retval: ended.retval, packet: hex(ended.packet), context: hex(ended.context) };
}

function contentsOf(
  definition: MapDefinition,
  entries: readonly (readonly [Uint8Array, Uint8Array])[],
): Record<string, string> {
  const perCpu = definition.type.startsWith("percpu");
  const texts = entries.map(
    ([key, value]) => [hex(key), perCpu ? added(definition, value) : hex(value)] as const,
  );
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The sum over processors of each 4-byte word of the value. */
function added({ valueSize }: MapDefinition, value: Uint8Array): string {
  const stride = Math.ceil(valueSize / 8) * 8;
  const words = new Uint32Array(Math.ceil(valueSize / 4));
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  for (let at = 0; at < value.length; at += stride) {
    for (let i = 0; i < words.length; i += 1) words[i] = (words[i] ?? 0) + view.getUint32(at + 4 * i, true);
  }
  return words.join(" ");
}
