/** Operations on file systems: each goes to what does it. */
import type { Process } from "../kernel.ts";
import type { FileOperation } from "../operations/files.ts";
import type { Answer } from "../system.ts";
import { chmod, chown, openPath, readdir, stat } from "./attributes.ts";
import { bind, mount, umount, unshare } from "./mounting.ts";
import { link, mkdir, rename, rmdir, unlink } from "./names.ts";

/** @throws Unsupported  for what is not modelled */
export function doFile(process: Process, operation: FileOperation): Answer | number {
  switch (operation.do) {
    case "mkdir":
      return mkdir(process, operation.path, operation.mode);
    case "rmdir":
      return rmdir(process, operation.path);
    case "unlink":
      return unlink(process, operation.path);
    case "rename":
      return rename(process, operation.from, operation.to, operation.flags);
    case "link":
      return link(process, operation.from, operation.to);
    case "chmod":
      return chmod(process, operation.path, operation.mode);
    case "chown":
      return chown(process, operation.path, operation.uid, operation.gid);
    case "stat":
      return stat(process, operation.path);
    case "readdir":
      return readdir(process, operation.path);
    case "open_path":
      return openPath(process, operation.path, operation.close_on_exec);
    case "mount":
      return mount(process, operation.type, operation.path);
    case "bind":
      return bind(process, operation.from, operation.path);
    case "umount":
      return umount(process, operation.path, operation.detach);
    case "unshare":
      return unshare(process);
  }
}
