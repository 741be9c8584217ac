/** The model as a system that operations are done on. It knows what matters to lifetimes, and says of everything else that it does not. */
import { Unsupported } from "../../semantics/errors.ts";
import { ESRCH } from "../../vm/errno.ts";
import { Attributes } from "../commands/attributes.ts";
import type { Operation } from "../operation.ts";
import type { BpfOperation } from "../operations/bpf.ts";
import type { Answer, ObjectKind, Observation, OpenDescriptor, System } from "../system.ts";
import { State } from "./concrete.ts";
import { Devices, isDeviceOperation, type TcxHook } from "./devices.ts";
import type { ModelKind } from "./reading.ts";
import { type Action, PROGRAM_KINDS, type ProgramKind, Transition } from "./transition.ts";

/** How the descriptors are called that an action gives beside its result. */
const NEW_DESCRIPTORS: Readonly<Partial<Record<Action["do"], readonly string[]>>> = {
  socketpair: ["first", "second"],
  receive: ["fd0"],
};

export class Model implements System {
  readonly #state: State;
  /** Of which type the programs are that an array takes, as far as that has been settled. */
  readonly #owners = new Map<number, ModelKind>();
  readonly #devices = new Devices();

  constructor(state = new State()) {
    this.#state = state;
  }

  /** @throws Unsupported  for what has no meaning in the model */
  do(operation: Operation): Answer {
    if (operation.do === "filter_query") return this.#filters(operation);
    const action = actionOf(operation, this.#devices);
    this.#refuse(action);
    const before = this.#state.fds(action.process).filter((fd) => this.#at(action.process, fd) !== 0);
    const transition = new Transition(this.#state);
    const cases = transition.take(action, (kind, id) => this.#state.find(kind, id));
    const result = cases.find(({ when }) => when)?.result;
    if (result === undefined) throw new Error(`no result of ${JSON.stringify(action)}`);
    if (result >= 0) this.#own(action);
    if (result >= 0 && isDeviceOperation(operation)) this.#devices.done(operation);
    const names = NEW_DESCRIPTORS[action.do];
    if (names === undefined || result < 0 || (action.do === "receive" && result === 0)) return { result };
    const fresh = this.#state
      .fds(action.process)
      .filter((fd) => this.#at(action.process, fd) !== 0 && !before.includes(fd));
    return { result, out: Object.fromEntries(fresh.map((fd, index) => [names[index] ?? "", fd])) };
  }

  /** @throws Unsupported */
  #filters({ process, index, direction }: Extract<Operation, { do: "filter_query" }>): Answer {
    if (!this.#state.runs(process)) return { result: ESRCH };
    const points = this.#state.roots().flatMap((root) => (root.of === "attachment" ? [root.point] : []));
    const filters = this.#devices.filters(index, direction, points).map(({ point, priority, handle }) => {
      const program = this.#state.object(this.#state.read({ of: "attachment", point }));
      return `${priority}:${handle}:${program?.id ?? 0}`;
    });
    return { result: filters.length, out: { filters: filters.join(" ") } };
  }

  #at(process: number, fd: number): number {
    return this.#state.read({ of: "fd", process, fd });
  }

  #kind(process: number, fd: number): ModelKind | undefined {
    return this.#state.object(this.#at(process, fd))?.kind;
  }

  /** The arrays that an action makes arrays of one type of programs, and which. */
  #typed(action: Action): { readonly arrays: readonly number[]; readonly kind: ModelKind } | undefined {
    const { process } = action;
    if (action.do !== "load" && action.do !== "update") return undefined;
    const kind = action.do === "load" ? (action.kind ?? "program") : this.#kind(process, action.value);
    if (kind === undefined || !PROGRAM_KINDS.some((each) => each === kind)) return undefined;
    const fds = action.do === "load" ? action.maps : [action.fd];
    const arrays = fds
      .filter((fd) => this.#kind(process, fd) === "prog_array")
      .map((fd) => this.#at(process, fd));
    return { arrays, kind };
  }

  #own(action: Action): void {
    const typed = this.#typed(action);
    for (const array of typed?.arrays ?? []) this.#owners.set(array, typed?.kind ?? "program");
  }

  /** Whether an operation has a meaning in the model as it is now. */
  knows(operation: Operation): boolean {
    try {
      this.#refuse(actionOf(operation, this.#devices));
      return true;
    } catch (error) {
      if (error instanceof Unsupported) return false;
      throw error;
    }
  }

  /** What the transition does not tell apart. @throws Unsupported */
  #refuse(action: Action): void {
    const typed = this.#typed(action);
    const others = typed?.arrays.some((array) => (this.#owners.get(array) ?? typed.kind) !== typed.kind);
    const unknown =
      others === true ? "programs of several types in an array" : unknownIn(this.#state, action);
    if (unknown !== undefined) throw new Unsupported(`the model does not know ${unknown}`);
  }

  observe(): Observation {
    return observationOf(this.#state);
  }
}

/** What of an action in a state the transition has no answer to: nothing, if it has. */
export function unknownIn(state: State, action: Action): string | undefined {
  const kind = (fd: number): ModelKind | undefined =>
    state.object(state.read({ of: "fd", process: action.process, fd }))?.kind;
  switch (action.do) {
    case "filter":
    case "unfilter":
      return kind(action.fd) === "unix" ? "filters of Unix sockets" : undefined;
    case "send":
    case "receive":
      return kind(action.fd) === "udp" ? "messages of UDP sockets" : undefined;
    default:
      return undefined;
  }
}

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
    state.fds(process).flatMap((fd) => {
      const object = state.object(state.read({ of: "fd", process, fd }));
      if (object === undefined) return [];
      return [{ fd, kind: object.idKind, id: object.idKind === "socket" ? 0 : object.id }];
    });
  // One namespace, as the first of its processes sees it.
  const [process = 1] = state.processes();
  const seenBy = process === 1 ? {} : { process };
  return {
    alive: { map: ids("map"), program: ids("program"), link: ids("link"), btf: [] },
    processes: new Map(state.processes().map((process) => [process, descriptors(process)])),
    pins: [...state.pins]
      .flatMap(([path, number]) => {
        const object = state.object(number);
        if (object === undefined || object.idKind === "socket") return [];
        return [{ ...seenBy, path, kind: object.idKind, id: object.id }];
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** What an operation is in the model. */
function actionOf(operation: Operation, devices: Devices): Action {
  if (isDeviceOperation(operation)) return devices.actionOf(operation);
  const { process, do: name } = operation;
  switch (operation.do) {
    case "fork":
    case "exit":
      return { do: operation.do, process };
    case "dup":
    case "close":
      return { do: operation.do, process, fd: operation.fd };
    case "unlink":
      return { do: "unlink", process, path: operation.path };
    case "socketpair":
    case "socket":
      return { do: operation.do, process };
    case "send": {
      const [value, ...others] = operation.fds;
      if (value === undefined || others.length > 0)
        throw new Unsupported("the model does not know messages of other than one descriptor");
      return { do: "send", process, fd: operation.fd, value };
    }
    case "receive":
      return { do: "receive", process, fd: operation.fd };
    case "setsockopt":
      return optionOf(operation);
    case "bpf":
      return commandOf(operation, devices);
    default:
      throw new Unsupported(`the model does not know ${name}`);
  }
}

function optionOf({ process, fd, option, value }: Extract<Operation, { do: "setsockopt" }>): Action {
  if (option === "attach_bpf") return { do: "filter", process, fd, value };
  if (option === "detach_filter") return { do: "unfilter", process, fd };
  throw new Unsupported(`the model does not know setsockopt(${option})`);
}

const BPF_XDP = 37;
/** Hooks that have lists, by types of attachments. */
const TCX: ReadonlyMap<number, TcxHook> = new Map([
  [46, "tcx_ingress"],
  [47, "tcx_egress"],
]);

/** Hash tables and arrays hold nothing but bytes. */
const PLAIN_MAPS: readonly number[] = [1, 2];
const BPF_MAP_TYPE_PROG_ARRAY = 3;
const BPF_MAP_TYPE_ARRAY_OF_MAPS = 12;
/** Types of programs by the kernel's numbers. Others keep what XDP's keep, and what they are attached to is not known here. */
const PROGRAM_TYPES: ReadonlyMap<number, ProgramKind> = new Map([
  [1, "filter"],
  [3, "classifier"],
]);
const XDP = 6;
const SLOT = 8;
const MAP_LOAD = [0x18, 0x11];

function commandOf(call: BpfOperation, devices: Devices): Action {
  const { process, command } = call;
  const attr = new Attributes(call);
  switch (command) {
    case "map_create": {
      const type = attr.u32("map_type");
      if (type === BPF_MAP_TYPE_ARRAY_OF_MAPS)
        return { do: "outer", process, inner: attr.s32("inner_map_fd") };
      if (type !== BPF_MAP_TYPE_PROG_ARRAY && !PLAIN_MAPS.includes(type))
        throw new Unsupported(`the model does not know maps of type ${type}`);
      const kind = type === BPF_MAP_TYPE_PROG_ARRAY ? "prog_array" : "map";
      return { do: "create", process, kind };
    }
    case "prog_load": {
      if (attr.u32("fd_array_cnt") !== 0)
        throw new Unsupported("the model does not know arrays of descriptors of programs");
      // Those for elements of maps are not attached to devices, as all others of the kind are.
      if (attr.u32("prog_type") === XDP && ![0, BPF_XDP].includes(attr.u32("expected_attach_type")))
        throw new Unsupported("the model does not know XDP programs for elements of maps");
      const kind = PROGRAM_TYPES.get(attr.u32("prog_type")) ?? "program";
      return { do: "load", process, maps: descriptorsIn(attr.bytes("insns") ?? new Uint8Array()), kind };
    }
    case "map_update_elem": {
      const [index, value] = [wordAt(attr, "key"), wordAt(attr, "value")];
      return { do: "update", process, fd: attr.s32("map_fd"), index, value };
    }
    case "map_delete_elem":
      return { do: "delete", process, fd: attr.s32("map_fd"), index: wordAt(attr, "key") };
    case "obj_pin":
      return { do: "pin", process, fd: attr.s32("bpf_fd"), path: attr.text("pathname") ?? "" };
    case "obj_get":
      return { do: "get", process, path: attr.text("pathname") ?? "" };
    case "map_get_fd_by_id":
      return { do: "open", process, kind: "map", id: attr.u32("id") };
    case "prog_get_fd_by_id":
      return { do: "open", process, kind: "program", id: attr.u32("id") };
    case "link_create": {
      const [type, fd, index] = [attr.u32("attach_type"), attr.s32("prog_fd"), attr.u32("target_ifindex")];
      if (attr.u32("flags") !== 0) throw new Unsupported("the model does not know flags of links");
      if (type === BPF_XDP) return { do: "link", process, fd, point: devices.xdpPoint(index) };
      refusePosition(attr);
      return { do: "list_link", process, fd, hook: listOf(type, index, devices) };
    }
    case "prog_attach":
    case "prog_detach": {
      const [type, fd] = [attr.u32("attach_type"), attr.s32("attach_bpf_fd")];
      if (attr.u32("attach_flags") !== 0)
        throw new Unsupported("the model does not know flags of attachments");
      refusePosition(attr);
      const hook = listOf(type, attr.u32("target_ifindex"), devices);
      if (command === "prog_attach") return { do: "list", process, fd, hook };
      // Not a descriptor there: whatever is last in the list.
      if (fd === 0) throw new Unsupported("the model does not know an order of programs");
      return { do: "unlist", process, fd, hook };
    }
    case "link_detach":
      return { do: "unlink_link", process, fd: attr.s32("link_fd") };
    case "link_get_fd_by_id":
      return { do: "open", process, kind: "link", id: attr.u32("id") };
    default:
      throw new Unsupported(`the model does not know bpf(${command})`);
  }
}

/** The list of a type of attachment. @throws Unsupported */
function listOf(type: number, index: number, devices: Devices): string {
  const hook = TCX.get(type);
  if (hook === undefined)
    throw new Unsupported("the model does not know attachments other than XDP's and tcx's");
  return devices.tcxHook(index, hook);
}

/** @throws Unsupported  where the caller says more of a place than the hook */
function refusePosition(attr: Attributes): void {
  if (attr.u32("relative_fd") !== 0 || attr.u64("expected_revision") !== 0n)
    throw new Unsupported("the model does not know an order of programs");
}

/** The first four bytes of what a field points to: an index, or a descriptor. */
function wordAt(attr: Attributes, field: string): number {
  const bytes = attr.bytes(field);
  if (bytes === undefined || bytes.length < 4)
    throw new Unsupported(`the model does not know a ${field} of ${bytes?.length ?? 0} bytes`);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

/** The descriptors of maps that instructions load, in order. */
function descriptorsIn(insns: Uint8Array): readonly number[] {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.length);
  const found: number[] = [];
  for (let at = 0; at + 2 * SLOT <= insns.length; at += SLOT) {
    if (MAP_LOAD.every((byte, index) => view.getUint8(at + index) === byte))
      found.push(view.getInt32(at + 4, true));
    if (view.getUint8(at) === MAP_LOAD[0]) at += SLOT;
  }
  return found;
}
