/** Operations as lines of a trace, made and drawn: few objects, few descriptors, so that most of them meet something. */
import fc from "fast-check";
import { type Action, PLACES } from "../../src/kernel/model/transition.ts";
import type { Operation } from "../../src/kernel/operation.ts";

type Bpf = Extract<Operation, { do: "bpf" }>;

const bpf = (process: number, command: Bpf["command"], attr: Bpf["attr"]): Operation => ({
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

const mapCreate = (process: number, type: "array" | "prog_array"): Operation =>
  bpf(process, "map_create", {
    map_type: type === "array" ? 2 : 3,
    key_size: 4,
    value_size: 4,
    max_entries: PLACES,
  });

const XDP = 6;

/** `r0 = 0; exit` after loads of the maps with these descriptors. */
function progLoad(process: number, maps: readonly number[]): Operation {
  const bytes = Buffer.alloc(16 * maps.length + 16);
  for (const [at, fd] of maps.entries()) {
    bytes.set([0x18, 0x11], 16 * at);
    bytes.writeInt32LE(fd, 16 * at + 4);
  }
  bytes.set([0xb7], bytes.length - 16);
  bytes.set([0x95], bytes.length - 8);
  return bpf(process, "prog_load", {
    prog_type: XDP,
    insn_cnt: bytes.length / 8,
    insns: { hex: bytes.toString("hex") },
    license: { text: "GPL" },
  });
}

const mapUpdate = (process: number, fd: number, index: number, value: number): Operation =>
  bpf(process, "map_update_elem", { map_fd: fd, key: word(index), value: word(value) });

const mapDelete = (process: number, fd: number, index: number): Operation =>
  bpf(process, "map_delete_elem", { map_fd: fd, key: word(index) });

const objPin = (process: number, fd: number, path: string): Operation =>
  bpf(process, "obj_pin", { pathname: { text: path }, bpf_fd: fd });

const objGet = (process: number, path: string): Operation =>
  bpf(process, "obj_get", { pathname: { text: path } });

const getFdById = (process: number, kind: "map" | "prog" | "link", id: number): Operation =>
  bpf(process, `${kind}_get_fd_by_id`, { id });

/** The device on which programs are attached, and what makes it. */
const DEVICE = 2;
export const DEVICES: readonly Operation[] = [
  {
    process: 1,
    do: "veth_create",
    first: { name: "one", index: DEVICE },
    second: { name: "other", index: DEVICE + 1 },
  },
];
export const POINT = `xdp of device ${DEVICE}`;

const xdpSet = (process: number, fd: number): Operation => ({
  process,
  do: "xdp_set",
  index: DEVICE,
  fd,
  flags: 0,
});

const BPF_XDP = 37;
const linkCreate = (process: number, fd: number): Operation =>
  bpf(process, "link_create", { prog_fd: fd, target_ifindex: DEVICE, attach_type: BPF_XDP });

/** The model's action as an operation; where it attaches is always the one point. */
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
      return progLoad(process, action.maps);
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
      return xdpSet(process, action.fd);
    case "detach":
      return xdpSet(process, -1);
    case "link":
      return linkCreate(process, action.fd);
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

/** One operation of one of so many processes. */
export function operation(processes: number): fc.Arbitrary<Operation> {
  const process = fc.integer({ min: 1, max: processes });
  const drawn = <T extends readonly unknown[]>(
    values: fc.Arbitrary<T>,
    make: (...values: T) => Operation,
  ): fc.Arbitrary<Operation> => values.map((all) => make(...all));
  return fc.oneof(
    drawn(fc.tuple(process, fc.constantFrom("array", "prog_array")), mapCreate),
    drawn(fc.tuple(process, fc.array(fd, { maxLength: 2 })), progLoad),
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
    ...(processes === 1
      ? []
      : [
          process.map((one): Operation => ({ process: one, do: "fork" })),
          process.map((one): Operation => ({ process: one, do: "exit" })),
        ]),
  );
}
