/** What can be seen of processes from the one that oversees them: their descriptors, the names in their file systems, which objects there are. */
import { OBJECT_KINDS, type ObjectKind } from "../../../kernel/system.ts";
import type { Memory } from "../../../oracle/linux/calls.ts";
import { O_DIRECTORY, O_PATH, resultOf, room, systemCall, text } from "./syscalls.ts";
import type { World } from "./world.ts";

/** A descriptor with the kernel's own id of what it stands for; 0 for what has none. */
export interface Seen {
  readonly fd: number;
  readonly kind: string;
  readonly id: number;
}

/** Of what is said of a descriptor; what is asked for comes first. */
const INFO_BYTES = 512;
const DIRECTORY_BYTES = 8192;
const DOTS = [".", ".."];
/** Some kernels put programs of their own into each new BPF file system, which nobody can take out. */
const PRELOADED = ["maps.debug", "progs.debug"];
/** Lines of /proc/PID/fdinfo by which objects are told apart; a link names its program too. */
const ID_LINES: readonly (readonly [ObjectKind, RegExp])[] = [
  ["link", /^link_id:\t(\d+)$/m],
  ["map", /^map_id:\t(\d+)$/m],
  ["program", /^prog_id:\t(\d+)$/m],
  ["btf", /^btf_id:\t(\d+)$/m],
];

/** Names in the bytes of getdents64(2), without those that all directories have, or all BPF file systems of some kernels. */
export function namesOf(bytes: Uint8Array): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const names: string[] = [];
  for (let at = 0; at + 19 <= bytes.length; at += view.getUint16(at + 16, true)) {
    const end = bytes.indexOf(0, at + 19);
    names.push(Buffer.from(bytes.subarray(at + 19, end)).toString("utf8"));
  }
  return names.filter((name) => !DOTS.includes(name) && !PRELOADED.includes(name));
}

/** The names in each directory; nothing for what cannot be read, or is none. */
function readNames(world: World, paths: readonly string[]): readonly (readonly string[] | undefined)[] {
  const found = paths.map(() => room(DIRECTORY_BYTES));
  const outcomes = world.oversee(
    paths.flatMap((path, index) => {
      const opened = { resultOf: 3 * index };
      return [
        systemCall("open", text(path), O_DIRECTORY, 0),
        systemCall("getdents64", opened, found[index] ?? 0, DIRECTORY_BYTES),
        systemCall("close", opened),
      ];
    }),
  );
  return found.map(({ bytes }, index) => {
    const size = resultOf(outcomes[3 * index + 1]);
    return size < 0 ? undefined : namesOf(bytes.subarray(0, size));
  });
}

const untilNul = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString("latin1");
};

/** What the kernel says of descriptors of a process of the namespace; those that there are not are left out. */
function look(world: World, directory: string, names: readonly string[]): readonly Seen[] {
  const infos = names.map(() => room(INFO_BYTES));
  const links = names.map(() => room(64));
  world.oversee(
    names.flatMap((name, index) => {
      const [info, link] = [infos[index] ?? 0, links[index] ?? 0];
      return [
        systemCall("open", text(`${directory}/fdinfo/${name}`), 0, 0),
        systemCall("read", { resultOf: 4 * index }, info, INFO_BYTES - 1),
        systemCall("close", { resultOf: 4 * index }),
        systemCall("readlink", text(`${directory}/fd/${name}`), link, 63),
      ];
    }),
  );
  return names.flatMap((name, index) => {
    const info = untilNul(infos[index]?.bytes ?? new Uint8Array(0));
    const link = untilNul(links[index]?.bytes ?? new Uint8Array(0));
    return link === "" ? [] : [{ fd: Number(name), ...whatIs(info, link) }];
  });
}

function whatIs(info: string, link: string): Omit<Seen, "fd"> {
  for (const [kind, line] of ID_LINES) {
    const id = line.exec(info)?.[1];
    if (id !== undefined) return { kind, id: Number(id) };
  }
  const flags = Number.parseInt(/^flags:\t(\d+)$/m.exec(info)?.[1] ?? "0", 8);
  if ((flags & O_PATH) !== 0) return { kind: "place", id: 0 };
  if (link.startsWith("socket:")) return { kind: "socket", id: 0 };
  if (link.startsWith("/soundcheck-")) return { kind: "cgroup", id: 0 };
  if (link === "anon_inode:[perf_event]") return { kind: "perf_event", id: 0 };
  if (link === "anon_inode:bpf_iter") return { kind: "iter", id: 0 };
  return { kind: link.startsWith("net:") ? "netns" : link, id: 0 };
}

/** Those descriptors of a process that there are, of the numbers below a limit. */
export function descriptorsOf(world: World, process: number, limit: number): readonly Seen[] {
  const names = Array.from({ length: limit }, (_, fd) => String(fd));
  return look(world, `/proc/${world.processes.pid(process)}`, names);
}

/** A name that pins something, with the kernel's own id of it. */
export interface SeenPin {
  readonly path: string;
  readonly kind: ObjectKind;
  readonly id: number;
}

const OBJ_GET = 7;

/** The pins that a process sees in file systems of this kind. */
export function pinsOf(world: World, process: number): readonly SeenPin[] {
  const root = `/proc/${world.processes.pid(process)}/root`;
  const pins: SeenPin[] = [];
  for (let directories: readonly string[] = [""]; directories.length > 0; ) {
    const names = readNames(
      world,
      directories.map((directory) => `${root}${directory}/`),
    );
    const paths = directories.flatMap((directory, index) =>
      (names[index] ?? []).map((name) => `${directory}/${name}`),
    );
    const here = pinsAt(world, root, paths);
    pins.push(...here.filter((pin) => pin !== undefined));
    directories = paths.filter((_, index) => here[index] === undefined);
  }
  return pins;
}

/** What each of the names pins; nothing for those that pin nothing. */
function pinsAt(world: World, root: string, paths: readonly string[]): readonly (SeenPin | undefined)[] {
  if (paths.length === 0) return [];
  const attributes = paths.map((path): Memory => {
    return { bytes: new Uint8Array(16), back: "nothing", pointers: [[0, text(`${root}${path}`)]] };
  });
  const fds = world
    .oversee(attributes.map((attribute) => systemCall("bpf", OBJ_GET, attribute, 16)))
    .map(resultOf);
  const open = fds.filter((fd) => fd >= 0);
  const seen = new Map(look(world, "/proc/self", open.map(String)).map((each) => [each.fd, each]));
  world.oversee(open.map((fd) => systemCall("close", fd)));
  return paths.map((path, index) => {
    const what = seen.get(fds[index] ?? -1);
    const kind = OBJECT_KINDS.find((each) => each === what?.kind);
    return what === undefined || kind === undefined ? undefined : { path, kind, id: what.id };
  });
}

const NEXT_ID: Readonly<Record<ObjectKind, number>> = { program: 11, map: 12, btf: 23, link: 31 };

/** The kernel's ids of objects, by kind. */
export type Ids = Readonly<Record<ObjectKind, readonly number[]>>;

/** Which of the ids there are still. They are not opened: to close an array again would keep what is in it a little longer each time. */
export function existing(world: World, ids: Ids): Ids {
  const asked = OBJECT_KINDS.flatMap((kind) => ids[kind].map((id) => ({ kind, id, attribute: room(12) })));
  for (const { id, attribute } of asked) new DataView(attribute.bytes.buffer).setUint32(0, id - 1, true);
  const outcomes =
    asked.length === 0
      ? []
      : world.oversee(asked.map(({ kind, attribute }) => systemCall("bpf", NEXT_ID[kind], attribute, 12)));
  const found = asked.filter(
    ({ id, attribute }, index) =>
      outcomes[index]?.errno === 0 && new DataView(attribute.bytes.buffer).getUint32(4, true) === id,
  );
  const of = (wanted: ObjectKind): readonly number[] =>
    found.filter(({ kind }) => kind === wanted).map(({ id }) => id);
  return { map: of("map"), program: of("program"), link: of("link"), btf: of("btf") };
}
