/** Processes: they come by fork and keep what their descriptors stand for until they end. */
import { Unsupported } from "../semantics/errors.ts";
import { EBADF, EINVAL, EPERM } from "../vm/errno.ts";
import type { Kernel, Process } from "./kernel.ts";
import type { ProcessOperation } from "./operations/processes.ts";
import { receive, send, socketpair } from "./sockets.ts";
import type { Answer } from "./system.ts";
import { collect } from "./unix-socket.ts";

/** Descriptors from here on are not modelled: how many a process may have is its own limit. */
const MOST_DESCRIPTORS = 1000;

/** @throws Unsupported  for descriptors of such high numbers */
export function doProcess(kernel: Kernel, process: Process, operation: ProcessOperation): Answer | number {
  const answer = act(kernel, process, operation);
  collect(kernel.sockets);
  return answer;
}

function act(kernel: Kernel, process: Process, operation: ProcessOperation): Answer | number {
  const { descriptors } = process;
  switch (operation.do) {
    case "fork":
      return kernel.fork(process).number;
    case "exit":
      return exit(kernel, process);
    case "execve":
      descriptors.closeOnExec();
      return 0;
    case "dup":
      return dup(process, operation.fd, 0, false);
    case "dup2":
    case "dup3":
      return dupTo(process, operation);
    case "close":
      return descriptors.close(operation.fd);
    case "fcntl":
      return fcntl(process, operation);
    case "socketpair":
      return socketpair(kernel, process, operation.close_on_exec);
    case "send":
      return send(process, operation.fd, operation.fds);
    case "receive":
      return receive(process, operation.fd, operation.close_on_exec);
    case "setuid":
      return setuid(process, operation.uid);
  }
}

function exit(kernel: Kernel, { number, descriptors, mounts, network }: Process): number {
  kernel.processes.delete(number);
  descriptors.closeAll();
  mounts.put();
  network.put();
  return 0;
}

function dup({ descriptors }: Process, fd: number, least: number, closeOnExec: boolean): number {
  const file = descriptors.get(fd);
  return file === undefined ? EBADF : descriptors.open(file, closeOnExec, least);
}

function dupTo(
  { descriptors }: Process,
  operation: Extract<ProcessOperation, { do: "dup2" | "dup3" }>,
): number {
  const { fd, to } = operation;
  const three = operation.do === "dup3";
  if (three && fd === to) return EINVAL;
  if (to < 0) return EBADF;
  if (to >= MOST_DESCRIPTORS) throw new Unsupported(`${operation.do}: descriptor ${to}`);
  const file = descriptors.get(fd);
  if (file === undefined) return EBADF;
  if (fd !== to) descriptors.replace(to, file, three && operation.close_on_exec === true);
  return to;
}

function fcntl(
  process: Process,
  { fd, command, value = 0 }: Extract<ProcessOperation, { do: "fcntl" }>,
): number {
  const { descriptors } = process;
  if (descriptors.get(fd) === undefined) return EBADF;
  switch (command) {
    case "getfd":
      return descriptors.closesOnExec(fd) ? 1 : 0;
    case "setfd":
      descriptors.setCloseOnExec(fd, (value & 1) !== 0);
      return 0;
    case "dupfd":
    case "dupfd_cloexec":
      if (value < 0) return EINVAL;
      if (value >= MOST_DESCRIPTORS) throw new Unsupported(`fcntl: descriptor ${value}`);
      return dup(process, fd, value, command === "dupfd_cloexec");
  }
}

function setuid(process: Process, uid: number): number {
  const { uid: own, gid } = process.credentials;
  if (own !== 0 && (uid !== own || uid !== gid)) return EPERM;
  process.credentials = { uid, gid: uid };
  if (uid !== 0) process.capabilities = [];
  return 0;
}
