/**
 * Traces by chance. What fast-check draws, and makes smaller, is a list of choices: numbers. They become operations as the trace goes on: a descriptor is chosen among those that
 * the process has, so that most operations succeed. The same choices give the same trace.
 */
import fc from "fast-check";
import type { Operation } from "../../kernel/operation.ts";
import { Runtime } from "../../kernel/runtime.ts";
import type { ObjectKind, Observation, OpenDescriptor } from "../../kernel/system.ts";
import { Unsupported } from "../../semantics/errors.ts";

/** Numbers of which an operation is made. */
export interface Choice {
  readonly what: keyof typeof MAKERS;
  readonly numbers: readonly number[];
}

const DIRECTORIES = ["/d", "/e", "/d/e", "/e/d"];

/** Draws from the numbers of a choice, what there is at the moment. */
class Draw {
  readonly process: number;
  readonly #numbers: readonly number[];
  readonly #observation: Observation;
  readonly #runtime: Runtime;
  #next = 0;

  constructor({ numbers }: Choice, runtime: Runtime) {
    this.#numbers = numbers;
    this.#runtime = runtime;
    const observation = runtime.observe();
    this.#observation = observation;
    const running = [...observation.processes.keys()];
    this.process = running[this.#number() % Math.max(1, running.length)] ?? 1;
  }

  #number(): number {
    const number = this.#numbers[this.#next % this.#numbers.length] ?? 0;
    this.#next += 1;
    return number;
  }

  below(limit: number): number {
    return this.#number() % limit;
  }

  of<T>(...values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }

  /** Seldom. */
  rarely(): boolean {
    return this.below(24) === 23;
  }

  #open(fits: (descriptor: OpenDescriptor) => boolean): number {
    const all = this.#observation.processes.get(this.process) ?? [];
    const fitting = all.filter(fits);
    if (fitting.length === 0 || this.rarely()) return this.of(0, 1, 2, 7, -1);
    return fitting[this.below(fitting.length)]?.fd ?? 0;
  }

  fd(): number {
    return this.#open(() => true);
  }

  fdOf(...kinds: readonly string[]): number {
    return this.#open(({ kind }) => kinds.includes(kind));
  }

  running(): number {
    return this.#observation.processes.size;
  }

  descriptors(): number {
    return this.#observation.processes.get(this.process)?.length ?? 0;
  }

  id(kind: ObjectKind): number {
    const alive = this.#observation.alive[kind];
    return alive.length === 0 || this.rarely() ? this.below(6) : (alive[this.below(alive.length)] ?? 0);
  }

  /** Whether the process finds something there. */
  #exists(path: string): boolean {
    return this.#runtime.do({ process: this.process, do: "stat", path }).result === 0;
  }

  /** Among the paths mostly one for which this holds. */
  #path(paths: readonly string[], holds: boolean): string {
    const fitting = this.below(8) === 7 ? [] : paths.filter((path) => this.#exists(path) === holds);
    const among = fitting.length === 0 ? paths : fitting;
    return this.#odd(among[this.below(among.length)] ?? "/");
  }

  /** The path of a directory that there is. */
  directory(): string {
    return this.#path(DIRECTORIES, true);
  }

  newDirectory(): string {
    const inner = DIRECTORIES.filter((path) => this.#exists(path)).flatMap((path) => [
      `${path}/d`,
      `${path}/e`,
    ]);
    return this.#path(
      [...inner, "/d", "/e"].filter((path) => DIRECTORIES.includes(path)),
      false,
    );
  }

  /** The path of a pin. */
  file(): string {
    const pins = this.#observation.pins.map(({ path }) => path);
    return this.#path(pins.length === 0 ? ["/a"] : pins, true);
  }

  newFile(): string {
    const directories = ["", ...DIRECTORIES.filter((path) => this.#exists(path))];
    return this.#path(
      directories.flatMap((path) => ["a", "b", "c"].map((name) => `${path}/${name}`)),
      false,
    );
  }

  any(): string {
    return this.of(0, 1) === 0 ? this.directory() : this.file();
  }

  /** The path, or seldom one in which something is strange. */
  #odd(path: string): string {
    if (!this.rarely()) return path;
    return this.of(
      `${path}/`,
      `${path}/.`,
      `${path}/..`,
      `/${path}`,
      `${path}.x`,
      "/",
      "",
      "/d/../e",
      `${path}/none`,
      `/${"n".repeat(256)}`,
      "..",
      path.slice(1),
    );
  }
}

type Made = Operation | undefined;
type Maker = (draw: Draw) => Made;

const word = (value: number): { readonly hex: string } => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return { hex: bytes.toString("hex") };
};

/** A socket filter that uses the maps with these descriptors: `r0 = 0; exit` after loads of them. */
function programOf(maps: readonly number[]): {
  readonly insns: { readonly hex: string };
  readonly insn_cnt: number;
} {
  const bytes = Buffer.alloc(16 * maps.length + 16);
  for (const [at, fd] of maps.entries()) {
    bytes.set([0x18, 0x11], 16 * at);
    bytes.writeInt32LE(fd, 16 * at + 4);
  }
  bytes.set([0xb7], bytes.length - 16);
  bytes.set([0x95], bytes.length - 8);
  return { insns: { hex: bytes.toString("hex") }, insn_cnt: bytes.length / 8 };
}

const SOCKET_FILTER = 1;
const [ARRAY, PROGRAM_ARRAY] = [2, 3];
const PATH_FD = 1 << 14;
const [READ_ONLY, WRITE_ONLY] = [1 << 3, 1 << 4];
const MOST_PROCESSES = 5;
const MOST_DESCRIPTORS = 24;

const bpf = (
  draw: Draw,
  command:
    | "map_create"
    | "map_lookup_elem"
    | "map_update_elem"
    | "map_delete_elem"
    | "prog_load"
    | "obj_pin"
    | "obj_get"
    | "map_get_fd_by_id"
    | "prog_get_fd_by_id",
  attr: Extract<Operation, { do: "bpf" }>["attr"],
): Operation => ({
  process: draw.process,
  do: "bpf",
  command,
  attr,
});

/** Where a path may begin: seldom at a descriptor. */
function pathFrom(draw: Draw, path: string, flags: number): Extract<Operation, { do: "bpf" }>["attr"] {
  if (draw.below(6) !== 0) return { pathname: { text: path }, ...(flags === 0 ? {} : { file_flags: flags }) };
  const relative = draw.below(4) === 0 ? path : path.slice(path.lastIndexOf("/") + 1);
  return { pathname: { text: relative }, path_fd: draw.fdOf("place"), file_flags: PATH_FD | flags };
}

const MAKERS = {
  map: (draw) =>
    draw.descriptors() >= MOST_DESCRIPTORS
      ? undefined
      : bpf(draw, "map_create", {
          map_type: draw.of(ARRAY, PROGRAM_ARRAY),
          key_size: 4,
          value_size: 4,
          max_entries: draw.rarely() ? 0 : 2,
        }),
  program: (draw) => {
    if (draw.descriptors() >= MOST_DESCRIPTORS) return undefined;
    const maps = Array.from({ length: draw.below(3) }, () => draw.fdOf("map"));
    return bpf(draw, "prog_load", { prog_type: SOCKET_FILTER, license: { text: "GPL" }, ...programOf(maps) });
  },
  update: (draw) =>
    bpf(draw, "map_update_elem", {
      map_fd: draw.fdOf("map"),
      key: word(draw.rarely() ? 2 : draw.below(2)),
      value: word(draw.fdOf("program")),
    }),
  delete: (draw) =>
    bpf(draw, "map_delete_elem", { map_fd: draw.fdOf("map"), key: word(draw.rarely() ? 2 : draw.below(2)) }),
  lookup: (draw) =>
    bpf(draw, "map_lookup_elem", {
      map_fd: draw.fdOf("map"),
      key: word(draw.below(2)),
      value: { hex: "00000000" },
    }),
  byId: (draw) =>
    draw.of(0, 1) === 0
      ? bpf(draw, "map_get_fd_by_id", { id: draw.id("map") })
      : bpf(draw, "prog_get_fd_by_id", { id: draw.id("program") }),
  pin: (draw) =>
    bpf(draw, "obj_pin", { bpf_fd: draw.fdOf("map", "program"), ...pathFrom(draw, draw.newFile(), 0) }),
  get: (draw) =>
    bpf(draw, "obj_get", pathFrom(draw, draw.file(), draw.of(0, 0, 0, 0, 0, READ_ONLY, WRITE_ONLY))),

  fork: (draw) => (draw.running() >= MOST_PROCESSES ? undefined : { process: draw.process, do: "fork" }),
  exit: (draw) => (draw.running() === 1 ? undefined : { process: draw.process, do: "exit" }),
  execve: (draw) => ({ process: draw.process, do: "execve" }),
  dup: (draw) =>
    draw.descriptors() >= MOST_DESCRIPTORS ? undefined : { process: draw.process, do: "dup", fd: draw.fd() },
  dupTo: (draw) => {
    const [fd, to] = [draw.fd(), draw.rarely() ? -1 : draw.below(12)];
    const { process } = draw;
    return draw.of(0, 1) === 0
      ? { process, do: "dup2", fd, to }
      : { process, do: "dup3", fd, to, close_on_exec: draw.below(2) === 0 };
  },
  fcntl: (draw) => ({
    process: draw.process,
    do: "fcntl",
    fd: draw.fd(),
    command: draw.of("getfd", "setfd", "dupfd", "dupfd_cloexec"),
    value: draw.rarely() ? -1 : draw.below(9),
  }),
  close: (draw) => ({ process: draw.process, do: "close", fd: draw.fd() }),
  socketpair: (draw) =>
    draw.descriptors() >= MOST_DESCRIPTORS
      ? undefined
      : { process: draw.process, do: "socketpair", close_on_exec: draw.below(2) === 0 },
  send: (draw) => ({
    process: draw.process,
    do: "send",
    fd: draw.fdOf("socket"),
    fds: Array.from({ length: draw.below(4) }, () => draw.fd()),
  }),
  receive: (draw) => ({
    process: draw.process,
    do: "receive",
    fd: draw.fdOf("socket"),
    close_on_exec: draw.below(2) === 0,
  }),

  mkdir: (draw) => ({
    process: draw.process,
    do: "mkdir",
    path: draw.newDirectory(),
    ...(draw.below(4) === 0 ? { mode: draw.of(0o700, 0o755, 0o1777, 0o000, 0o777) } : {}),
  }),
  rmdir: (draw) => ({ process: draw.process, do: "rmdir", path: draw.directory() }),
  unlink: (draw) => ({
    process: draw.process,
    do: "unlink",
    path: draw.rarely() ? draw.directory() : draw.file(),
  }),
  rename: (draw) => {
    const directory = draw.below(3) === 0;
    const [from, to] = [
      directory ? draw.directory() : draw.file(),
      draw.below(4) === 0 ? draw.any() : directory ? draw.newDirectory() : draw.newFile(),
    ];
    const flags = draw.of(
      [],
      [],
      ["noreplace"] as const,
      ["exchange"] as const,
      ["noreplace", "exchange"] as const,
    );
    return {
      process: draw.process,
      do: "rename",
      from,
      to,
      ...(flags.length === 0 ? {} : { flags: [...flags] }),
    };
  },
  link: (draw) => ({
    process: draw.process,
    do: "link",
    from: draw.rarely() ? draw.directory() : draw.file(),
    to: draw.newFile(),
  }),
  chmod: (draw) => ({
    process: draw.process,
    do: "chmod",
    path: draw.any(),
    mode: draw.of(0o777, 0o755, 0o700, 0o600, 0o644, 0o666, 0o1777, 0o000, 0o444, 0o222, 0o111),
  }),
  chown: (draw) => ({
    process: draw.process,
    do: "chown",
    path: draw.any(),
    uid: draw.of(0, 1, 2, -1),
    gid: draw.of(0, 1, 2, -1),
  }),
  stat: (draw) => ({ process: draw.process, do: "stat", path: draw.any() }),
  readdir: (draw) => ({
    process: draw.process,
    do: "readdir",
    path: draw.below(3) === 0 ? "/" : draw.directory(),
  }),
  openPath: (draw) =>
    draw.descriptors() >= MOST_DESCRIPTORS
      ? undefined
      : { process: draw.process, do: "open_path", path: draw.any(), close_on_exec: draw.below(2) === 0 },
  mount: (draw) => ({
    process: draw.process,
    do: "mount",
    type: draw.of("bpf", "bpf", "tmpfs"),
    path: draw.rarely() ? draw.file() : draw.directory(),
  }),
  bind: (draw) =>
    draw.below(4) === 0
      ? { process: draw.process, do: "bind", from: draw.file(), path: draw.file() }
      : {
          process: draw.process,
          do: "bind",
          from: draw.below(3) === 0 ? "/" : draw.directory(),
          path: draw.directory(),
        },
  umount: (draw) => ({
    process: draw.process,
    do: "umount",
    path: draw.below(5) === 0 ? draw.file() : draw.directory(),
    detach: draw.below(3) === 0,
  }),
  unshare: (draw) => ({ process: draw.process, do: "unshare" }),
  setuid: (draw) => ({ process: draw.process, do: "setuid", uid: draw.of(1, 1, 2, 0) }),
} as const satisfies Record<string, Maker>;

/** How often each, beside others. */
const WEIGHTS: readonly (readonly [keyof typeof MAKERS, number])[] = [
  ["map", 8],
  ["program", 6],
  ["update", 6],
  ["delete", 2],
  ["lookup", 2],
  ["byId", 3],
  ["pin", 8],
  ["get", 6],
  ["fork", 3],
  ["exit", 2],
  ["execve", 1],
  ["dup", 2],
  ["dupTo", 2],
  ["fcntl", 1],
  ["close", 8],
  ["socketpair", 3],
  ["send", 5],
  ["receive", 3],
  ["mkdir", 8],
  ["rmdir", 2],
  ["unlink", 4],
  ["rename", 4],
  ["link", 3],
  ["chmod", 2],
  ["chown", 1],
  ["stat", 3],
  ["readdir", 2],
  ["openPath", 3],
  ["mount", 2],
  ["bind", 2],
  ["umount", 2],
  ["unshare", 1],
  ["setuid", 1],
];

const KINDS = WEIGHTS.map(([what, weight]) => ({ weight, arbitrary: fc.constant(what) }));

/** Choices for a trace. @param length  of the trace, at most */
export const choices = (length: number): fc.Arbitrary<readonly Choice[]> =>
  fc.array(
    fc.record({
      what: fc.oneof(...KINDS),
      numbers: fc.array(fc.nat(239), { minLength: 12, maxLength: 12 }),
    }),
    { minLength: length, maxLength: length, size: "max" },
  );

/** The trace that choices give; at its end all processes end. What the runtime does not model is left out. */
export function traceOf(list: readonly Choice[]): readonly Operation[] {
  const runtime = new Runtime();
  const operations: Operation[] = [];
  const add = (operation: Operation): void => {
    try {
      runtime.do(operation);
      operations.push(operation);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  };
  for (const choice of list) {
    const operation = MAKERS[choice.what](new Draw(choice, runtime));
    if (operation !== undefined) add(operation);
  }
  for (const process of runtime.observe().processes.keys()) add({ process, do: "exit" });
  return operations;
}
