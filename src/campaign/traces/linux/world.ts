/** Where traces happen on Linux: processes of our own, in which one trace after the other begins with an empty BPF file system as its root. */
import { tmpdir } from "node:os";
import type { KernelOptions } from "../../../kernel/kernel.ts";
import type { Outcome, SystemCall } from "../../../oracle/linux/calls.ts";
import { errnoName, KernelError } from "../../../oracle/linux/errno.ts";
import type { ProcessHost } from "../../../oracle/linux/process-host.ts";
import { profileOfRelease } from "../../../oracle/profiles.ts";
import { stayOnOneProcessor } from "./program-arrays.ts";
import {
  CLONE_NEWNET,
  CLONE_NEWNS,
  MNT_DETACH,
  MS_MOVE,
  MS_REC_PRIVATE,
  room,
  systemCall,
  text,
} from "./syscalls.ts";

/** The process that starts the others and looks at them. It is in no trace. */
const OVERSEER = 0;
const FIRST = 1;

/** A small root: a place for the trace's own and the processes' file system, in place of all that is mounted here. */
const arrival = (place: string, taking: readonly SystemCall[]): readonly SystemCall[] => [
  systemCall("mount", text("none"), text("/"), 0, MS_REC_PRIVATE, 0),
  systemCall("mount", text("tmpfs"), text(place), text("tmpfs"), 0, 0),
  systemCall("chdir", text(place)),
  ...["old", "root", "proc"].map((name) => systemCall("mkdir", text(name), 0o755)),
  ...taking,
  systemCall("mount", text("proc"), text("/proc"), text("proc"), 0, 0),
];

/** In mounts of one's own the old root goes; the first root of a kernel stays, and is hidden. */
const ARRIVAL = arrival(tmpdir(), [
  systemCall("pivot_root", text("."), text("old")),
  systemCall("chdir", text("/")),
  systemCall("umount2", text("/old"), MNT_DETACH),
]);
const ARRIVAL_AT_FIRST_ROOT = arrival("/tmp", [
  systemCall("mount", text("."), text("/"), 0, MS_MOVE, 0),
  systemCall("chroot", text(".")),
  systemCall("chdir", text("/")),
]);

/** What a trace's first process does before the trace begins. */
const BEGINNING: readonly SystemCall[] = [
  systemCall("umask", 0o022),
  systemCall("setgroups", 0, 0),
  systemCall("unshare", CLONE_NEWNS),
  systemCall("mount", text("bpf"), text("/root"), text("bpf"), 0, 0),
  systemCall("chroot", text("/root")),
  systemCall("chdir", text("/")),
];

export class World {
  readonly processes: ProcessHost;

  /**
   * @param processes  are this world's from now on, and end with it
   * @throws KernelError  if they cannot have a root of their own
   */
  constructor(processes: ProcessHost) {
    this.processes = processes;
    this.#all(OVERSEER, processes.firstRoot ? ARRIVAL_AT_FIRST_ROOT : ARRIVAL);
    stayOnOneProcessor((list) => this.oversee(list));
  }

  /** @throws KernelError  if one of the calls fails */
  #all(process: number, list: readonly SystemCall[]): void {
    const failed = this.processes.calls(process, list).findIndex(({ errno }) => errno !== 0);
    if (failed === -1) return;
    const { errno } = this.processes.calls(process, list.slice(failed, failed + 1))[0] ?? { errno: 0 };
    throw new KernelError(`step ${failed} of setting up process ${process}`, errnoName(errno));
  }

  /** Begins a trace: process 1 in it. @param network  in a network namespace of its own */
  begin(network: boolean): void {
    this.processes.fork(OVERSEER, FIRST);
    this.#all(FIRST, [...(network ? [systemCall("unshare", CLONE_NEWNET)] : []), ...BEGINNING]);
  }

  /** Calls of the process that is in no trace: it sees all processes under `/proc`. */
  oversee(list: readonly SystemCall[]): readonly Outcome[] {
    return this.processes.calls(OVERSEER, list);
  }

  /** What the runtime has to be like to be held against this kernel, as it is set now. */
  runtimeOptions(): KernelOptions {
    const setting = room(1);
    const file = text("/proc/sys/kernel/unprivileged_bpf_disabled");
    this.oversee([
      systemCall("open", file, 0, 0),
      systemCall("read", { resultOf: 0 }, setting, 1),
      systemCall("close", { resultOf: 0 }),
    ]);
    const value = Number(Buffer.from(setting.bytes).toString("latin1"));
    return {
      rules: { profile: profileOfRelease(this.processes.release) },
      release: this.processes.release,
      ...(value === 0 || value === 1 ? { unprivilegedBpfDisabled: value } : {}),
    };
  }

  /** Which mount namespace a process is in. */
  mountNamespace(process: number): string {
    const name = room(64);
    const path = `/proc/${this.processes.pid(process)}/ns/mnt`;
    this.oversee([systemCall("readlink", text(path), name, name.bytes.length)]);
    return Buffer.from(name.bytes).toString("latin1");
  }

  stop(): void {
    this.processes.stop();
  }
}
