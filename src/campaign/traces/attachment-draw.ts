/** What a drawn operation on attachments is made of: descriptors, devices, targets, positions and flags, as one moment of a trace has them. */
import type { Runtime } from "../../kernel/runtime.ts";
import type { Random } from "../random.ts";
import {
  type Area,
  ATTACH,
  type Attributes,
  CGROUP_FLAGS,
  CGROUP_LINK_FLAGS,
  F,
  LIST_FLAGS,
  number,
  XDP_LINK_FLAGS,
} from "./attachment-scenes.ts";

/** What is drawn from at one moment of a trace. */
export class AttachmentDraw {
  readonly #random: Random;
  readonly area: Area;
  readonly process: number;
  readonly open: readonly { readonly fd: number; readonly kind: string }[];
  readonly processes: number;

  constructor(random: Random, area: Area, runtime: Runtime, process: number) {
    this.#random = random;
    this.process = process;
    this.area = area;
    const { processes } = runtime.observe();
    this.open = processes.get(process) ?? [];
    this.processes = processes.size;
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
    const fitting = this.open.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
    if (fitting.length === 0 || this.once(16)) return this.of([0, 1, 7, 99, -1]);
    return this.of(fitting).fd;
  }

  index(): number {
    return this.once(12) ? this.of([1, 77]) : this.of([10, 11, 12, 13]);
  }

  attach(): number {
    return this.once(20) ? this.below(60) : number(this.of(ATTACH[this.area]));
  }

  target(): Attributes {
    switch (this.area) {
      case "xdp":
      case "tcx":
      case "tc":
        return { target_ifindex: this.index() };
      case "cgroup":
        return { target_fd: this.fd("cgroup") };
      case "socket_map":
        return { target_fd: this.fd("map") };
      case "event":
        return { target_fd: this.fd("perf_event") };
      case "netns":
      case "netfilter":
      case "socket":
      case "device_map":
        return { target_fd: this.fd("netns") };
    }
  }

  /** Flags, and what they ask for. */
  position(flags: number): Attributes {
    const revision = this.once(10) ? { expected_revision: this.below(8) } : {};
    if ((flags & F.id) !== 0) return { relative_id: this.below(12), ...revision };
    if ((flags & F.link) !== 0) return { relative_fd: this.fd("link"), ...revision };
    const relative = (flags & (F.before | F.after)) !== 0 ? this.once(2) : this.once(20);
    return relative ? { relative_fd: this.fd("program"), ...revision } : revision;
  }

  flags(): number {
    if (this.once(12)) return this.below(256);
    if (this.area === "cgroup") return this.of(CGROUP_FLAGS);
    return this.area === "tcx" ? this.of(LIST_FLAGS) : 0;
  }

  linkFlags(): number {
    if (this.area === "xdp") return this.of(XDP_LINK_FLAGS);
    return this.area === "cgroup" && !this.once(4) ? this.of(CGROUP_LINK_FLAGS) : this.flags();
  }
}
