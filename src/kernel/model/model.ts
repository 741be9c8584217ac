/** The model as a system that operations are done on. It knows what matters to lifetimes, and says of everything else that it does not. */
import { Unsupported } from "../../semantics/errors.ts";
import { ESRCH } from "../../vm/errno.ts";
import type { Operation } from "../operation.ts";
import type { Answer, ObjectKind, Observation, OpenDescriptor, Pin, System } from "../system.ts";
import { type Action, PROGRAM_KINDS } from "./actions.ts";
import { State } from "./concrete.ts";
import { Devices, filtersOf, isDeviceOperation, unknownOfDevices } from "./devices.ts";
import { unknownOfFiles } from "./files.ts";
import { actionOf } from "./operation-actions.ts";
import type { ModelKind } from "./reading.ts";
import { take } from "./transition.ts";

/** How the descriptors are called that an action gives beside its result. */
const NEW_DESCRIPTORS: Readonly<Partial<Record<Action["do"], readonly string[]>>> = {
  socketpair: ["first", "second"],
  receive: ["fd0"],
};

export class Model implements System {
  readonly #state: State;
  /** What tells programs apart beside their kinds, by programs; and what an array takes, as far as that has been settled. */
  readonly #types = new Map<number, string>();
  readonly #owners = new Map<number, string>();
  readonly #devices = new Devices();

  constructor(state = new State()) {
    this.#state = state;
  }

  /** @throws Unsupported  for what has no meaning in the model */
  do(operation: Operation): Answer {
    const state = this.#state;
    // Whoever is not there has no state in which an operation could have a meaning.
    if (!state.runs(operation.process)) return { result: ESRCH };
    if (operation.do === "filter_query") return this.#filters(operation);
    const action = actionOf(operation, this.#devices, state);
    this.#refuse(action);
    const before = state.descriptors(action.process).map(([fd]) => fd);
    const cases = take(state, action, (kind, id) => state.find(kind, id));
    const result = cases.find(({ when }) => when)?.result;
    if (result === undefined) throw new Error(`no result of ${JSON.stringify(action)}`);
    if (result >= 0) this.#own(action, result);
    if (result >= 0 && isDeviceOperation(operation)) this.#devices.done(operation, state);
    const names = NEW_DESCRIPTORS[action.do];
    if (names === undefined || result < 0 || (action.do === "receive" && result === 0)) return { result };
    const fresh = state.descriptors(action.process).flatMap(([fd]) => (before.includes(fd) ? [] : [fd]));
    return { result, out: Object.fromEntries(fresh.map((fd, index) => [names[index] ?? "", fd])) };
  }

  /** @throws Unsupported */
  #filters(operation: Extract<Operation, { do: "filter_query" }>): Answer {
    const { device, filters } = filtersOf(this.#state, operation);
    const texts = filters.map(({ point, priority, handle }) => {
      const program = this.#state.object(this.#state.read({ of: "attachment", at: device, point }));
      return `${priority}:${handle}:${program?.id ?? 0}`;
    });
    return { result: texts.length, out: { filters: texts.join(" ") } };
  }

  #at(process: number, fd: number): number {
    return this.#state.read({ of: "fd", process, fd });
  }

  #kind(process: number, fd: number): ModelKind | undefined {
    return this.#state.object(this.#at(process, fd))?.kind;
  }

  /** The type of the program that a descriptor stands for; nothing where it stands for none. */
  #typeOf(process: number, fd: number): string | undefined {
    const at = this.#at(process, fd);
    const kind = this.#state.object(at)?.kind;
    return PROGRAM_KINDS.some((each) => each === kind) ? (this.#types.get(at) ?? kind) : undefined;
  }

  /** The arrays that an action makes arrays of one type of programs, and which. */
  #typed(action: Action): { readonly arrays: readonly number[]; readonly type: string } | undefined {
    const { process } = action;
    if (action.do !== "load" && action.do !== "update") return undefined;
    const type = action.do === "load" ? typeLoaded(action) : this.#typeOf(process, action.value);
    if (type === undefined) return undefined;
    const fds = action.do === "load" ? action.maps : [action.fd];
    const arrays = fds
      .filter((fd) => this.#kind(process, fd) === "prog_array")
      .map((fd) => this.#at(process, fd));
    return { arrays, type };
  }

  /** An action has been done. @param result  of a program that has been loaded its descriptor */
  #own(action: Action, result: number): void {
    const typed = this.#typed(action);
    if (action.do === "load") this.#types.set(this.#at(action.process, result), typeLoaded(action));
    for (const array of typed?.arrays ?? []) this.#owners.set(array, typed?.type ?? "");
  }

  /** Whether a link would get a program of the same kind that Linux tells apart. */
  #isOtherTarget(action: Action): boolean {
    if (action.do !== "update_link") return false;
    const target = this.#state.read({ of: "target", link: this.#at(action.process, action.fd) });
    const value = this.#at(action.process, action.value);
    const isOfKind = this.#state.object(target)?.kind === this.#state.object(value)?.kind;
    return isOfKind && this.#types.get(target) !== this.#types.get(value);
  }

  /** Whether an operation has a meaning in the model as it is now. */
  knows(operation: Operation): boolean {
    try {
      if (this.#state.runs(operation.process)) this.#refuse(actionOf(operation, this.#devices, this.#state));
      return true;
    } catch (error) {
      if (error instanceof Unsupported) return false;
      throw error;
    }
  }

  /** What the transition does not tell apart. @throws Unsupported */
  #refuse(action: Action): void {
    const typed = this.#typed(action);
    const others = typed?.arrays.some((array) => (this.#owners.get(array) ?? typed.type) !== typed.type);
    const unknown =
      others === true
        ? "programs of several types in an array"
        : this.#isOtherTarget(action)
          ? "programs of several types for a link"
          : unknownIn(this.#state, action);
    if (unknown !== undefined) throw new Unsupported(`the model does not know ${unknown}`);
  }

  observe(): Observation {
    return observationOf(this.#state);
  }
}

const typeLoaded = ({ type, kind }: Extract<Action, { do: "load" }>): string => type ?? kind ?? "program";

/** What of an action in a state the transition has no answer to: nothing, if it has. */
export function unknownIn(state: State, action: Action): string | undefined {
  const { process } = action;
  const kind = (fd: number): ModelKind | undefined =>
    state.object(state.read({ of: "fd", process, fd }))?.kind;
  switch (action.do) {
    case "filter":
    case "unfilter":
      return kind(action.fd) === "unix" ? "filters of Unix sockets" : undefined;
    case "send":
    case "receive":
      return kind(action.fd) === "udp" ? "messages of UDP sockets" : undefined;
    case "mount": {
      const mounts = state.read({ of: "mounts", process });
      const there = state.read({ of: "mount", mounts, path: action.path });
      return there === state.nothing ? undefined : "file systems that are mounted upon others";
    }
    case "bind":
    case "rename":
    case "name":
      return unknownOfFiles(state, action);
    default:
      return unknownOfDevices(state, action);
  }
}

/** What a process sees of the names that pin something. */
function pinsSeenBy(state: State, process: number): readonly Pin[] {
  const mounts = state.read({ of: "mounts", process });
  const paths = state.mountPaths(mounts);
  return paths.flatMap((at) => {
    const files = state.read({ of: "mount", mounts, path: at });
    return state.names(files).flatMap((path): readonly Pin[] => {
      const object = state.object(state.read({ of: "pin", files, path }));
      // What is beneath a mount is not seen.
      if (at === "" && paths.some((other) => other !== "" && path.startsWith(`${other}/`))) return [];
      const kind = object === undefined ? undefined : withId(object.idKind);
      if (object === undefined || kind === undefined) return [];
      return [{ path: `${at}${path}`, kind, id: object.id, ...(process === 1 ? {} : { process }) }];
    });
  });
}

const withId = (kind: string): ObjectKind | undefined =>
  kind === "map" || kind === "program" || kind === "link" ? kind : undefined;

export function observationOf(state: State): Observation {
  const ids = (kind: ObjectKind): readonly number[] =>
    state
      .objects()
      .flatMap((number) => {
        const object = state.object(number);
        return object?.idKind === kind ? [object.id] : [];
      })
      .sort((a, b) => a - b);
  const descriptors = (process: number): readonly OpenDescriptor[] =>
    state.descriptors(process).flatMap(([fd, number]) => {
      const object = state.object(number);
      if (object === undefined) return [];
      const { idKind: kind, id } = object;
      return [{ fd, kind, id: withId(kind) === undefined ? 0 : id }];
    });
  const processes = state.processes();
  const namespaces = new Map<number, number>();
  for (const process of processes.toReversed())
    namespaces.set(state.read({ of: "mounts", process }), process);
  const key = ({ process = 1, path }: Pin): string => `${String(process).padStart(6, "0")} ${path}`;
  return {
    alive: { map: ids("map"), program: ids("program"), link: ids("link"), btf: [] },
    processes: new Map(processes.map((process) => [process, descriptors(process)])),
    pins: [...namespaces.values()]
      .flatMap((process) => pinsSeenBy(state, process))
      .sort((a, b) => (key(a) < key(b) ? -1 : 1)),
  };
}
