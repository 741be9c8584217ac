/**
 * Operations of processes on themselves and their descriptors. Roots and edges: each process → the open files of its descriptors → what they are of; a socket → the
 * messages that wait in it → the open files in them.
 */
import { z } from "zod";
import { descriptor, inProcess } from "./fields.ts";

export const processOperation = z.discriminatedUnion("do", [
  /** The answer's result is the new process's number: processes are numbered as they come, from 1 on. */
  inProcess("fork", {}),
  inProcess("exit", {}),
  /** The process goes on as the same file, without the descriptors that close on that. */
  inProcess("execve", {}),
  inProcess("dup", { fd: descriptor }),
  inProcess("dup2", { fd: descriptor, to: descriptor }),
  inProcess("dup3", { fd: descriptor, to: descriptor, close_on_exec: z.boolean().optional() }),
  inProcess("close", { fd: descriptor }),
  /** fcntl(2) with F_GETFD, F_SETFD, F_DUPFD or F_DUPFD_CLOEXEC. */
  inProcess("fcntl", {
    fd: descriptor,
    command: z.enum(["getfd", "setfd", "dupfd", "dupfd_cloexec"]),
    value: z.int().optional(),
  }),
  /** Two connected Unix sockets of type SOCK_STREAM; their descriptors are `first` and `second` of what is written. */
  inProcess("socketpair", { close_on_exec: z.boolean().optional() }),
  /** One byte with copies of descriptors (SCM_RIGHTS), without waiting. */
  inProcess("send", { fd: descriptor, fds: z.array(descriptor).max(16) }),
  /** One byte, without waiting: the result is 1, or 0 where there will be none; the descriptors that came with it are `fd0`, `fd1`, …. */
  inProcess("receive", { fd: descriptor, close_on_exec: z.boolean().optional() }),
  /** Group and user become this one, for good: setresgid(2) and setresuid(2) without other groups. */
  inProcess("setuid", { uid: z.int().nonnegative() }),
]);

export type ProcessOperation = z.infer<typeof processOperation>;
