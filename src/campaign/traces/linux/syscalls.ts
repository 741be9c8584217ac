/** System calls of x86-64 by number (the kernel's table arch/x86/entry/syscalls/syscall_64.tbl), and what they are given. */
import type { Argument, Memory, Outcome, SystemCall } from "../../../oracle/linux/calls.ts";

export const X64 = {
  read: 0,
  open: 2,
  close: 3,
  stat: 4,
  poll: 7,
  nanosleep: 35,
  dup: 32,
  dup2: 33,
  sendmsg: 46,
  recvmsg: 47,
  socketpair: 53,
  kill: 62,
  fcntl: 72,
  chdir: 80,
  mkdir: 83,
  rmdir: 84,
  link: 86,
  unlink: 87,
  readlink: 89,
  chmod: 90,
  chown: 92,
  umask: 95,
  setgroups: 116,
  setresuid: 117,
  setresgid: 119,
  pivot_root: 155,
  chroot: 161,
  mount: 165,
  umount2: 166,
  getdents64: 217,
  sched_setaffinity: 203,
  openat: 257,
  unshare: 272,
  dup3: 292,
  pipe2: 293,
  getcpu: 309,
  renameat2: 316,
  bpf: 321,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
} as const;

export const O_CLOEXEC = 0o2000000;
export const O_DIRECTORY = 0o200000;
export const O_PATH = 0o10000000;
export const CLONE_NEWNS = 0x2_0000;
export const CLONE_NEWNET = 0x4000_0000;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC_PRIVATE = 0x4_4000;
export const MNT_DETACH = 2;

export const systemCall = (name: keyof typeof X64, ...values: readonly Argument[]): SystemCall => ({
  number: X64[name],
  arguments: values,
});

/** A text as the kernel takes it. */
export const text = (value: string): Memory => ({
  bytes: new TextEncoder().encode(`${value}\0`),
  back: "nothing",
});

/** Bytes that the kernel writes. */
export const room = (size: number): Memory => ({ bytes: new Uint8Array(size), back: "all" });

/** What a call returned: a number, or a negative error number. */
export const resultOf = (outcome: Outcome | undefined): number => {
  if (outcome === undefined) throw new Error("a call was left without an answer");
  return outcome.errno === 0 ? outcome.result : -outcome.errno;
};
