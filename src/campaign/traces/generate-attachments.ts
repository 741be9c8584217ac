/**
 * Traces of attachments by chance: a few programs, devices, cgroups and processes, and what is attached, replaced, queried and detached among them. Each is about one area, so that what it does
 * meets what it did. Operations are drawn with a runtime beside them that says which descriptors there are, so that most succeed.
 */
import type { Operation } from "../../kernel/operation.ts";
import type { Runtime } from "../../kernel/runtime.ts";
import { Unsupported } from "../../semantics/errors.ts";
import type { Random } from "../random.ts";
import {
  type Act,
  type Area,
  ATTACH,
  type Attributes,
  bpf,
  CGROUP_FLAGS,
  CGROUP_LINK_FLAGS,
  EMPTY,
  F,
  HOLE,
  LIST_FLAGS,
  number,
  OBJECTS,
  PATHS,
  PINS,
  SCENES,
  XDP_FLAGS,
  XDP_LINK_FLAGS,
} from "./attachment-scenes.ts";

type Make = () => Act;
type Weighted = readonly (readonly [weight: number, make: Make])[];

/** What is drawn from at one moment of a trace. */
class Draw {
  readonly #random: Random;
  readonly #area: Area;
  readonly #process: number;
  readonly #open: readonly { readonly fd: number; readonly kind: string }[];
  readonly #processes: number;

  constructor(random: Random, area: Area, runtime: Runtime, process: number) {
    this.#random = random;
    this.#process = process;
    this.#area = area;
    const { processes } = runtime.observe();
    this.#open = processes.get(process) ?? [];
    this.#processes = processes.size;
  }

  below(limit: number): number {
    return this.#random.below(limit);
  }

  of<T>(values: readonly [T, ...T[]] | readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error("nothing to draw from");
    return value;
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** A descriptor of one of these kinds, mostly. */
  fd(...kinds: readonly string[]): number {
    const fitting = this.#open.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
    if (fitting.length === 0 || this.once(16)) return this.of([0, 1, 7, 99, -1]);
    return this.of(fitting).fd;
  }

  #index(): number {
    return this.once(12) ? this.of([1, 77]) : this.of([10, 11, 12, 13]);
  }

  #attach(): number {
    return this.once(20) ? this.below(60) : number(this.of(ATTACH[this.#area]));
  }

  #target(): Attributes {
    switch (this.#area) {
      case "xdp":
      case "tcx":
      case "tc":
        return { target_ifindex: this.#index() };
      case "cgroup":
        return { target_fd: this.fd("cgroup") };
      case "socket_map":
        return { target_fd: this.fd("map") };
      case "event":
        return { target_fd: this.fd("perf_event") };
      case "netns":
      case "socket":
      case "device_map":
        return { target_fd: this.fd("netns") };
    }
  }

  /** Flags, and what they ask for. */
  #position(flags: number): Attributes {
    const revision = this.once(10) ? { expected_revision: this.below(8) } : {};
    if ((flags & F.id) !== 0) return { relative_id: this.below(12), ...revision };
    if ((flags & F.link) !== 0) return { relative_fd: this.fd("link"), ...revision };
    const relative = (flags & (F.before | F.after)) !== 0 ? this.once(2) : this.once(20);
    return relative ? { relative_fd: this.fd("program"), ...revision } : revision;
  }

  #flags(): number {
    if (this.once(12)) return this.below(256);
    if (this.#area === "cgroup") return this.of(CGROUP_FLAGS);
    return this.#area === "tcx" ? this.of(LIST_FLAGS) : 0;
  }

  #linkFlags(): number {
    if (this.#area === "xdp") return this.of(XDP_LINK_FLAGS);
    return this.#area === "cgroup" && !this.once(4) ? this.of(CGROUP_LINK_FLAGS) : this.#flags();
  }

  #query(): Act {
    const ids = this.once(10) ? {} : { count: this.of([16, 16, 1, 2]), prog_ids: EMPTY };
    const flags = this.once(3) ? { prog_attach_flags: EMPTY } : {};
    const links = this.once(3) ? { link_ids: EMPTY, link_attach_flags: EMPTY } : {};
    const asked = this.once(5) ? { query_flags: this.of([1, 1, 1, 2]) } : {};
    const strange = this.once(20) ? { attach_flags: 1 } : {};
    return bpf("prog_query", {
      ...this.#target(),
      attach_type: this.#attach(),
      ...ids,
      ...flags,
      ...links,
      ...asked,
      ...strange,
    });
  }

  #progAttach(): Act {
    const flags = this.#flags();
    const target = this.#area === "netns" && !this.once(8) ? {} : this.#target();
    const replaced = (flags & F.replace) !== 0 || this.once(20) ? { replace_bpf_fd: this.fd("program") } : {};
    return bpf("prog_attach", {
      ...target,
      attach_bpf_fd: this.fd("program"),
      attach_type: this.#attach(),
      attach_flags: flags,
      ...replaced,
      ...this.#position(flags),
    });
  }

  #progDetach(): Act {
    const flags = this.once(4) ? this.#flags() : 0;
    const target = this.#area === "netns" && !this.once(8) ? {} : this.#target();
    const program = this.once(7) ? {} : { attach_bpf_fd: this.fd("program") };
    return bpf("prog_detach", {
      ...target,
      ...program,
      attach_type: this.#attach(),
      attach_flags: flags,
      ...this.#position(flags),
    });
  }

  #linkCreate(): Act {
    const flags = this.#linkFlags();
    const positioned = this.#area === "tcx" || this.#area === "cgroup" ? this.#position(flags) : {};
    return bpf("link_create", {
      prog_fd: this.fd("program"),
      ...this.#target(),
      attach_type: this.#attach(),
      flags,
      ...positioned,
    });
  }

  #linkUpdate(): Act {
    const flags = this.once(3) ? F.replace : 0;
    const old = flags !== 0 || this.once(12) ? { old_prog_fd: this.fd("program") } : {};
    return bpf("link_update", { link_fd: this.fd("link"), new_prog_fd: this.fd("program"), flags, ...old });
  }

  /** Few enough that the trace keeps something. */
  #close(): Act {
    return { do: "close", fd: this.once(3) ? this.fd() : this.fd("link", "program") };
  }

  #everywhere(): Weighted {
    return [
      [3, () => this.#close()],
      [1, () => ({ do: "dup", fd: this.fd() })],
      [3, () => this.of(OBJECTS[this.#area])],
      [0.3, () => ({ do: this.#processes < 3 ? "fork" : "exit" })],
      [0.3, () => bpf("obj_pin", { bpf_fd: this.fd("link", "program"), pathname: { text: this.of(PINS) } })],
      [0.3, () => bpf("obj_get", { pathname: { text: this.of(PINS) } })],
      ...this.#privileges(),
      [0.2, () => ({ do: "unlink", path: this.of(PINS) })],
    ];
  }

  /** The first process keeps its own. */
  #privileges(): Weighted {
    return this.#process === 1 ? [] : [[0.2, () => ({ do: "setuid", uid: 1000 })]];
  }

  #links(): Weighted {
    return [
      [6, () => this.#linkCreate()],
      [2, () => this.#linkUpdate()],
      [2, () => bpf("link_detach", { link_fd: this.fd("link") })],
      [0.5, () => bpf("link_get_fd_by_id", { id: this.below(8) })],
      ...this.#information(),
    ];
  }

  /** Of links alone: what is told of others is not about attachments. */
  #information(): Weighted {
    const links = this.#open.filter(({ kind }) => kind === "link");
    if (links.length === 0) return [];
    return [[1, () => bpf("obj_get_info_by_fd", { bpf_fd: this.of(links).fd, info_len: 64, info: EMPTY })]];
  }

  #programs(): Weighted {
    return [
      [5, () => this.#query()],
      [6, () => this.#progAttach()],
      [4, () => this.#progDetach()],
    ];
  }

  #devices(): Weighted {
    return [
      [2, () => this.#pair()],
      [0.6, () => ({ do: "device_delete", index: this.#index() })],
      [0.3, () => ({ do: "device_move", index: this.#index(), fd: this.fd("netns") })],
      ...this.#namespaces(),
    ];
  }

  #pair(): Act {
    const [first, second, index] = this.once(2) ? (["a", "b", 10] as const) : (["c", "d", 12] as const);
    const peer = { name: this.once(12) ? "a" : second, index: this.once(12) ? 10 : index + 1 };
    return { do: "veth_create", first: { name: first, index }, second: peer };
  }

  #namespaces(): Weighted {
    return [
      [0.4, () => ({ do: "netns_open" })],
      [0.2, () => ({ do: "unshare_net" })],
      [0.3, () => ({ do: "netns_enter", fd: this.fd("netns") })],
    ];
  }

  #xdp(): Weighted {
    return [
      [
        4,
        () => {
          const flags = this.once(10) ? this.below(40) : this.of(XDP_FLAGS);
          const expected =
            (flags & 16) !== 0 || this.once(20)
              ? { expected_fd: this.once(3) ? -1 : this.fd("program") }
              : {};
          return {
            do: "xdp_set",
            index: this.#index(),
            fd: this.once(3) ? -1 : this.fd("program"),
            flags,
            ...expected,
          };
        },
      ],
      [3, () => ({ do: "xdp_query", index: this.#index() })],
    ];
  }

  #traffic(): Weighted {
    const discipline = (): "clsact" | "ingress" => (this.once(5) ? "ingress" : "clsact");
    const manner = (): "exclusive" | "create" | "change" =>
      this.of(["exclusive", "create", "create", "change"]);
    const direction = (): "ingress" | "egress" => this.of(["ingress", "egress"]);
    const place = () => ({
      index: this.#index(),
      direction: direction(),
      priority: this.of([0, 1, 1, 2, 3]),
      handle: this.of([0, 0, 1, 2, 3]),
    });
    return [
      [1, () => ({ do: "qdisc_create", index: this.#index(), discipline: discipline(), manner: manner() })],
      [0.3, () => ({ do: "qdisc_delete", index: this.#index(), discipline: discipline() })],
      [6, () => ({ do: "filter_create", ...place(), fd: this.fd("program"), manner: manner() })],
      [2, () => ({ do: "filter_delete", ...place() })],
      [4, () => ({ do: "filter_query", index: this.#index(), direction: direction() })],
    ];
  }

  #cgroups(): Weighted {
    return [
      [3, () => ({ do: "cgroup_create", path: this.of(PATHS) })],
      [0.5, () => ({ do: "cgroup_remove", path: this.of(PATHS) })],
      [3, () => ({ do: "cgroup_open", path: this.of(["", ...PATHS]) })],
    ];
  }

  /** Elements of maps of devices and processors: a number, and a program's descriptor. */
  #elements(): Weighted {
    const key = () => ({ hex: `0${this.below(5)}000000` });
    const byte = (value: number): string => value.toString(16).padStart(2, "0");
    const value = () => {
      const program = this.once(3) ? 0 : this.fd("program");
      const target = this.once(8) ? 0 : this.#index();
      return { hex: `${byte(target)}000000${program < 0 ? "ffffffff" : `${byte(program)}000000`}` };
    };
    return [
      [
        10,
        () =>
          bpf("map_update_elem", {
            map_fd: this.fd("map"),
            key: key(),
            value: value(),
            flags: this.of([0, 0, 0, 1, 2]),
          }),
      ],
      [2, () => bpf("map_delete_elem", { map_fd: this.fd("map"), key: key() })],
      [
        2,
        () => bpf("map_get_next_key", { map_fd: this.fd("map"), key: key(), next_key: { hex: "00000000" } }),
      ],
    ];
  }

  #sockets(): Weighted {
    const option = (name: "attach_bpf" | "attach_reuseport_ebpf", value: number): Act => ({
      do: "setsockopt",
      fd: this.fd("socket"),
      option: name,
      value,
    });
    const plain = [
      "reuseport",
      "detach_filter",
      "attach_filter",
      "attach_reuseport_cbpf",
      "detach_reuseport_bpf",
    ] as const;
    return [
      [3, () => ({ do: "socket" })],
      [1, () => ({ do: "socket_bind", fd: this.fd("socket") })],
      [6, () => option("attach_bpf", this.fd("program"))],
      [4, () => option("attach_reuseport_ebpf", this.fd("program"))],
      [7, () => ({ do: "setsockopt", fd: this.fd("socket"), option: this.of(plain), value: this.below(2) })],
      [
        1,
        () => ({
          do: "setsockopt",
          fd: this.fd("socket"),
          option: "lock_filter",
          value: this.once(4) ? 1 : 0,
        }),
      ],
      [1, () => ({ do: "socketpair" })],
      [2, () => ({ do: "send", fd: this.fd("socket"), fds: [this.fd("socket", "program")] })],
      [1, () => ({ do: "receive", fd: this.fd("socket") })],
    ];
  }

  #sharing(value: number): Act {
    const udp = this.#open.filter(({ kind }) => kind === "socket");
    return { do: "setsockopt", fd: udp[0]?.fd ?? 0, option: "reuseport", value };
  }

  /** Elements of socket maps: sockets by their descriptors. */
  #mappedSockets(): Weighted {
    const key = () => ({ hex: `0${this.below(5)}000000` });
    const value = () => {
      const fd = this.once(8) ? this.fd() : this.fd("socket");
      return { hex: fd < 0 ? "ffffffff" : `${fd.toString(16).padStart(2, "0")}000000` };
    };
    const wide = () => ({ hex: `${value().hex}00000000` });
    return [
      [1, () => ({ do: "socket" })],
      [2, () => ({ do: "socket_bind", fd: this.fd("socket") })],
      [1, () => this.#sharing(this.below(3) === 0 ? 0 : 1)],
      [1, () => ({ do: "socketpair" })],
      [1, () => ({ do: "close", fd: this.fd("socket") })],
      [
        8,
        () =>
          bpf("map_update_elem", {
            map_fd: this.fd("map"),
            key: key(),
            value: wide(),
            flags: this.of([0, 0, 0, 1, 2, 3]),
          }),
      ],
      [2, () => bpf("map_delete_elem", { map_fd: this.fd("map"), key: key() })],
      [2, () => bpf("map_lookup_elem", { map_fd: this.fd("map"), key: key(), value: EMPTY })],
      [
        1,
        () =>
          bpf("map_get_next_key", {
            map_fd: this.of([5, 6, 7, 8]),
            key: key(),
            next_key: { hex: "00000000" },
          }),
      ],
    ];
  }

  #events(): Weighted {
    const names = ["sys_enter", "sched_switch", "sys_exit", ""];
    return [
      [3, () => ({ do: "perf_event_open" })],
      [5, () => ({ do: "perf_event_set_bpf", fd: this.fd("perf_event"), program: this.fd("program") })],
      [
        4,
        () => {
          const name = this.once(10) ? (this.once(2) ? 0 : HOLE) : { text: this.of(names) };
          return bpf("raw_tracepoint_open", { prog_fd: this.fd("program"), name });
        },
      ],
      [1, () => bpf("iter_create", { link_fd: this.fd("link"), flags: this.once(8) ? 1 : 0 })],
    ];
  }

  #acts(): Weighted {
    switch (this.#area) {
      case "xdp":
        return [
          ...this.#everywhere(),
          ...this.#links(),
          ...this.#programs(),
          ...this.#devices(),
          ...this.#xdp(),
        ];
      case "tcx":
        return [
          ...this.#everywhere(),
          ...this.#links(),
          ...this.#programs(),
          ...this.#devices(),
          ...this.#traffic().slice(0, 2),
        ];
      case "tc":
        return [...this.#everywhere(), ...this.#devices(), ...this.#traffic()];
      case "cgroup":
        return [...this.#everywhere(), ...this.#links(), ...this.#programs(), ...this.#cgroups()];
      case "socket":
        return [...this.#everywhere(), ...this.#sockets()];
      case "netns":
        return [...this.#everywhere(), ...this.#links(), ...this.#programs(), ...this.#namespaces()];
      case "socket_map":
        return [...this.#everywhere(), ...this.#links(), ...this.#programs(), ...this.#mappedSockets()];
      case "device_map":
        return [...this.#everywhere(), ...this.#devices(), ...this.#elements()];
      case "event":
        return [...this.#everywhere(), ...this.#links(), ...this.#events()];
    }
  }

  act(): Act {
    const acts = this.#acts();
    const total = acts.reduce((sum, [weight]) => sum + weight, 0);
    let at = (this.below(0x1_0000) / 0x1_0000) * total;
    for (const [weight, make] of acts) {
      if (at < weight) return make();
      at -= weight;
    }
    return this.#close();
  }
}

/**
 * A trace of so many operations, those of its beginning not counted. What the runtime does not model is left out.
 * @param runtime  one in which nothing has been done; it does the operations
 */
export function attachmentTrace(
  random: Random,
  area: Area,
  length: number,
  runtime: Runtime,
): readonly Operation[] {
  const operations: Operation[] = [];
  const add = (operation: Operation): void => {
    try {
      runtime.do(operation);
      operations.push(operation);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  };
  for (const act of [...OBJECTS[area], ...(SCENES[area] ?? [])]) add({ process: 1, ...act });
  const beginning = operations.length;
  for (let tried = 0; operations.length < beginning + length && tried < 2 * length; tried += 1) {
    const running = [...runtime.observe().processes.keys()];
    const process = running[random.below(running.length)];
    if (process === undefined) break;
    const act = new Draw(random, area, runtime, process).act();
    // The last process stays.
    if (act.do !== "exit" || running.length > 1) add({ process, ...act });
  }
  return operations;
}
