/**
 * A link holds its program and, while it is attached, is what keeps it there. It goes with its last descriptor or pin. What it is attached to may go first: then the link
 * lives on and holds its program, attached to nothing.
 */
import { EINVAL, EOPNOTSUPP } from "../../vm/errno.ts";
import type { OpenFile, Target } from "../descriptors.ts";
import { KernelObject, type MapObject, type ProgramObject, type Registry } from "../objects.ts";

/** A device as a link tells of it. */
export interface Numbered {
  readonly index: number;
}

/** What BPF_OBJ_GET_INFO_BY_FD tells of a link beside type, id and program: words of `struct bpf_link_info` by their offsets. */
export type LinkDetails = readonly (readonly [offset: number, value: number])[];

/** A name that a link tells where the caller wants it, and where in `struct bpf_link_info` its address and its length are. */
export interface LinkName {
  readonly name: string;
  readonly pointer: number;
  readonly length: number;
}

/** Types of links by the numbers of `enum bpf_link_type`. */
export const LINK_TYPES = {
  raw_tracepoint: 1,
  tracing: 2,
  cgroup: 3,
  iter: 4,
  netns: 5,
  xdp: 6,
  perf_event: 7,
  netfilter: 10,
  tcx: 11,
  sockmap: 14,
} as const;

export abstract class LinkObject extends KernelObject {
  readonly kind = "link";
  readonly type: keyof typeof LINK_TYPES;
  #program: ProgramObject;

  constructor(registry: Registry, type: keyof typeof LINK_TYPES, program: ProgramObject) {
    super(registry, "link");
    this.type = type;
    this.#program = program;
    program.hold();
  }

  get program(): ProgramObject {
    return this.#program;
  }

  override holds(): readonly KernelObject[] {
    return [this.#program];
  }

  /** The map that user space can reach by it. */
  get userOf(): MapObject | undefined {
    return undefined;
  }

  /** Open files that it keeps open. */
  get files(): readonly OpenFile[] {
    return [];
  }

  /** The network namespace that it keeps. */
  get network(): Target | undefined {
    return undefined;
  }

  /** Holds another program from now on. */
  protected exchange(program: ProgramObject): void {
    const before = this.#program;
    this.#program = program;
    program.hold();
    before.put();
  }

  /** Takes it away from what it is attached to, if it still is. */
  protected abstract release(): void;

  /** What it tells by name. */
  get named(): LinkName | undefined {
    return undefined;
  }

  /** @throws Unsupported  where that is a number of which only Linux knows */
  abstract details(): LinkDetails;

  /** BPF_LINK_UPDATE; @param old  the program that is to be there now, if the caller says so */
  update(_program: ProgramObject, _old: ProgramObject | undefined): number {
    return EINVAL;
  }

  /** BPF_LINK_DETACH. */
  detach(): number {
    return EOPNOTSUPP;
  }

  protected freed(): void {
    this.release();
    this.#program.put();
  }
}
