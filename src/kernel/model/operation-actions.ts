/** What operations are in the model. It knows what matters to lifetimes, and says of everything else that it does not. */
import { Unsupported } from "../../semantics/errors.ts";
import { Attributes } from "../commands/attributes.ts";
import type { Operation } from "../operation.ts";
import type { BpfOperation } from "../operations/bpf.ts";
import type { Action, ListMode, ProgramKind } from "./actions.ts";
import type { State } from "./concrete.ts";
import { type Devices, isDeviceOperation, known, type TcxHook, XDP_POINT } from "./devices.ts";

/** What an operation is. @throws Unsupported  for what has no meaning in the model */
export function actionOf(operation: Operation, devices: Devices, state: State): Action {
  if (isDeviceOperation(operation)) return devices.actionOf(operation, state);
  const { process, do: name } = operation;
  switch (operation.do) {
    case "fork":
    case "exit":
    case "socketpair":
    case "socket":
    case "unshare":
    case "unshare_net":
      return { do: operation.do, process };
    case "netns_open":
      return { do: "open_net", process };
    case "netns_enter":
      return { do: "enter_net", process, fd: operation.fd };
    case "dup":
    case "close":
      return { do: operation.do, process, fd: operation.fd };
    case "unlink":
    case "mkdir":
    case "rmdir":
      return { do: operation.do, process, path: pathOf(operation.path) };
    case "rename":
      if ((operation.flags ?? []).length > 0) return unknown("flags of rename");
      return { do: "rename", process, from: pathOf(operation.from), path: pathOf(operation.to) };
    case "link":
      return { do: "name", process, from: pathOf(operation.from), path: pathOf(operation.to) };
    case "bind":
      return { do: "bind", process, from: mountPath(operation.from), path: mountPath(operation.path) };
    case "umount":
      return { do: "umount", process, path: mountPath(operation.path) };
    case "mount":
      if (operation.type !== "bpf") return unknown("file systems other than BPF's");
      return { do: "mount", process, path: mountPath(operation.path) };
    case "cgroup_create":
    case "cgroup_remove":
    case "cgroup_open":
      return { do: operation.do, process, path: cgroupPath(operation.path) };
    case "send": {
      const [value, ...others] = operation.fds;
      if (value === undefined || others.length > 0) return unknown("messages of other than one descriptor");
      return { do: "send", process, fd: operation.fd, value };
    }
    case "receive":
      return { do: "receive", process, fd: operation.fd };
    case "setsockopt":
      return optionOf(operation);
    case "bpf":
      return commandOf(operation);
    default:
      return unknown(name);
  }
}

function unknown(what: string): never {
  throw new Unsupported(`the model does not know ${what}`);
}

/** Names that BPF file systems take, one or two. */
const PATH = /^\/[^/.]{1,200}(\/[^/.]{1,200})?$/;

const pathOf = (path: string): string =>
  PATH.test(path) ? path : unknown(`paths such as ${JSON.stringify(path)}`);

function mountPath(path: string): string {
  return PATH.exec(path)?.[1] === undefined
    ? pathOf(path)
    : unknown("file systems that are mounted in others");
}

const cgroupPath = (path: string): string =>
  path
    .split("/")
    .filter((name) => name !== "")
    .join("/");

function optionOf({ process, fd, option, value }: Extract<Operation, { do: "setsockopt" }>): Action {
  if (option === "attach_bpf") return { do: "filter", process, fd, value };
  if (option === "detach_filter") return { do: "unfilter", process, fd };
  return unknown(`setsockopt(${option})`);
}

const BPF_XDP = 37;
/** Hooks that have lists, by types of attachments. */
const TCX: ReadonlyMap<number, TcxHook> = new Map([
  [46, "tcx_ingress"],
  [47, "tcx_egress"],
]);
/** Lists of cgroups that the model knows: programs for packets alone. */
const CGROUP_LISTS: ReadonlyMap<number, string> = new Map([
  [0, "inet_ingress"],
  [1, "inet_egress"],
]);
const [ALLOW_MULTI, REPLACE, BEFORE, AFTER] = [1 << 1, 1 << 2, 1 << 3, 1 << 4];
/** By the flags of attaching: BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI. */
const MODES: readonly ListMode[] = ["single", "override", "multi"];

/** Hash tables and arrays hold nothing but bytes. */
const PLAIN_MAPS: readonly number[] = [1, 2];
const BPF_MAP_TYPE_PROG_ARRAY = 3;
const BPF_MAP_TYPE_ARRAY_OF_MAPS = 12;
/** Types of programs by the kernel's numbers, those whose attachments are known. */
const PROGRAM_TYPES: ReadonlyMap<number, ProgramKind> = new Map([
  [1, "filter"],
  [3, "classifier"],
  [6, "program"],
  [8, "cgroup_skb"],
]);
const [XDP, CGROUP_SKB] = [6, 8];
const BPF_F_XDP_HAS_FRAGS = 1 << 5;
const SLOT = 8;
const MAP_LOAD = [0x18, 0x11];

function commandOf(call: BpfOperation): Action {
  const { process, command } = call;
  const attr = new Attributes(call);
  switch (command) {
    case "map_create": {
      const type = attr.u32("map_type");
      if (type === BPF_MAP_TYPE_ARRAY_OF_MAPS)
        return { do: "outer", process, inner: attr.s32("inner_map_fd") };
      if (type !== BPF_MAP_TYPE_PROG_ARRAY && !PLAIN_MAPS.includes(type))
        return unknown(`maps of type ${type}`);
      const kind = type === BPF_MAP_TYPE_PROG_ARRAY ? "prog_array" : "map";
      return { do: "create", process, kind };
    }
    case "prog_load":
      return loadOf(process, attr);
    case "map_update_elem": {
      const [index, value] = [wordAt(attr, "key"), wordAt(attr, "value")];
      return { do: "update", process, fd: attr.s32("map_fd"), index, value };
    }
    case "map_delete_elem":
      return { do: "delete", process, fd: attr.s32("map_fd"), index: wordAt(attr, "key") };
    case "obj_pin":
      return { do: "pin", process, fd: attr.s32("bpf_fd"), path: pathOf(attr.text("pathname") ?? "") };
    case "obj_get":
      return { do: "get", process, path: pathOf(attr.text("pathname") ?? "") };
    case "map_get_fd_by_id":
      return { do: "open", process, kind: "map", id: attr.u32("id") };
    case "prog_get_fd_by_id":
      return { do: "open", process, kind: "program", id: attr.u32("id") };
    case "link_get_fd_by_id":
      return { do: "open", process, kind: "link", id: attr.u32("id") };
    case "link_create":
      return linkOf(process, attr);
    case "prog_attach":
    case "prog_detach":
      return attachmentOf(process, command, attr);
    case "link_update":
      if (attr.u32("flags") !== 0 || attr.u32("old_prog_fd") !== 0) return unknown("flags of updating links");
      return { do: "update_link", process, fd: attr.s32("link_fd"), value: attr.s32("new_prog_fd") };
    case "link_detach":
      return { do: "unlink_link", process, fd: attr.s32("link_fd") };
    default:
      return unknown(`bpf(${command})`);
  }
}

function loadOf(process: number, attr: Attributes): Action {
  if (attr.u32("fd_array_cnt") !== 0) return unknown("arrays of descriptors of programs");
  const [type, attach] = [attr.u32("prog_type"), attr.u32("expected_attach_type")];
  // Those for elements of maps are not attached to devices, as all others of the kind are.
  if (type === XDP && attach !== 0 && attach !== BPF_XDP) return unknown("XDP programs for elements of maps");
  // What they return may decide where they can be attached.
  if (type === CGROUP_SKB && attach !== 0) return unknown("programs for outgoing packets of cgroups alone");
  const kind = PROGRAM_TYPES.get(type) ?? "other";
  const fragments = (attr.u32("prog_flags") & BPF_F_XDP_HAS_FRAGS) !== 0;
  const maps = descriptorsIn(attr.bytes("insns") ?? new Uint8Array());
  return { do: "load", process, maps, kind, type: `${type} ${attach}${fragments ? " fragments" : ""}` };
}

function linkOf(process: number, attr: Attributes): Action {
  const [type, fd] = [attr.u32("attach_type"), attr.s32("prog_fd")];
  const list = TCX.get(type);
  if (list !== undefined) {
    const beside = besideOf(attr, attr.u32("flags"));
    return { do: "list_link", process, index: known(attr.u32("target_ifindex")), fd, hook: list, ...beside };
  }
  if (attr.u32("flags") !== 0) return unknown("flags of links");
  if (type === BPF_XDP)
    return { do: "link", process, index: known(attr.u32("target_ifindex")), fd, point: XDP_POINT };
  refusePosition(attr);
  const hook = CGROUP_LISTS.get(type) ?? unknownAttachment();
  return { do: "cgroup_link", process, cgroup: attr.s32("target_fd"), fd, hook };
}

function attachmentOf(process: number, command: "prog_attach" | "prog_detach", attr: Attributes): Action {
  const [type, fd] = [attr.u32("attach_type"), attr.s32("attach_bpf_fd")];
  const flags = attr.u32("attach_flags");
  const list = CGROUP_LISTS.get(type);
  if (list !== undefined) {
    refusePosition(attr);
    const cgroup = attr.s32("target_fd");
    if (command === "prog_attach" && flags === (ALLOW_MULTI | REPLACE))
      return { do: "cgroup_replace", process, cgroup, fd, hook: list, old: attr.s32("replace_bpf_fd") };
    const mode = MODES[flags];
    if (mode === undefined || (command === "prog_detach" && flags !== 0))
      return unknown("flags of attachments");
    if (command === "prog_detach") return { do: "cgroup_detach", process, cgroup, fd, hook: list };
    return { do: "cgroup_attach", process, cgroup, fd, hook: list, mode };
  }
  const [index, hook] = [known(attr.u32("target_ifindex")), TCX.get(type) ?? unknownAttachment()];
  if (command === "prog_attach" && flags === REPLACE) {
    refusePosition(attr);
    return { do: "relist", process, index, fd, hook, old: attr.s32("replace_bpf_fd") };
  }
  if (command === "prog_attach") return { do: "list", process, index, fd, hook, ...besideOf(attr, flags) };
  refusePosition(attr);
  if (flags !== 0) return unknown("flags of attachments");
  // Not a descriptor there: whatever is last in the list.
  if (fd === 0) return unknown("an order of programs");
  return { do: "unlist", process, index, fd, hook };
}

const unknownAttachment = (): never =>
  unknown("attachments other than XDP's, tcx's and those to packets of cgroups");

/** Which program a new one is to be before or after: the order is not known, but that one has to be there. @throws Unsupported */
function besideOf(attr: Attributes, flags: number): { readonly beside?: number } {
  if (attr.u64("expected_revision") !== 0n) return unknown("revisions of lists");
  const relative = attr.u32("relative_fd");
  if (flags !== BEFORE && flags !== AFTER) {
    if (flags !== 0 || relative !== 0) return unknown("flags of attachments");
    return {};
  }
  // Not a descriptor there: the first or the last place.
  return relative === 0 ? {} : { beside: relative };
}

/** @throws Unsupported  where the caller says more of a place than the hook */
function refusePosition(attr: Attributes): void {
  if (attr.u32("relative_fd") !== 0 || attr.u64("expected_revision") !== 0n) unknown("an order of programs");
}

/** The first four bytes of what a field points to: an index, or a descriptor. */
function wordAt(attr: Attributes, field: string): number {
  const bytes = attr.bytes(field);
  if (bytes === undefined || bytes.length < 4) return unknown(`a ${field} of ${bytes?.length ?? 0} bytes`);
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
