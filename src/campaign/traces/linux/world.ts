/** Where traces happen on Linux: processes of our own, in which one trace after the other begins with an empty BPF file system as its root. */
import { tmpdir } from "node:os";
import type { Outcome, SystemCall } from "../../../oracle/linux/calls.ts";
import { errnoName, KernelError } from "../../../oracle/linux/errno.ts";
import { Processes } from "../../../oracle/linux/processes.ts";
import { CLONE_NEWNET, CLONE_NEWNS, MNT_DETACH, MS_REC_PRIVATE, room, systemCall, text } from "./syscalls.ts";

/** The process that starts the others and looks at them. It is in no trace. */
const OVERSEER = 0;
const FIRST = 1;

/** A small root: a place for the trace's own and the processes' file system, in place of all that is mounted here. */
const ARRIVAL: readonly SystemCall[] = [
  systemCall("mount", text("none"), text("/"), 0, MS_REC_PRIVATE, 0),
  systemCall("mount", text("tmpfs"), text(tmpdir()), text("tmpfs"), 0, 0),
  systemCall("chdir", text(tmpdir())),
  ...["old", "root", "proc"].map((name) => systemCall("mkdir", text(name), 0o755)),
  systemCall("pivot_root", text("."), text("old")),
  systemCall("chdir", text("/")),
  systemCall("mount", text("proc"), text("/proc"), text("proc"), 0, 0),
  systemCall("umount2", text("/old"), MNT_DETACH),
];

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
  readonly processes: Processes;

  /**
   * @param environment  says where the compiled agent is kept
   * @throws InputError or Error  where there are no such processes
   */
  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.processes = new Processes(environment);
    this.#all(OVERSEER, ARRIVAL);
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
