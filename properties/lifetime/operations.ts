/** Operations as lines of a trace, made and drawn: few objects, few descriptors, so that most of them meet something. */
import fc from "fast-check";
import { type Action, type ListMode, PLACES } from "../../src/kernel/model/actions.ts";
import type { Operation } from "../../src/kernel/operation.ts";

type Bpf = Extract<Operation, { do: "bpf" }>;

export const bpf = (process: number, command: Bpf["command"], attr: Bpf["attr"]): Operation => ({
  process,
  do: "bpf",
  command,
  attr,
});

const word = (value: number): { hex: string } => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return { hex: bytes.toString("hex") };
};

export const mapCreate = (process: number, type: "array" | "prog_array"): Operation =>
  bpf(process, "map_create", {
    map_type: type === "array" ? 2 : 3,
    key_size: 4,
    value_size: 4,
    max_entries: PLACES,
  });

/** An array of maps like the one of a descriptor. */
const outerCreate = (process: number, inner: number): Operation =>
  bpf(process, "map_create", {
    map_type: 12,
    key_size: 4,
    value_size: 4,
    max_entries: PLACES,
    inner_map_fd: inner,
  });

const [SOCKET_FILTER, CLASSIFIER, RAW_TRACEPOINT] = [1, 3, 17];
export const [XDP, CGROUP_SKB] = [6, 8];

/** `r0 = 0; exit` after loads of the maps with these descriptors. */
export function progLoad(process: number, maps: readonly number[], type = XDP): Operation {
  const bytes = Buffer.alloc(16 * maps.length + 16);
  for (const [at, fd] of maps.entries()) {
    bytes.set([0x18, 0x11], 16 * at);
    bytes.writeInt32LE(fd, 16 * at + 4);
  }
  bytes.set([0xb7], bytes.length - 16);
  bytes.set([0x95], bytes.length - 8);
  return bpf(process, "prog_load", {
    prog_type: type,
    insn_cnt: bytes.length / 8,
    insns: { hex: bytes.toString("hex") },
    license: { text: "GPL" },
  });
}

export const mapUpdate = (process: number, fd: number, index: number, value: number): Operation =>
  bpf(process, "map_update_elem", { map_fd: fd, key: word(index), value: word(value) });

const mapDelete = (process: number, fd: number, index: number): Operation =>
  bpf(process, "map_delete_elem", { map_fd: fd, key: word(index) });

const option = (
  process: number,
  fd: number,
  name: "attach_bpf" | "detach_filter",
  value: number,
): Operation => ({
  process,
  do: "setsockopt",
  fd,
  option: name,
  value,
});

export const objPin = (process: number, fd: number, path: string): Operation =>
  bpf(process, "obj_pin", { pathname: { text: path }, bpf_fd: fd });

export const objGet = (process: number, path: string): Operation =>
  bpf(process, "obj_get", { pathname: { text: path } });

const getFdById = (process: number, kind: "map" | "prog" | "link", id: number): Operation =>
  bpf(process, `${kind}_get_fd_by_id`, { id });

/** The device on which programs are attached, and what makes it. */
export const DEVICE = 2;
export const PAIR = {
  process: 1,
  do: "veth_create",
  first: { name: "one", index: DEVICE },
  second: { name: "other", index: DEVICE + 1 },
} as const;
export const DEVICES: readonly Operation[] = [PAIR];

export const xdpSet = (process: number, fd: number, index = DEVICE): Operation => ({
  process,
  do: "xdp_set",
  index,
  fd,
  flags: 0,
});

const BPF_XDP = 37;
export const linkCreate = (process: number, fd: number, index = DEVICE): Operation =>
  bpf(process, "link_create", { prog_fd: fd, target_ifindex: index, attach_type: BPF_XDP });

const TYPES = {
  program: XDP,
  filter: SOCKET_FILTER,
  classifier: CLASSIFIER,
  cgroup_skb: CGROUP_SKB,
  other: RAW_TRACEPOINT,
} as const;

const [TCX_INGRESS, TCX_EGRESS] = [46, 47];
const [ALLOW_MULTI, REPLACE, BEFORE, AFTER] = [1 << 1, 1 << 2, 1 << 3, 1 << 4];

/** A program in the place of another one in the list. */
const relisted = (process: number, fd: number, old: number, attach = TCX_INGRESS): Operation =>
  bpf(process, "prog_attach", {
    target_ifindex: DEVICE,
    attach_bpf_fd: fd,
    replace_bpf_fd: old,
    attach_type: attach,
    attach_flags: REPLACE,
  });

/** A program before or after another one. */
const listedBeside = (process: number, fd: number, beside: number, flags = BEFORE): Operation =>
  bpf(process, "prog_attach", {
    target_ifindex: DEVICE,
    attach_bpf_fd: fd,
    relative_fd: beside,
    attach_type: TCX_INGRESS,
    attach_flags: flags,
  });

/** A link before or after another program. */
const listLinkBeside = (process: number, fd: number, beside: number, flags = BEFORE): Operation =>
  bpf(process, "link_create", {
    prog_fd: fd,
    target_ifindex: DEVICE,
    attach_type: TCX_INGRESS,
    relative_fd: beside,
    flags,
  });

export const linkUpdate = (process: number, link: number, program: number): Operation =>
  bpf(process, "link_update", { link_fd: link, new_prog_fd: program });

const listed = (
  process: number,
  command: "prog_attach" | "prog_detach",
  fd: number,
  attach = TCX_INGRESS,
): Operation => bpf(process, command, { target_ifindex: DEVICE, attach_bpf_fd: fd, attach_type: attach });

const listLink = (process: number, fd: number, attach = TCX_INGRESS): Operation =>
  bpf(process, "link_create", { prog_fd: fd, target_ifindex: DEVICE, attach_type: attach });

/** Flags of attaching to a cgroup. */
const FLAGS: Readonly<Record<ListMode, number>> = { single: 0, override: 1, multi: 2 };
const CGROUP_INGRESS = 0;

/** A program, or a link, to a cgroup's list for incoming packets. */
export const cgroupAttach = (process: number, cgroup: number, fd: number, mode: ListMode): Operation =>
  bpf(process, "prog_attach", {
    target_fd: cgroup,
    attach_bpf_fd: fd,
    attach_type: CGROUP_INGRESS,
    attach_flags: FLAGS[mode],
  });

/** A program in the place of another one in a cgroup's list of several. */
export const cgroupReplace = (process: number, cgroup: number, fd: number, old: number): Operation =>
  bpf(process, "prog_attach", {
    target_fd: cgroup,
    attach_bpf_fd: fd,
    attach_type: CGROUP_INGRESS,
    attach_flags: ALLOW_MULTI | REPLACE,
    replace_bpf_fd: old,
  });

export const cgroupDetach = (process: number, cgroup: number, fd: number): Operation =>
  bpf(process, "prog_detach", { target_fd: cgroup, attach_bpf_fd: fd, attach_type: CGROUP_INGRESS });

export const cgroupLink = (process: number, cgroup: number, fd: number): Operation =>
  bpf(process, "link_create", { target_fd: cgroup, prog_fd: fd, attach_type: CGROUP_INGRESS });

const filterCreate = (
  process: number,
  fd: number,
  manner: "exclusive" | "create",
  handle = 1,
): Operation => ({
  process,
  do: "filter_create",
  index: DEVICE,
  direction: "ingress",
  priority: 1,
  handle,
  fd,
  manner,
});

const filterDelete = (process: number, handle = 1): Operation => ({
  process,
  do: "filter_delete",
  index: DEVICE,
  direction: "ingress",
  priority: 1,
  handle,
});

const DISCIPLINE = { index: DEVICE, discipline: "clsact" } as const;

/** The model's action as an operation; where tcx and filters are meant it is the one device, list and filter. */
export function operationOf(action: Action): Operation {
  const { process } = action;
  switch (action.do) {
    case "fork":
    case "exit":
      return { process, do: action.do };
    case "close":
    case "dup":
      return { process, do: action.do, fd: action.fd };
    case "create":
      return mapCreate(process, action.kind === "map" ? "array" : "prog_array");
    case "load":
      return progLoad(process, action.maps, TYPES[action.kind ?? "program"]);
    case "outer":
      return outerCreate(process, action.inner);
    case "socketpair":
    case "socket":
      return { process, do: action.do };
    case "send":
      return { process, do: "send", fd: action.fd, fds: [action.value] };
    case "receive":
      return { process, do: "receive", fd: action.fd };
    case "filter":
      return option(process, action.fd, "attach_bpf", action.value);
    case "unfilter":
      return option(process, action.fd, "detach_filter", 0);
    case "update":
      return mapUpdate(process, action.fd, action.index, action.value);
    case "delete":
      return mapDelete(process, action.fd, action.index);
    case "pin":
      return objPin(process, action.fd, action.path);
    case "get":
      return objGet(process, action.path);
    case "unlink":
      return { process, do: "unlink", path: action.path };
    case "open":
      return getFdById(process, action.kind === "program" ? "prog" : action.kind, action.id);
    case "attach":
      return xdpSet(process, action.fd, action.index);
    case "detach":
      return xdpSet(process, -1, action.index);
    case "list":
      return action.beside === undefined
        ? listed(process, "prog_attach", action.fd)
        : listedBeside(process, action.fd, action.beside);
    case "relist":
      return relisted(process, action.fd, action.old);
    case "update_link":
      return linkUpdate(process, action.fd, action.value);
    case "unlist":
      return listed(process, "prog_detach", action.fd);
    case "list_link":
      return action.beside === undefined
        ? listLink(process, action.fd)
        : listLinkBeside(process, action.fd, action.beside);
    case "classify":
      return filterCreate(process, action.fd, action.exclusive ? "exclusive" : "create");
    case "declassify":
      return filterDelete(process);
    case "discipline":
      return { ...DISCIPLINE, process, do: "qdisc_create", manner: action.manner };
    case "no_discipline":
      return { ...DISCIPLINE, process, do: "qdisc_delete" };
    case "mkdir":
    case "rmdir":
    case "umount":
      return { process, do: action.do, path: action.path };
    case "rename":
      return { process, do: "rename", from: action.from, to: action.path };
    case "name":
      return { process, do: "link", from: action.from, to: action.path };
    case "bind":
      return { process, do: "bind", from: action.from, path: action.path };
    case "mount":
      return { process, do: "mount", type: "bpf", path: action.path };
    case "unshare":
    case "unshare_net":
      return { process, do: action.do };
    case "open_net":
      return { process, do: "netns_open" };
    case "enter_net":
      return { process, do: "netns_enter", fd: action.fd };
    case "pair":
      return { ...PAIR, process };
    case "delete_device":
      return { process, do: "device_delete", index: action.index };
    case "move_device":
      return { process, do: "device_move", index: action.index, fd: action.fd };
    case "cgroup_create":
    case "cgroup_remove":
    case "cgroup_open":
      return { process, do: action.do, path: action.path };
    case "cgroup_attach":
      return cgroupAttach(process, action.cgroup, action.fd, action.mode);
    case "cgroup_replace":
      return cgroupReplace(process, action.cgroup, action.fd, action.old);
    case "cgroup_detach":
      return cgroupDetach(process, action.cgroup, action.fd);
    case "cgroup_link":
      return cgroupLink(process, action.cgroup, action.fd);
    case "link":
      return linkCreate(process, action.fd, action.index);
    case "unlink_link":
      return bpf(process, "link_detach", { link_fd: action.fd });
  }
}

// --- Drawn by chance

const fd = fc.integer({ min: 0, max: 7 });
const index = fc.integer({ min: 0, max: PLACES });
/** Where objects are pinned. */
const PATHS = ["/one", "/two", "/three"] as const;
const path = fc.constantFrom(...PATHS);

export const drawn = <T extends readonly unknown[]>(
  values: fc.Arbitrary<T>,
  make: (...values: T) => Operation,
): fc.Arbitrary<Operation> => values.map((all) => make(...all));

/** One operation of the first process on sockets that pass each other and program arrays: few others come between. */
export function passing(): fc.Arbitrary<Operation> {
  const process = fc.constant(1);
  const own = fc.integer({ min: 0, max: 4 });
  const weighted: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Operation>])[] = [
    [4, process.map((one) => ({ process: one, do: "socketpair" }))],
    [
      8,
      drawn(fc.tuple(process, own, own), (one, fd, passed) => ({
        process: one,
        do: "send",
        fd,
        fds: [passed],
      })),
    ],
    [4, drawn(fc.tuple(process, own), (one, fd) => ({ process: one, do: "receive", fd }))],
    [6, drawn(fc.tuple(process, own), (one, fd) => ({ process: one, do: "close", fd }))],
    [1, process.map((one) => mapCreate(one, "prog_array"))],
    [1, process.map((one) => progLoad(one, []))],
    [1, drawn(fc.tuple(process, own, fc.constant(0), own), mapUpdate)],
  ];
  return fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** One operation of two processes on a device's hooks, and on what they hold: the process that attaches may end, or the device go. */
export function attaching(): fc.Arbitrary<Operation> {
  const process = fc.constantFrom(1, 1, 2);
  const own = fc.integer({ min: 0, max: 5 });
  const type = fc.constantFrom(CLASSIFIER, CLASSIFIER, CLASSIFIER, XDP);
  const attach = fc.constantFrom(TCX_INGRESS, TCX_INGRESS, TCX_EGRESS);
  const handle = fc.constantFrom(1, 2);
  const weighted: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<Operation>])[] = [
    [3, drawn(fc.tuple(process, type), (one, of) => progLoad(one, [], of))],
    [1, drawn(fc.tuple(process, own, type), (one, map, of) => progLoad(one, [map], of))],
    [1, process.map((one) => mapCreate(one, "array"))],
    [5, drawn(fc.tuple(process, fc.constant("prog_attach"), own, attach), listed)],
    [3, drawn(fc.tuple(process, fc.constant("prog_detach"), own, attach), listed)],
    [4, drawn(fc.tuple(process, own, attach), listLink)],
    [2, drawn(fc.tuple(process, own, own, attach), relisted)],
    [1, drawn(fc.tuple(process, own, own, fc.constantFrom(BEFORE, AFTER)), listedBeside)],
    [1, drawn(fc.tuple(process, own, own, fc.constantFrom(BEFORE, AFTER)), listLinkBeside)],
    [2, drawn(fc.tuple(process, own, own), linkUpdate)],
    [2, drawn(fc.tuple(process, own), (one, link) => bpf(one, "link_detach", { link_fd: link }))],
    [
      1,
      process.map(
        (one): Operation => ({ process: one, do: "qdisc_create", ...DISCIPLINE, manner: "create" }),
      ),
    ],
    [0.3, process.map((one): Operation => ({ process: one, do: "qdisc_delete", ...DISCIPLINE }))],
    [4, drawn(fc.tuple(process, own, fc.constantFrom("exclusive", "create"), handle), filterCreate)],
    [2, drawn(fc.tuple(process, handle), filterDelete)],
    [1, drawn(fc.tuple(process, own), xdpSet)],
    [0.3, drawn(fc.tuple(process, own), linkCreate)],
    [4, drawn(fc.tuple(process, own), (one, fd) => ({ process: one, do: "close", fd }))],
    [0.5, drawn(fc.tuple(process, own, path), objPin)],
    [0.5, drawn(fc.tuple(process, path), (one, at) => ({ process: one, do: "unlink", path: at }))],
    [0.5, process.map((one): Operation => ({ process: one, do: "fork" }))],
    [0.3, process.map((one): Operation => ({ process: one, do: "exit" }))],
    [0.3, process.map((one): Operation => ({ process: one, do: "device_delete", index: DEVICE }))],
    [0.6, process.map((one): Operation => ({ ...PAIR, process: one }))],
  ];
  return fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight: Math.round(10 * weight), arbitrary })));
}

export const twoNames = (process: number, name: "rename" | "link", from: string, to: string): Operation => ({
  process,
  do: name,
  from,
  to,
});

/** One operation of one of so many processes. */
export function operation(processes: number): fc.Arbitrary<Operation> {
  const process = fc.integer({ min: 1, max: processes });
  return fc.oneof(
    drawn(fc.tuple(process, fc.constantFrom("array", "prog_array")), mapCreate),
    drawn(fc.tuple(process, fd), outerCreate),
    drawn(
      fc.tuple(
        process,
        fc.array(fd, { maxLength: 2 }),
        fc.constantFrom(XDP, XDP, SOCKET_FILTER, RAW_TRACEPOINT),
      ),
      progLoad,
    ),
    process.map((one): Operation => ({ process: one, do: "socketpair" })),
    process.map((one): Operation => ({ process: one, do: "socket" })),
    drawn(fc.tuple(process, fd, fd), (one, own, passed) => ({
      process: one,
      do: "send",
      fd: own,
      fds: [passed],
    })),
    drawn(fc.tuple(process, fd), (one, own) => ({ process: one, do: "receive", fd: own })),
    drawn(fc.tuple(process, fd, fd), (one, own, value) => option(one, own, "attach_bpf", value)),
    drawn(fc.tuple(process, fd), (one, own) => option(one, own, "detach_filter", 0)),
    drawn(fc.tuple(process, fd), (one, own) => ({ process: one, do: "close", fd: own })),
    drawn(fc.tuple(process, fd), (one, own) => ({ process: one, do: "dup", fd: own })),
    drawn(fc.tuple(process, fd, index, fd), mapUpdate),
    drawn(fc.tuple(process, fd, index), mapDelete),
    drawn(fc.tuple(process, fd, path), objPin),
    drawn(fc.tuple(process, path), objGet),
    drawn(fc.tuple(process, path), (one, at) => ({ process: one, do: "unlink", path: at })),
    drawn(
      fc.tuple(process, fc.constantFrom("map", "prog", "link"), fc.integer({ min: 1, max: 6 })),
      getFdById,
    ),
    drawn(fc.tuple(process, fd), xdpSet),
    process.map((one) => xdpSet(one, -1)),
    drawn(fc.tuple(process, fd), linkCreate),
    drawn(fc.tuple(process, fd), (one, own) => bpf(one, "link_detach", { link_fd: own })),
    drawn(fc.tuple(process, fd, fd), linkUpdate),
    drawn(fc.tuple(process, fc.constantFrom("rename", "link"), path, path), twoNames),
    ...(processes === 1
      ? []
      : [
          process.map((one): Operation => ({ process: one, do: "fork" })),
          process.map((one): Operation => ({ process: one, do: "exit" })),
        ]),
  );
}
