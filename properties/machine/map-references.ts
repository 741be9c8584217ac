/**
 * Things of this machine that maps refer to, each by a descriptor of the kernel's and as what that descriptor stands for in ours: sockets, maps, programs, tasks, files, control groups.
 */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, rmdirSync } from "node:fs";
import { call, type Memory } from "../../src/oracle/linux/calls.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap as createKernelMap } from "../../src/oracle/linux/maps.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { Machine } from "../../src/vm/machine.ts";
import { createMap } from "../../src/vm/maps/create.ts";
import type { ReferredProgram } from "../../src/vm/maps/map.ts";
import type { ReferredSocket } from "../../src/vm/maps/sockets.ts";
import type { Referent } from "../../src/vm/maps/user-side.ts";

/** asm/unistd_64.h of x86; other machines try fewer kinds of things. */
const CALLS = {
  socket: 41,
  listen: 50,
  bind: 49,
  setsockopt: 54,
  getsockopt: 55,
  perf_event_open: 298,
  pidfd_open: 434,
};

export interface Reference {
  readonly fd: number;
  readonly referent: Referent;
}

/** The shape of the maps that maps of maps hold here; the last of `MAPS` is of another. */
export const INNER: MapDefinition = {
  name: "inner",
  type: "array",
  keySize: 4,
  valueSize: 8,
  maxEntries: 2,
  flags: 0,
};
const MAPS: readonly MapDefinition[] = [
  INNER,
  INNER,
  INNER,
  { ...INNER, maxEntries: 3 },
  { ...INNER, type: "hash" },
];

const bytes32 = (...words: readonly number[]): Memory => ({
  bytes: new Uint8Array(Uint32Array.from(words).buffer),
  back: "all",
});

/** What the kernel says of a descriptor. */
function infoOf(fd: number, name: string): number {
  const line = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")
    .split("\n")
    .find((text) => text.startsWith(`${name}:`));
  return Number(line?.split("\t")[1]);
}

const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SO_COOKIE = 57;
const AF_INET = 2;
const AF_UNIX = 1;
const AF_XDP = 44;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;

function made(number: number, values: readonly (number | bigint | Memory)[]): number {
  return call(THIS_MACHINE, number, values).result;
}

interface SocketShape {
  readonly domain: number;
  readonly type: number;
  readonly referent: Omit<ReferredSocket, "kind" | "id" | "cookie">;
}

const UDP: SocketShape = {
  domain: AF_INET,
  type: SOCK_DGRAM,
  referent: { family: "inet", protocol: "udp", open: true, reuseport: false },
};
const TCP: SocketShape = {
  domain: AF_INET,
  type: SOCK_STREAM,
  referent: { family: "inet", protocol: "tcp", open: false, reuseport: false },
};
const LOCAL: SocketShape = {
  domain: AF_UNIX,
  type: SOCK_DGRAM,
  referent: { family: "unix", protocol: "other", open: false, reuseport: false },
};
const XDP: SocketShape = {
  domain: AF_XDP,
  type: SOCK_RAW,
  referent: { family: "xdp", protocol: "other", open: false, reuseport: false },
};

/** A socket: those of the internet are bound, and listen if they are to be open. */
function socket(
  { domain, type, referent }: SocketShape,
  more: Partial<SocketShape["referent"]> = {},
): Reference {
  const fd = made(CALLS.socket, [domain, type, 0]);
  const { reuseport = false, open = false } = more;
  if (reuseport) made(CALLS.setsockopt, [fd, SOL_SOCKET, SO_REUSEPORT, bytes32(1), 4]);
  const address = Uint8Array.from([AF_INET, 0, 0, 0, 127, 0, 0, 1, ...new Uint8Array(8)]);
  if (domain === AF_INET) made(CALLS.bind, [fd, { bytes: address, back: "nothing" }, 16]);
  if (open) made(CALLS.listen, [fd, 1]);
  const cookie = bytes32(0, 0);
  made(CALLS.getsockopt, [fd, SOL_SOCKET, SO_COOKIE, cookie, bytes32(8)]);
  const number = new DataView(cookie.bytes.buffer).getBigUint64(0, true);
  const held: ReferredSocket = { kind: "socket", id: fd, cookie: number, ...referent, ...more };
  return { fd, referent: held };
}

function map(definition: MapDefinition): Reference {
  const { fd } = createKernelMap(definition);
  const referent = createMap(definition, 1);
  referent.id = infoOf(fd, "map_id");
  return { fd, referent };
}

function program(type: Program["type"], attach?: Program["attach"]): Reference {
  const insns = assemble("r0 = 0\nexit", {});
  const shape: Program = {
    name: "target",
    type,
    license: "GPL",
    flags: [],
    insns,
    maps: [],
    lines: [],
    functions: [],
    ...(attach === undefined ? {} : { attach }),
  };
  const loaded = loadProgram(shape);
  if (loaded.verdict === "reject") throw new Error(loaded.message);
  const referent: ReferredProgram = {
    kind: "program",
    id: infoOf(loaded.fd, "prog_id"),
    program: shape,
    loaded: new Machine(shape).loaded,
  };
  return { fd: loaded.fd, referent };
}

const PERF_SOFTWARE = 1;
const PERF_BPF_OUTPUT = 10;
const PERF_SAMPLE_RAW = 1024;

function perfEvent(): Reference {
  const attribute = new DataView(new ArrayBuffer(128));
  attribute.setUint32(0, PERF_SOFTWARE, true);
  attribute.setUint32(4, 128, true);
  attribute.setUint32(8, PERF_BPF_OUTPUT, true);
  attribute.setUint32(24, PERF_SAMPLE_RAW, true);
  const bytes = new Uint8Array(attribute.buffer);
  const fd = made(CALLS.perf_event_open, [{ bytes, back: "nothing" }, -1, 0, -1, 0]);
  return { fd, referent: { kind: "perf_event", id: fd } };
}

/** Where control groups are, of the second version; and one of our own, with nobody in it. */
const CGROUPS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
const OWN_GROUP = `soundcheck-${process.pid}`;

function ownGroup(): string {
  const root = CGROUPS.find((path) => existsSync(`${path}/cgroup.controllers`));
  if (root === undefined) throw new Error("no control groups of the second version");
  const path = `${root}/${OWN_GROUP}`;
  if (!existsSync(path)) mkdirSync(path);
  return path;
}

/** Things of all kinds that could be had here. */
export function openReferences(): readonly Reference[] {
  const file = (path: string, kind: string): Reference => {
    const fd = openSync(path, "r");
    return { fd, referent: { kind, id: fd } };
  };
  const task = (pid: number): Reference => {
    const fd = made(CALLS.pidfd_open, [pid, 0]);
    return { fd, referent: { kind: "task", id: pid } };
  };
  const makers: readonly (() => Reference)[] = [
    ...MAPS.map((definition) => () => map(definition)),
    () => program("sched_cls"),
    () => program("sched_cls"),
    () => program("xdp"),
    () => program("xdp", "xdp_devmap"),
    () => program("xdp", "xdp_cpumap"),
    () => socket(UDP, { reuseport: true }),
    () => socket(UDP, { reuseport: true }),
    () => socket(UDP, { reuseport: true }),
    () => socket(UDP),
    () => socket(TCP),
    () => socket(TCP, { open: true }),
    () => socket(TCP, { open: true, reuseport: true }),
    () => socket(LOCAL),
    () => socket(XDP),
    perfEvent,
    () => task(process.pid),
    () => task(process.ppid),
    () => file("/proc/version", "inode"),
    () => file("/etc/passwd", "inode"),
    () => file(ownGroup(), "cgroup"),
  ];
  return makers.flatMap((make) => {
    try {
      const reference = make();
      if (reference.fd < 0) return [];
      Object.assign(reference.referent, { inode: fstatSync(reference.fd, { bigint: true }).ino });
      return [reference];
    } catch {
      return [];
    }
  });
}

export function closeReferences(references: readonly Reference[]): void {
  for (const { fd } of references) closeSync(fd);
  for (const root of CGROUPS) if (existsSync(`${root}/${OWN_GROUP}`)) rmdirSync(`${root}/${OWN_GROUP}`);
}
