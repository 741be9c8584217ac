/** The model as a system that operations are done on. It knows what matters to lifetimes, and says of everything else that it does not. */
import { Unsupported } from "../../semantics/errors.ts";
import { Attributes } from "../commands/attributes.ts";
import type { Operation } from "../operation.ts";
import type { BpfOperation } from "../operations/bpf.ts";
import type { Answer, Observation, OpenDescriptor, System } from "../system.ts";
import { type IdKind, State } from "./concrete.ts";
import { type Action, Transition } from "./transition.ts";

export class Model implements System {
  readonly #state: State;

  constructor(state = new State()) {
    this.#state = state;
  }

  /** @throws Unsupported  for what has no meaning in the model */
  do(operation: Operation): Answer {
    // What is attached where is the model's; whether there is a device is not.
    if (operation.do === "veth_create") return { result: 0 };
    const action = actionOf(operation);
    const transition = new Transition(this.#state);
    const cases = transition.take(action, (kind, id) => this.#state.find(kind, id));
    const found = cases.find(({ when }) => when);
    if (found === undefined) throw new Error(`no result of ${JSON.stringify(action)}`);
    return { result: found.result };
  }

  observe(): Observation {
    return observationOf(this.#state);
  }
}

export function observationOf(state: State): Observation {
  const ids = (kind: IdKind): readonly number[] =>
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
      return object === undefined ? [] : [{ fd, kind: object.idKind, id: object.id }];
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
        return object === undefined ? [] : [{ ...seenBy, path, kind: object.idKind, id: object.id }];
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** What an operation is in the model. */
function actionOf(operation: Operation): Action {
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
    case "bpf":
      return commandOf(operation);
    case "xdp_set":
      if (operation.flags !== 0 || operation.expected_fd !== undefined)
        throw new Unsupported("the model does not know flags of xdp_set");
      return operation.fd === NO_PROGRAM
        ? { do: "detach", process, point: pointOf(operation.index) }
        : { do: "attach", process, fd: operation.fd, point: pointOf(operation.index) };
    default:
      throw new Unsupported(`the model does not know ${name}`);
  }
}

/** The descriptor that takes a program away. */
const NO_PROGRAM = -1;
const BPF_XDP = 37;

/** Where a device's XDP program is attached. */
const pointOf = (index: number): string => `xdp of device ${index}`;

const BPF_MAP_TYPE_PROG_ARRAY = 3;
const SLOT = 8;
const MAP_LOAD = [0x18, 0x11];

function commandOf(call: BpfOperation): Action {
  const { process, command } = call;
  const attr = new Attributes(call);
  switch (command) {
    case "map_create": {
      const kind = attr.u32("map_type") === BPF_MAP_TYPE_PROG_ARRAY ? "prog_array" : "map";
      return { do: "create", process, kind };
    }
    case "prog_load":
      return { do: "load", process, maps: descriptorsIn(attr.bytes("insns") ?? new Uint8Array()) };
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
      if (attr.u32("attach_type") !== BPF_XDP || attr.u32("flags") !== 0)
        throw new Unsupported("the model does not know links other than of XDP");
      const point = pointOf(attr.u32("target_ifindex"));
      return { do: "link", process, fd: attr.s32("prog_fd"), point };
    }
    case "link_detach":
      return { do: "unlink_link", process, fd: attr.s32("link_fd") };
    case "link_get_fd_by_id":
      return { do: "open", process, kind: "link", id: attr.u32("id") };
    default:
      throw new Unsupported(`the model does not know bpf(${command})`);
  }
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
