/**
 * Network devices beside the model: which there are, and which have a clsact discipline. What is attached to them is the transition's. What an operation would be told of a device
 * that is not there, or of one that is there already, is not known here.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { AttachmentOperation } from "../operations/attachments.ts";
import type { Action } from "./transition.ts";

type Of<N extends AttachmentOperation["do"]> = Extract<AttachmentOperation, { readonly do: N }>;

/** Operations whose meaning depends on what devices there are, or changes it. */
export type DeviceOperation = Of<
  | "veth_create"
  | "device_delete"
  | "qdisc_create"
  | "qdisc_delete"
  | "filter_create"
  | "filter_delete"
  | "xdp_set"
>;

const NAMES: ReadonlySet<string> = new Set<DeviceOperation["do"]>([
  "veth_create",
  "device_delete",
  "qdisc_create",
  "qdisc_delete",
  "filter_create",
  "filter_delete",
  "xdp_set",
]);

export const isDeviceOperation = (operation: { readonly do: string }): operation is DeviceOperation =>
  NAMES.has(operation.do);

interface Device {
  readonly name: string;
  readonly peer: number;
  clsact: boolean;
}

/** The descriptor that takes a program away. */
const NO_PROGRAM = -1;

export type TcxHook = "tcx_ingress" | "tcx_egress";

/** A filter's place among those of a direction. */
interface FilterPlace {
  readonly point: string;
  readonly priority: number;
  readonly handle: number;
}

const filtersOf = (index: number): string => `filters of device ${index}`;
const unknown = (what: string): never => {
  throw new Unsupported(`the model does not know ${what}`);
};

export class Devices {
  readonly #devices = new Map<number, Device>();

  #device(index: number): Device {
    return this.#devices.get(index) ?? unknown("devices that are not there, and the loopback device");
  }

  /** Where a device's XDP program is attached. @throws Unsupported  without the device */
  xdpPoint(index: number): string {
    this.#device(index);
    return `xdp of device ${index}`;
  }

  /** Where its tcx programs are listed. @throws Unsupported  without the device */
  tcxHook(index: number, hook: TcxHook): string {
    this.#device(index);
    return `${hook} of device ${index}`;
  }

  /** What an operation is in the model. @throws Unsupported  for what has no meaning in it */
  actionOf(operation: DeviceOperation): Action {
    const { process } = operation;
    switch (operation.do) {
      case "veth_create":
        this.#refusePair(operation);
        return { do: "clear", process, hooks: [] };
      case "device_delete": {
        const hooks = [operation.index, this.#device(operation.index).peer].flatMap((index) => [
          this.xdpPoint(index),
          this.tcxHook(index, "tcx_ingress"),
          this.tcxHook(index, "tcx_egress"),
          filtersOf(index),
        ]);
        return { do: "clear", process, hooks };
      }
      case "qdisc_create":
        if (operation.discipline !== "clsact") return unknown("the ingress discipline");
        if (this.#device(operation.index).clsact || operation.manner === "change")
          return unknown("changes of disciplines");
        return { do: "clear", process, hooks: [] };
      case "qdisc_delete":
        this.#refuseNoDiscipline(operation.index);
        if (operation.discipline !== "clsact") return unknown("the ingress discipline");
        return { do: "clear", process, hooks: [filtersOf(operation.index)] };
      case "filter_create": {
        const point = this.#filter(operation);
        if (operation.manner === "change") return unknown("filters that are to be there");
        const exclusive = operation.manner === "exclusive";
        return { do: "classify", process, fd: operation.fd, point, exclusive };
      }
      case "filter_delete":
        return { do: "declassify", process, point: this.#filter(operation) };
      case "xdp_set": {
        if (operation.flags !== 0 || operation.expected_fd !== undefined) return unknown("flags of xdp_set");
        const point = this.xdpPoint(operation.index);
        if (operation.fd === NO_PROGRAM) return { do: "detach", process, point };
        return { do: "attach", process, fd: operation.fd, point };
      }
    }
  }

  /** The filters of a device that are at points, in order. @throws Unsupported  where priorities alone do not say it */
  filters(index: number, direction: string, points: readonly string[]): readonly FilterPlace[] {
    this.#refuseNoDiscipline(index);
    const start = `${filtersOf(index)}/${direction} `;
    const found = points
      .filter((point) => point.startsWith(start))
      .map((point): FilterPlace => {
        const [priority = 0, handle = 0] = point.slice(start.length).split(":").map(Number);
        return { point, priority, handle };
      })
      .sort((a, b) => a.priority - b.priority);
    if (found.some(({ priority }, at) => found[at + 1]?.priority === priority))
      unknown("the order of filters of one priority");
    return found;
  }

  /** An operation of these has been done, with success. */
  done(operation: DeviceOperation): void {
    switch (operation.do) {
      case "veth_create": {
        const { first, second } = operation;
        this.#devices.set(first.index, { name: first.name, peer: second.index, clsact: false });
        this.#devices.set(second.index, { name: second.name, peer: first.index, clsact: false });
        return;
      }
      case "device_delete":
        this.#devices.delete(this.#device(operation.index).peer);
        this.#devices.delete(operation.index);
        return;
      case "qdisc_create":
      case "qdisc_delete":
        this.#device(operation.index).clsact = operation.do === "qdisc_create";
        return;
      case "filter_create":
      case "filter_delete":
      case "xdp_set":
        return;
    }
  }

  #refusePair({ first, second }: Of<"veth_create">): void {
    const names = ["lo", ...[...this.#devices.values()].map(({ name }) => name)];
    const indices = [1, ...this.#devices.keys()];
    const taken = [first, second].some(({ name, index }) => names.includes(name) || indices.includes(index));
    if (taken || first.name === second.name || first.index === second.index)
      unknown("devices whose name or number is taken");
  }

  #refuseNoDiscipline(index: number): void {
    if (!this.#device(index).clsact) unknown("devices without a clsact discipline");
  }

  #filter({ index, direction, priority, handle }: Of<"filter_create" | "filter_delete">): string {
    this.#refuseNoDiscipline(index);
    if (priority === 0 || handle === 0) unknown("filters without a priority and a handle of their own");
    return `${filtersOf(index)}/${direction} ${priority}:${handle}`;
  }
}
