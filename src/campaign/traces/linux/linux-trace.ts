/** One trace on Linux: its processes, and what its numbers are to the kernel. */

import {
  OBJECT_KINDS,
  type ObjectKind,
  type Observation,
  type OpenDescriptor,
  type Pin,
} from "../../../kernel/system.ts";
import { MOST_PROCESSES, type ProcessHost } from "../../../oracle/linux/process-host.ts";
import { Unsupported } from "../../../semantics/errors.ts";
import { descriptorsOf, existing, pinsOf, type Seen } from "./observe.ts";
import { collectSockets } from "./sockets.ts";
import { resultOf, systemCall } from "./syscalls.ts";
import type { World } from "./world.ts";

/** Descriptors from here on are the agent's: whoever names one gets what there is at a number that nobody has. */
const AGENT_DESCRIPTORS = 1000;
const NOBODYS = 1_000_000;
/** How far above what is known it is looked for more. */
const MORE = 3;
/** An id that no object has. */
const NO_ID = 0x7fff_ffff;

export class LinuxTrace {
  readonly world: World;
  /** The kernel's ids of each kind, in the order in which they came. */
  readonly #ids: Readonly<Record<ObjectKind, number[]>> = { map: [], program: [], link: [], btf: [] };
  readonly #gone: Readonly<Record<ObjectKind, Set<number>>> = {
    map: new Set(),
    program: new Set(),
    link: new Set(),
    btf: new Set(),
  };
  readonly #running = new Map<number, readonly OpenDescriptor[]>();
  /** The mount namespaces of processes, as far as they have been asked for. */
  readonly #namespaces = new Map<number, string>();
  #lastProcess = 1;
  /** Whether sockets may lie in messages. */
  passing = false;
  /** What is to be taken away when the trace is over. */
  readonly endings: (() => void)[] = [];
  /** The types of the maps that were made, in order. */
  readonly mapTypes: number[] = [];

  /** @param network  in a network namespace of its own */
  constructor(world: World, network: boolean) {
    this.world = world;
    world.begin(network);
    this.#running.set(1, []);
  }

  get processes(): ProcessHost {
    return this.world.processes;
  }

  get running(): ReadonlyMap<number, readonly OpenDescriptor[]> {
    return this.#running;
  }

  /** Makes a call in a process: what it returned, or a negative error number. */
  call(process: number, ...call: Parameters<typeof systemCall>): number {
    return resultOf(this.processes.calls(process, [systemCall(...call)])[0]);
  }

  /** A descriptor as it is named in a call. */
  descriptor(fd: number): number {
    return fd >= AGENT_DESCRIPTORS ? fd + NOBODYS : fd;
  }

  // --- Ids

  /** The kernel's id for ours; one that nothing has where there is none. */
  idOf(kind: ObjectKind, ours: number): number {
    if (ours === 0) return 0;
    return this.#ids[kind][ours - 1] ?? NO_ID;
  }

  /** Our id for the kernel's, if it is of this trace. */
  ours(kind: ObjectKind, id: number): number | undefined {
    const at = this.#ids[kind].indexOf(id);
    return at === -1 ? undefined : at + 1;
  }

  /** Our ids after one of them. */
  idsAfter(kind: ObjectKind, ours: number): readonly number[] {
    return this.#ids[kind].map((_, index) => index + 1).filter((id) => id > ours);
  }

  #named({ fd, kind, id }: Seen): OpenDescriptor {
    const known = OBJECT_KINDS.find((each) => each === kind);
    if (known === undefined) return { fd, kind, id };
    return { fd, kind, id: this.ours(known, id) ?? this.#ids[known].push(id) };
  }

  // --- Processes

  fork(parent: number): number {
    const child = this.#lastProcess + 1;
    if (child > MOST_PROCESSES) throw new Unsupported(`more than ${MOST_PROCESSES} processes`);
    this.processes.fork(parent, child);
    this.#lastProcess = child;
    this.#running.set(child, this.#running.get(parent) ?? []);
    this.#namespaces.set(child, this.#namespaces.get(parent) ?? "");
    this.look(child);
    return child;
  }

  exit(process: number): number {
    this.processes.exit(process);
    this.#running.delete(process);
    return 0;
  }

  /** Sees what descriptors a process has now. @param highest  one that may be new */
  look(process: number, highest = -1): void {
    if (!this.#running.has(process)) return;
    const known = this.#running.get(process)?.at(-1)?.fd ?? -1;
    const limit = Math.max(known, highest) + MORE;
    const seen = descriptorsOf(this.world, process, Math.min(limit, AGENT_DESCRIPTORS));
    this.#running.set(
      process,
      seen.map((each) => this.#named(each)),
    );
  }

  // --- What there is

  /** Our ids of the objects that there are still. */
  alive(): Observation["alive"] {
    const known = (kind: ObjectKind): readonly number[] =>
      this.#ids[kind].filter((id) => !this.#gone[kind].has(id));
    const asked = { map: known("map"), program: known("program"), link: known("link"), btf: known("btf") };
    const alive = existing(this.world, asked);
    const ours = (kind: ObjectKind): readonly number[] => {
      for (const id of asked[kind]) if (!alive[kind].includes(id)) this.#gone[kind].add(id);
      return alive[kind].map((id) => this.ours(kind, id) ?? 0);
    };
    return { map: ours("map"), program: ours("program"), link: ours("link"), btf: ours("btf") };
  }

  #namespace(process: number): string {
    let namespace = this.#namespaces.get(process);
    if (namespace === undefined || namespace === "") {
      namespace = this.world.mountNamespace(process);
      this.#namespaces.set(process, namespace);
    }
    return namespace;
  }

  /** The process may be in another mount namespace now. */
  forgetNamespace(process: number): void {
    this.#namespaces.delete(process);
  }

  /** The pins of each mount namespace, as the first of its processes sees them. */
  pins(): readonly Pin[] {
    const namespaces = new Set<string>();
    return [...this.#running.keys()]
      .sort((a, b) => a - b)
      .flatMap((process) => {
        const namespace = this.#namespace(process);
        if (namespaces.has(namespace)) return [];
        namespaces.add(namespace);
        return pinsOf(this.world, process)
          .map(({ path, kind, id }) => ({
            path,
            kind,
            id: this.ours(kind, id) ?? 0,
            ...(process === 1 ? {} : { process }),
          }))
          .sort((a, b) => (a.path < b.path ? -1 : 1));
      });
  }

  /** Has Linux give up the sockets that lie in each other's messages alone. */
  collectSockets(): void {
    // What the first time frees may be freed after what it is waited for by; the second time waits for all of that.
    for (let time = 0; time < 2; time++) collectSockets(this.world);
  }

  /** Ends all processes. */
  end(): void {
    for (const process of this.#running.keys()) this.exit(process);
    for (const ending of this.endings) ending();
  }
}
