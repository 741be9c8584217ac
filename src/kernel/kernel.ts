/** The state of the small kernel: processes, objects, and the places that keep them. */
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import { CAPABILITIES, type Capability } from "../semantics/program/privileges.ts";
import { Cgroup } from "./attachments/cgroup.ts";
import { Cookies } from "./attachments/mapped-socket.ts";
import { Tracepoint } from "./attachments/tracepoint.ts";
import { DescriptorTable } from "./descriptors.ts";
import { firstNamespace, type MountNamespace } from "./files/mounts.ts";
import type { Owner } from "./files/tree.ts";
import { NetworkNamespace } from "./network.ts";
import { Registry } from "./objects.ts";
import type { UnprivilegedBpfDisabled } from "./privileges.ts";
import type { UnixSocket } from "./unix-socket.ts";

export interface Process {
  readonly number: number;
  readonly descriptors: DescriptorTable;
  mounts: MountNamespace;
  network: NetworkNamespace;
  /** Whose files it makes, and which it may change. User 0 may change all. */
  credentials: Owner;
  /** What it may do beyond files. */
  capabilities: readonly Capability[];
}

/** What a kernel is given at its start. */
export interface KernelOptions {
  /** Processors: per-CPU maps have a value for each. 1 by default. */
  readonly cpus?: number;
  /** Whose rules programs are verified by; the newest kernel's by default. */
  readonly rules?: Rules;
  /** The release whose commands are answered; that of the rules by default. A kernel may have none of its own. */
  readonly release?: string;
  /** Capabilities of the first process; all by default. */
  readonly capabilities?: readonly Capability[];
  /** The setting kernel.unprivileged_bpf_disabled; 2 by default. */
  readonly unprivilegedBpfDisabled?: UnprivilegedBpfDisabled;
}

export class Kernel {
  readonly cpus: number;
  readonly rules: Rules;
  readonly release: string;
  readonly unprivilegedBpfDisabled: UnprivilegedBpfDisabled;
  readonly objects = new Registry();
  readonly processes = new Map<number, Process>();
  /** Unix sockets that are open, or in flight. */
  readonly sockets = new Set<UnixSocket>();
  /** What sockets are known by. */
  readonly cookies = new Cookies();
  /** The root of the cgroups. */
  readonly cgroups = new Cgroup("", undefined);
  readonly #tracepoints = new Map<string, Tracepoint>();
  #lastProcess = 0;

  constructor({
    cpus = 1,
    rules = DEFAULT_RULES,
    release = rules.profile.release,
    unprivilegedBpfDisabled = 2,
    capabilities = CAPABILITIES,
  }: KernelOptions = {}) {
    this.cpus = cpus;
    this.rules = rules;
    this.release = release;
    this.unprivilegedBpfDisabled = unprivilegedBpfDisabled;
    this.#addProcess({
      descriptors: new DescriptorTable(),
      mounts: firstNamespace(),
      network: new NetworkNamespace(),
      credentials: { uid: 0, gid: 0 },
      capabilities,
    });
  }

  #addProcess(of: Omit<Process, "number">): Process {
    this.#lastProcess += 1;
    const process = { ...of, number: this.#lastProcess };
    process.mounts.hold();
    process.network.hold();
    this.processes.set(process.number, process);
    return process;
  }

  /** A tracepoint by its group and name. */
  tracepoint(path: string | undefined): Tracepoint | undefined {
    if (path === undefined) return undefined;
    const known = this.#tracepoints.get(path);
    if (known !== undefined) return known;
    const made = new Tracepoint(path.split("/").at(-1) ?? path);
    this.#tracepoints.set(path, made);
    return made;
  }

  /** A process like its parent, with the same files open. */
  fork(parent: Process): Process {
    return this.#addProcess({ ...parent, descriptors: parent.descriptors.copy() });
  }
}
