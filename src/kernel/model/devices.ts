/**
 * Network devices as operations name them, beside the model: their names, which are the transition's objects' here, and the hooks that they have. Loopback devices, and whatever the names
 * decide, are not known here.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { AttachmentOperation } from "../operations/attachments.ts";
import type { Action } from "./actions.ts";
import type { State } from "./concrete.ts";
import { FILTERS } from "./hooks.ts";

type Of<N extends AttachmentOperation["do"]> = Extract<AttachmentOperation, { readonly do: N }>;

/** Operations on devices that are actions of the model. */
export type DeviceOperation = Of<
  | "veth_create"
  | "device_delete"
  | "device_move"
  | "qdisc_create"
  | "qdisc_delete"
  | "filter_create"
  | "filter_delete"
  | "xdp_set"
>;

const NAMES: ReadonlySet<string> = new Set<DeviceOperation["do"]>([
  "veth_create",
  "device_delete",
  "device_move",
  "qdisc_create",
  "qdisc_delete",
  "filter_create",
  "filter_delete",
  "xdp_set",
]);

export const isDeviceOperation = (operation: { readonly do: string }): operation is DeviceOperation =>
  NAMES.has(operation.do);

/** The descriptor that takes a program away. */
const NO_PROGRAM = -1;
const LOOPBACK = 1;

export type TcxHook = "tcx_ingress" | "tcx_egress";
export const XDP_POINT = "xdp";

/** A filter's place among those of a direction. */
interface FilterPlace {
  readonly point: string;
  readonly priority: number;
  readonly handle: number;
}

const unknown = (what: string): never => {
  throw new Unsupported(`the model does not know ${what}`);
};

/** The device that a process's network namespace has under a number; nothing if there is none. */
const deviceAt = (state: State, process: number, index: number): number =>
  state.read({ of: "device", network: state.read({ of: "network", process }), index });

export class Devices {
  readonly #names = new Map<number, string>();

  /** What an operation is in the model. @throws Unsupported  for what has no meaning in it */
  actionOf(operation: DeviceOperation, state: State): Action {
    const { process } = operation;
    switch (operation.do) {
      case "veth_create": {
        const { first, second } = operation;
        this.#refusePair(operation, state);
        return { do: "pair", process, indices: [first.index, second.index] };
      }
      case "device_delete":
        return { do: "delete_device", process, index: known(operation.index) };
      case "device_move":
        this.#refuseName(operation, state);
        return { do: "move_device", process, index: known(operation.index), fd: operation.fd };
      case "qdisc_create":
        if (operation.discipline !== "clsact") return unknown("the ingress discipline");
        return { do: "discipline", process, index: known(operation.index), manner: operation.manner };
      case "qdisc_delete":
        if (operation.discipline !== "clsact") return unknown("the ingress discipline");
        return { do: "no_discipline", process, index: known(operation.index) };
      case "filter_create": {
        const point = filterPoint(operation);
        if (operation.manner === "change") return unknown("filters that are to be there");
        const exclusive = operation.manner === "exclusive";
        return { do: "classify", process, index: known(operation.index), fd: operation.fd, point, exclusive };
      }
      case "filter_delete":
        return { do: "declassify", process, index: known(operation.index), point: filterPoint(operation) };
      case "xdp_set": {
        if (operation.flags !== 0 || operation.expected_fd !== undefined) return unknown("flags of xdp_set");
        const index = known(operation.index);
        if (operation.fd === NO_PROGRAM) return { do: "detach", process, index, point: XDP_POINT };
        return { do: "attach", process, index, fd: operation.fd, point: XDP_POINT };
      }
    }
  }

  /** An operation of these has been done, with success. */
  done(operation: DeviceOperation, state: State): void {
    if (operation.do !== "veth_create") return;
    for (const { name, index } of [operation.first, operation.second])
      this.#names.set(deviceAt(state, operation.process, index), name);
  }

  /** The names and numbers of a namespace's devices, its loopback device's too. */
  #taken(
    state: State,
    network: number,
  ): { readonly names: readonly string[]; readonly indices: readonly number[] } {
    const places = state.edges(network).flatMap((place) => (place.of === "device" ? [place] : []));
    return {
      names: ["lo", ...places.map((place) => this.#names.get(state.read(place)) ?? "")],
      indices: [LOOPBACK, ...places.map(({ index }) => index)],
    };
  }

  #refusePair({ first, second, process }: Of<"veth_create">, state: State): void {
    const { names, indices } = this.#taken(state, state.read({ of: "network", process }));
    const taken = [first, second].some(({ name, index }) => names.includes(name) || indices.includes(index));
    if (taken || first.name === second.name || first.index === second.index)
      unknown("devices whose name or number is taken");
  }

  #refuseName({ process, index, fd }: Of<"device_move">, state: State): void {
    const network = state.read({ of: "fd", process, fd });
    if (network === state.read({ of: "network", process })) return;
    const name = this.#names.get(deviceAt(state, process, index));
    const { names, indices } = this.#taken(state, network);
    if (name !== undefined && (names.includes(name) || indices.includes(index)))
      unknown("devices whose name or number is taken");
  }
}

/** A device's number. @throws Unsupported  for that of the loopback device */
export function known(index: number): number {
  return index === LOOPBACK ? unknown("loopback devices") : index;
}

function filterPoint({ direction, priority, handle }: Of<"filter_create" | "filter_delete">): string {
  if (priority === 0 || handle === 0) unknown("filters without a priority and a handle of their own");
  return `${FILTERS}/${direction} ${priority}:${handle}`;
}

/** A device's filters, in order. @throws Unsupported  where there is no discipline, or priorities alone do not say the order */
export function filtersOf(
  state: State,
  { process, index, direction }: Of<"filter_query">,
): { readonly device: number; readonly filters: readonly FilterPlace[] } {
  const device = deviceAt(state, process, known(index));
  if (state.read({ of: "mark", at: device, hook: FILTERS, mark: "clsact" }) === state.nothing)
    unknown("filters of devices without a clsact discipline");
  const start = `${FILTERS}/${direction} `;
  const filters = state
    .pointsOf(device, FILTERS)
    .filter((point) => point.startsWith(start))
    .map((point): FilterPlace => {
      const [priority = 0, handle = 0] = point.slice(start.length).split(":").map(Number);
      return { point, priority, handle };
    })
    .sort((a, b) => a.priority - b.priority);
  if (filters.some(({ priority }, at) => filters[at + 1]?.priority === priority))
    unknown("the order of filters of one priority");
  return { device, filters };
}

/** What of an action on devices the transition has no answer to. */
export function unknownOfDevices(state: State, action: Action): string | undefined {
  const { process } = action;
  const network = state.read({ of: "network", process });
  const taken = (at: number, index: number): boolean =>
    index === LOOPBACK || state.read({ of: "device", network: at, index }) !== state.nothing;
  switch (action.do) {
    case "pair":
      return action.indices.some((index) => taken(network, index))
        ? "devices whose name or number is taken"
        : undefined;
    case "move_device": {
      const to = state.read({ of: "fd", process, fd: action.fd });
      const there = state.is(to, "network") && to !== network && taken(to, action.index);
      return there ? "devices whose name or number is taken" : undefined;
    }
    case "no_discipline": {
      const at = deviceAt(state, process, action.index);
      const mark = { of: "mark", at, hook: FILTERS, mark: "clsact" } as const;
      return at !== state.nothing && state.read(mark) === state.nothing
        ? "disciplines that are not there"
        : undefined;
    }
    default:
      return undefined;
  }
}
