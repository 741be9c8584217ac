/** Operations on file systems as system calls. */
import type { FileOperation } from "../../../kernel/operations/files.ts";
import type { Answer } from "../../../kernel/system.ts";
import type { LinuxTrace } from "./linux-trace.ts";
import { namesOf } from "./observe.ts";
import {
  CLONE_NEWNS,
  MNT_DETACH,
  MS_BIND,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  room,
  systemCall,
  text,
} from "./syscalls.ts";

const AT_FDCWD = -100;
const RENAME = { noreplace: 1, exchange: 2 } as const;
const MODE_BITS = 0o7777;
/** More than the names of any directory here. */
const DIRECTORY_BYTES = 8192;

export function doFile(trace: LinuxTrace, operation: FileOperation): Answer {
  const { process } = operation;
  const one = (...call: Parameters<typeof systemCall>): Answer => ({ result: trace.call(process, ...call) });
  switch (operation.do) {
    case "mkdir":
      return one("mkdir", text(operation.path), operation.mode ?? 0o777);
    case "rmdir":
      return one("rmdir", text(operation.path));
    case "unlink":
      return one("unlink", text(operation.path));
    case "rename": {
      const flags = (operation.flags ?? []).reduce((all, flag) => all | RENAME[flag], 0);
      return one("renameat2", AT_FDCWD, text(operation.from), AT_FDCWD, text(operation.to), flags);
    }
    case "link":
      return one("link", text(operation.from), text(operation.to));
    case "chmod":
      return one("chmod", text(operation.path), operation.mode);
    case "chown":
      return one("chown", text(operation.path), operation.uid, operation.gid);
    case "stat":
      return stat(trace, operation);
    case "readdir":
      return readdir(trace, operation);
    case "open_path": {
      const closing = operation.close_on_exec === false ? 0 : O_CLOEXEC;
      return one("open", text(operation.path), O_PATH + closing, 0);
    }
    case "mount":
      return one("mount", text("none"), text(operation.path), text(operation.type), 0, 0);
    case "bind":
      return one("mount", text(operation.from), text(operation.path), 0, MS_BIND, 0);
    case "umount":
      return one("umount2", text(operation.path), operation.detach === true ? MNT_DETACH : 0);
    case "unshare":
      return one("unshare", CLONE_NEWNS);
  }
}

type Of<N extends FileOperation["do"]> = Extract<FileOperation, { do: N }>;

function stat(trace: LinuxTrace, { process, path }: Of<"stat">): Answer {
  const found = room(144);
  const result = trace.call(process, "stat", text(path), found);
  if (result < 0) return { result };
  const view = new DataView(found.bytes.buffer);
  return {
    result,
    out: {
      mode: view.getUint32(24, true) & MODE_BITS,
      links: Number(view.getBigUint64(16, true)),
      uid: view.getUint32(28, true),
      gid: view.getUint32(32, true),
    },
  };
}

function readdir(trace: LinuxTrace, { process, path }: Of<"readdir">): Answer {
  const opened = trace.call(process, "open", text(path), O_DIRECTORY, 0);
  if (opened < 0) return { result: opened };
  const found = room(DIRECTORY_BYTES);
  const size = trace.call(process, "getdents64", opened, found, DIRECTORY_BYTES);
  trace.call(process, "close", opened);
  if (size < 0) return { result: size };
  const names = [...namesOf(found.bytes.subarray(0, size))].sort();
  return { result: names.length, out: { names: names.join("/") } };
}
