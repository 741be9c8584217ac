/** Operations of processes as system calls. */
import type { ProcessOperation } from "../../../kernel/operations/processes.ts";
import type { Answer } from "../../../kernel/system.ts";
import type { LinuxTrace } from "./linux-trace.ts";
import {
  AF_UNIX,
  CMSG_HEADER,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  messageHeader,
  messageWith,
  SOCK_STREAM,
} from "./sockets.ts";
import { O_CLOEXEC, resultOf, room, systemCall } from "./syscalls.ts";

const MSG_CMSG_CLOEXEC = 0x4000_0000;
const MOST_FDS = 16;
const FCNTL = { getfd: 1, setfd: 2, dupfd: 0, dupfd_cloexec: 1030 } as const;

const closing = (closeOnExec: boolean | undefined): number => (closeOnExec === true ? O_CLOEXEC : 0);

export function doProcess(trace: LinuxTrace, operation: ProcessOperation): Answer {
  const { process } = operation;
  const fd = (number: number): number => trace.descriptor(number);
  const one = (...call: Parameters<typeof systemCall>): Answer => ({ result: trace.call(process, ...call) });
  switch (operation.do) {
    case "fork":
      return { result: trace.fork(process) };
    case "exit":
      return { result: trace.exit(process) };
    case "execve":
      return { result: resultOf(trace.processes.execute(process)) };
    case "dup":
      return one("dup", fd(operation.fd));
    case "dup2":
      return one("dup2", fd(operation.fd), fd(operation.to));
    case "dup3":
      return one("dup3", fd(operation.fd), fd(operation.to), closing(operation.close_on_exec));
    case "close":
      return one("close", fd(operation.fd));
    case "fcntl":
      return one("fcntl", fd(operation.fd), FCNTL[operation.command], operation.value ?? 0);
    case "socketpair":
      return socketpair(trace, operation);
    case "send":
      return send(trace, operation);
    case "receive":
      return receive(trace, operation);
    case "setuid":
      return setuid(trace, operation);
  }
}

type Of<N extends ProcessOperation["do"]> = Extract<ProcessOperation, { do: N }>;

function socketpair(trace: LinuxTrace, { process, close_on_exec }: Of<"socketpair">): Answer {
  const pair = room(8);
  const result = trace.call(process, "socketpair", AF_UNIX, SOCK_STREAM + closing(close_on_exec), 0, pair);
  if (result < 0) return { result };
  const view = new DataView(pair.bytes.buffer);
  return { result, out: { first: view.getInt32(0, true), second: view.getInt32(4, true) } };
}

function send(trace: LinuxTrace, { process, fd, fds }: Of<"send">): Answer {
  const header = messageWith(fds.map((each) => trace.descriptor(each)));
  const result = trace.call(process, "sendmsg", trace.descriptor(fd), header, MSG_DONTWAIT + MSG_NOSIGNAL);
  if (result > 0 && fds.length > 0) trace.passing = true;
  return { result };
}

function receive(trace: LinuxTrace, { process, fd, close_on_exec }: Of<"receive">): Answer {
  const control = room(CMSG_HEADER + 4 * MOST_FDS);
  const header = messageHeader(control);
  const flags = MSG_DONTWAIT + (close_on_exec === true ? MSG_CMSG_CLOEXEC : 0);
  const result = trace.call(process, "recvmsg", trace.descriptor(fd), header, flags);
  if (result <= 0) return { result };
  const used = Number(new DataView(header.bytes.buffer).getBigUint64(40, true));
  const out: Record<string, number> = {};
  if (used >= CMSG_HEADER) {
    const view = new DataView(control.bytes.buffer);
    const count = (Number(view.getBigUint64(0, true)) - CMSG_HEADER) / 4;
    for (let index = 0; index < count; index++)
      out[`fd${index}`] = view.getInt32(CMSG_HEADER + 4 * index, true);
  }
  return { result, out };
}

function setuid(trace: LinuxTrace, { process, uid }: Of<"setuid">): Answer {
  const group = trace.call(process, "setresgid", uid, uid, uid);
  return { result: group < 0 ? group : trace.call(process, "setresuid", uid, uid, uid) };
}
