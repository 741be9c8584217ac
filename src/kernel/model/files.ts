/**
 * Actions on BPF file systems and mount namespaces. Every namespace sees the first file system, and at directories of that others which are mounted there; all mounts are private. A file system
 * is there as long as any namespace has it mounted, and what is pinned in it as long as that. Names in directories are names of the file system.
 */
import { EACCES, EBUSY, EEXIST, EINVAL, ENOENT } from "../../vm/errno.ts";
import { type FileAction, PROGRAM_KINDS } from "./actions.ts";
import type { ModelKind } from "./reading.ts";
import type { Step } from "./step.ts";

const [ENOTDIR, EISDIR, ENOTEMPTY] = [-20, -21, -39];

/** What can be pinned. */
export const PINNED: readonly ModelKind[] = ["map", "prog_array", "outer", ...PROGRAM_KINDS, "link"];

/** Directory and name of a path that has both. */
function parts(path: string): readonly [directory: string, name: string] {
  const at = path.lastIndexOf("/");
  return at <= 0 ? ["", path] : [path.slice(0, at), path.slice(at)];
}

/** What is done with a name in whatever file system it is seen in. */
function inFiles<B, V>(
  step: Step<B, V>,
  process: number,
  path: string,
  act: (files: V, path: string) => void,
): void {
  const mounts = step.read({ of: "mounts", process });
  const first = step.read({ of: "mount", mounts, path: "" });
  const [directory, name] = parts(path);
  if (directory === "") return act(first, path);
  const mounted = step.read({ of: "mount", mounts, path: directory });
  step.where(step.reading.not(step.isNothing(mounted)), () => act(mounted, name));
  refuseNoDirectory(step, first, directory);
  act(first, path);
}

function refuseNoDirectory<B, V>(step: Step<B, V>, files: V, path: string): void {
  const entry = step.read({ of: "pin", files, path });
  step.refuse(step.isNothing(entry), ENOENT);
  step.refuse(step.reading.not(step.reading.is(entry, "directory")), ENOTDIR);
}

/** A name that is to be made. */
function makeName<B, V>(step: Step<B, V>, process: number, path: string, object: () => V): void {
  inFiles(step, process, path, (files, name) => {
    const pin = { of: "pin", files, path: name } as const;
    step.refuse(step.reading.not(step.isNothing(step.read(pin))), EEXIST);
    step.write(pin, object());
    step.conclude();
  });
}

export function actOnFiles<B, V>(step: Step<B, V>, action: FileAction): void {
  const { is, mountPaths, namesIn, not } = step.reading;
  const { process } = action;
  switch (action.do) {
    case "pin": {
      const object = step.fd(process, action.fd);
      step.refuse(not(step.isOf(object, PINNED)), EINVAL);
      return makeName(step, process, action.path, () => object);
    }
    case "mkdir":
      return makeName(step, process, action.path, () => step.made("directory"));
    case "get":
      return inFiles(step, process, action.path, (files, path) => {
        const object = step.read({ of: "pin", files, path });
        step.refuse(step.isNothing(object), ENOENT);
        step.refuse(is(object, "directory"), EACCES);
        step.give(process, object);
      });
    case "unlink":
      return inFiles(step, process, action.path, (files, path) => {
        const pin = { of: "pin", files, path } as const;
        step.refuse(step.isNothing(step.read(pin)), ENOENT);
        step.refuse(is(step.read(pin), "directory"), EISDIR);
        step.clear(pin);
        step.conclude();
      });
    case "rmdir":
      return inFiles(step, process, action.path, (files, path) => {
        refuseNoDirectory(step, files, path);
        const mounts = step.read({ of: "mounts", process });
        // A file system is mounted at names of the first one alone.
        const isFirst = path === action.path;
        if (isFirst) step.refuse(not(step.isNothing(step.read({ of: "mount", mounts, path }))), EBUSY);
        const isFull = step.any(namesIn(files, path), (name) =>
          not(step.isNothing(step.read({ of: "pin", files, path: name }))),
        );
        step.refuse(isFull, ENOTEMPTY);
        step.clear({ of: "pin", files, path });
        if (isFirst) unmountEverywhere(step, path);
        step.conclude();
      });
    case "mount": {
      const mounts = step.read({ of: "mounts", process });
      const place = { of: "mount", mounts, path: action.path } as const;
      refuseNoDirectory(step, step.read({ of: "mount", mounts, path: "" }), action.path);
      // Linux mounts one upon the other: `unknownIn` says that this is not known.
      step.refuse(not(step.isNothing(step.read(place))), EBUSY);
      step.write(place, step.made("files"));
      return step.conclude();
    }
    case "umount": {
      const mounts = step.read({ of: "mounts", process });
      const place = { of: "mount", mounts, path: action.path } as const;
      const entry = {
        of: "pin",
        files: step.read({ of: "mount", mounts, path: "" }),
        path: action.path,
      } as const;
      step.refuse(step.isNothing(step.read(entry)), ENOENT);
      step.refuse(step.isNothing(step.read(place)), EINVAL);
      step.clear(place);
      return step.conclude();
    }
    case "unshare": {
      const before = step.read({ of: "mounts", process });
      const mounts = step.made("mounts");
      for (const path of mountPaths(before))
        step.write({ of: "mount", mounts, path }, step.read({ of: "mount", mounts: before, path }));
      step.write({ of: "mounts", process }, mounts);
      return step.conclude();
    }
  }
}

/** What is mounted at a name in other namespaces goes with the name. */
function unmountEverywhere<B, V>(step: Step<B, V>, path: string): void {
  for (const mounts of step.reading.ofKind("mounts")) step.clear({ of: "mount", mounts, path });
}
