/** What a guest needs before programs are loaded: the kernel's file systems, a loopback device that is up, and settings. */
import { InputError } from "../../semantics/errors.ts";
import type { Argument, Memory, Outcome, SystemCall } from "../linux/calls.ts";
import { errnoName, errnoText } from "../linux/errno.ts";
import { text, X86_64 } from "./x86-64.ts";

/** A sysctl and its value: `["kernel.bpf_stats_enabled", "1"]`. */
export type Setting = readonly [name: string, value: string];

type Calls = (list: readonly SystemCall[]) => readonly Outcome[];

/** Where a file system is mounted, by its kind. */
const MOUNTS: readonly (readonly [kind: string, place: string])[] = [
  ["proc", "/proc"],
  ["sysfs", "/sys"],
  ["tmpfs", "/tmp"],
  ["bpf", "/sys/fs/bpf"],
  ["tracefs", "/sys/kernel/tracing"],
  ["cgroup2", "/sys/fs/cgroup"],
];

/** Until 5.11 the kernel counts programs and maps as memory that a process locks (getrlimit(2): RLIMIT_MEMLOCK). */
const LOCKED_MEMORY = 8;

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const WRITE_ONLY = 1;

const path = (value: string): Memory => ({ bytes: text(value), back: "nothing" });

const call = (number: number, ...values: readonly Argument[]): SystemCall => ({ number, arguments: values });

/** Mounts, brings the loopback device up; the kernel's release, as uname(2) says. @throws Error if something of that fails */
export function setUp(calls: Calls): string {
  const mounting = MOUNTS.flatMap(([kind, place]) => [
    // Most places are there already.
    call(X86_64.mkdir, path(place), 0o755),
    call(X86_64.mount, path(kind), path(place), path(kind), 0, 0),
  ]);
  const loopback = new Uint8Array(40);
  loopback.set(text("lo"));
  new DataView(loopback.buffer).setUint16(16, IFF_UP, true);
  // Six texts of 65 bytes, the third is the release.
  const names = new Uint8Array(6 * 65);
  const unlimited = new Uint8Array(16).fill(0xff);
  const outcomes = calls([
    ...mounting,
    call(X86_64.socket, AF_INET, SOCK_DGRAM, 0),
    call(X86_64.ioctl, { resultOf: mounting.length }, SIOCSIFFLAGS, { bytes: loopback, back: "nothing" }),
    call(X86_64.close, { resultOf: mounting.length }),
    call(X86_64.uname, { bytes: names, back: "all" }),
    call(X86_64.setrlimit, LOCKED_MEMORY, { bytes: unlimited, back: "nothing" }),
  ]);
  const steps = [
    ...MOUNTS.flatMap(([, place]) => [undefined, `mounting ${place}`]),
    "a socket",
    "bringing lo up",
    "closing a socket",
    "uname",
    "setrlimit",
  ];
  for (const [index, step] of steps.entries()) {
    const errno = outcomes[index]?.errno ?? 0;
    if (step !== undefined && errno !== 0)
      throw new Error(`${step} in a guest: ${errnoText(errnoName(errno))}`);
  }
  const release = names.subarray(2 * 65, 3 * 65);
  return Buffer.from(release.subarray(0, release.indexOf(0))).toString("latin1");
}

/** Sets sysctls, one after the other. @throws InputError for one that the kernel does not have or does not let be set so */
export function settings(calls: Calls, list: readonly Setting[]): void {
  for (const [name, value] of list) {
    const bytes = Buffer.from(value);
    const [opened, written] = calls([
      call(X86_64.open, path(`/proc/sys/${name.replaceAll(".", "/")}`), WRITE_ONLY, 0),
      call(X86_64.write, { resultOf: 0 }, { bytes, back: "nothing" }, bytes.length),
      call(X86_64.close, { resultOf: 0 }),
    ]);
    const errno = [opened, written].map((outcome) => outcome?.errno ?? 0).find((each) => each !== 0);
    if (errno !== undefined)
      throw new InputError(`${name}=${value} in a guest: ${errnoText(errnoName(errno))}`);
  }
}
