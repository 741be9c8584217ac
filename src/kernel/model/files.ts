/**
 * Actions on BPF file systems and mount namespaces. Every namespace sees the first file system, and at directories of that others which are mounted there; all mounts are private. A file system
 * is there as long as any namespace has it mounted, and what is pinned in it as long as that. Names in directories are names of the file system.
 */
import { EACCES, EBUSY, EEXIST, EINVAL, ENOENT, EPERM } from "../../vm/errno.ts";
import { type FileAction, PROGRAM_KINDS } from "./actions.ts";
import type { State } from "./concrete.ts";
import type { ModelKind } from "./reading.ts";
import type { Step } from "./step.ts";

const [EXDEV, ENOTDIR, EISDIR, ENOTEMPTY] = [-18, -20, -21, -39];

/** What can be pinned. */
export const PINNED: readonly ModelKind[] = ["map", "prog_array", "outer", ...PROGRAM_KINDS, "link"];

/** Directory and name of a path that has both. */
function parts(path: string): readonly [directory: string, name: string] {
  const at = path.lastIndexOf("/");
  return at <= 0 ? ["", path] : [path.slice(0, at), path.slice(at)];
}

/** @param at  where the file system is mounted in which the path is seen, the first one at the empty name */
type Act<V> = (files: V, path: string, at: string) => void;

/** What is done with a name in whatever file system it is seen in. */
function inFiles<B, V>(step: Step<B, V>, process: number, path: string, act: Act<V>): void {
  const mounts = step.read({ of: "mounts", process });
  const first = step.read({ of: "mount", mounts, path: "" });
  const [directory, name] = parts(path);
  if (directory === "") return act(first, path, "");
  const mounted = step.read({ of: "mount", mounts, path: directory });
  step.where(step.reading.not(step.isNothing(mounted)), () => act(mounted, name, directory));
  refuseNoDirectory(step, first, directory);
  act(first, path, "");
}

/** A file's second name. What has two names is pinned as long as either is there, which is to say twice. */
function addName<B, V>(step: Step<B, V>, process: number, from: string, to: string): void {
  const { not, truth } = step.reading;
  inFiles(step, process, from, (files, path, at) => {
    const object = step.read({ of: "pin", files, path });
    step.refuse(step.isNothing(object), ENOENT);
    inFiles(step, process, to, (others, name, there) => {
      const pin = { of: "pin", files: others, path: name } as const;
      step.refuse(not(step.isNothing(step.read(pin))), EEXIST);
      step.refuse(truth(at !== there), EXDEV);
      // Directories have one name.
      step.refuse(step.reading.is(object, "directory"), EPERM);
      step.write(pin, object);
      step.conclude();
    });
  });
}

/** Another name in the place of one, and of what had that. Of directories it is not known: see `unknownIn`. */
function rename<B, V>(step: Step<B, V>, process: number, from: string, to: string): void {
  const { is, same, truth } = step.reading;
  inFiles(step, process, from, (files, path, at) => {
    const source = { of: "pin", files, path } as const;
    inFiles(step, process, to, (others, name, there) => {
      const target = { of: "pin", files: others, path: name } as const;
      step.refuse(truth(at !== there), EXDEV);
      const object = step.read(source);
      step.refuse(step.isNothing(object), ENOENT);
      step.refuse(truth(path.startsWith(`${name}/`)), ENOTEMPTY);
      step.refuse(is(object, "directory"), EBUSY);
      // Two names of one file: both stay.
      step.refuse(same(object, step.read(target)), 0);
      step.refuse(is(step.read(target), "directory"), EISDIR);
      step.write(target, object);
      step.clear(source);
      step.conclude();
    });
  });
}

/** The file system that is mounted at one name, at another name too. */
function bind<B, V>(step: Step<B, V>, process: number, from: string, path: string): void {
  const { is, not } = step.reading;
  const mounts = step.read({ of: "mounts", process });
  const files = step.read({ of: "mount", mounts, path: "" });
  const entry = step.read({ of: "pin", files, path });
  step.refuse(step.isNothing(entry), ENOENT);
  const source = step.read({ of: "mount", mounts, path: from });
  // A directory, or a pin: `unknownIn` says that these are not known.
  step.refuse(step.isNothing(source), ENOENT);
  step.refuse(not(is(entry, "directory")), ENOTDIR);
  const place = { of: "mount", mounts, path } as const;
  step.refuse(not(step.isNothing(step.read(place))), EBUSY);
  step.write(place, source);
  step.conclude();
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
    case "name":
      return addName(step, process, action.from, action.path);
    case "rename":
      return rename(step, process, action.from, action.path);
    case "bind":
      return bind(step, process, action.from, action.path);
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

/** The object at a name as a process sees it. */
function objectAt(state: State, process: number, path: string): number {
  const mounts = state.read({ of: "mounts", process });
  const [directory, name] = parts(path);
  const mounted = directory === "" ? 0 : state.read({ of: "mount", mounts, path: directory });
  return mounted === state.nothing
    ? state.read({ of: "pin", files: state.read({ of: "mount", mounts, path: "" }), path })
    : state.read({ of: "pin", files: mounted, path: name });
}

/** What of an action on two names the transition has no answer to. */
export function unknownOfFiles(
  state: State,
  { do: name, process, from, path }: Extract<FileAction, { do: "bind" | "rename" | "name" }>,
): string | undefined {
  const [source, target] = [objectAt(state, process, from), objectAt(state, process, path)];
  const mounts = state.read({ of: "mounts", process });
  const isMounted = (at: string): boolean => state.read({ of: "mount", mounts, path: at }) !== state.nothing;
  if (name === "bind") {
    if (isMounted(path)) return "file systems that are mounted upon others";
    return source === state.nothing || isMounted(from) ? undefined : "bind mounts of directories and files";
  }
  if (state.is(source, "directory")) return `a directory for ${name === "name" ? "link" : "rename"}`;
  // Two files that pin the same, or two names of one.
  const alike = name === "rename" && source !== state.nothing && source === target && from !== path;
  return alike ? "renaming to another name of what is pinned" : undefined;
}
