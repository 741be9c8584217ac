/** What can be done in the model. Descriptors, devices and names are those of the process. */
import type { ModelKind } from "./reading.ts";

/** Programs by what they can be attached to. */
export const PROGRAM_KINDS = [
  "program",
  "filter",
  "classifier",
  "cgroup_skb",
  "other",
] as const satisfies ModelKind[];
export type ProgramKind = (typeof PROGRAM_KINDS)[number];

/** Places in a program array. */
export const PLACES = 2;

/** What has ids that it can be opened by. */
export type OpenKind = "map" | "program" | "link";

/** With how many others a program may be in a cgroup's list: none; none, but those below may have their own; any. */
export type ListMode = "single" | "override" | "multi";

interface Acts<N extends string> {
  readonly do: N;
  readonly process: number;
}

/** Of processes and their descriptors. */
export type ProcessAction = Acts<"fork" | "exit"> | (Acts<"close" | "dup"> & { readonly fd: number });

/** Of maps and programs. */
export type ObjectAction =
  | (Acts<"create"> & { readonly kind: "map" | "prog_array" })
  /** An array of maps, for maps like the one that is given. */
  | (Acts<"outer"> & { readonly inner: number })
  | (Acts<"load"> & {
      readonly maps: readonly number[];
      readonly kind?: ProgramKind;
      /** What program arrays tell programs apart by; the kind, if nothing is said. */
      readonly type?: string;
    })
  | (Acts<"update"> & { readonly fd: number; readonly index: number; readonly value: number })
  | (Acts<"delete"> & { readonly fd: number; readonly index: number })
  | (Acts<"open"> & { readonly kind: OpenKind; readonly id: number });

export type SocketAction =
  | Acts<"socketpair" | "socket">
  | (Acts<"receive" | "unfilter"> & { readonly fd: number })
  /** A message with a descriptor; a socket's program. */
  | (Acts<"send" | "filter"> & { readonly fd: number; readonly value: number });

/** Of file systems. Paths are `/name`, and `/directory/name`. */
export type FileAction =
  | (Acts<"pin"> & { readonly fd: number; readonly path: string })
  | (Acts<"get" | "unlink" | "mkdir" | "rmdir" | "mount" | "umount"> & { readonly path: string })
  /** Another name; a second name; what is mounted at a name, at another name too. */
  | (Acts<"rename" | "name" | "bind"> & { readonly from: string; readonly path: string })
  | Acts<"unshare">;

/** Of devices' hooks. */
export type HookAction =
  | (Acts<"attach" | "link"> & { readonly index: number; readonly fd: number; readonly point: string })
  | (Acts<"detach"> & { readonly index: number; readonly point: string })
  /** A program, or a link, in a hook's list; and a program out of it. */
  | (Acts<"list" | "list_link" | "unlist"> & {
      readonly index: number;
      readonly fd: number;
      readonly hook: string;
      /** A program in the list that this one is to be next to. */
      readonly beside?: number;
    })
  /** A program in the place of another one. */
  | (Acts<"relist"> & {
      readonly index: number;
      readonly fd: number;
      readonly hook: string;
      readonly old: number;
    })
  /** Another program for a link. */
  | (Acts<"update_link"> & { readonly fd: number; readonly value: number })
  /** A filter with a program, instead of one that is there unless that is to be an error. */
  | (Acts<"classify"> & {
      readonly index: number;
      readonly fd: number;
      readonly point: string;
      readonly exclusive: boolean;
    })
  | (Acts<"declassify"> & { readonly index: number; readonly point: string })
  /** A device's clsact discipline: only if there is none, only if there is one, or either. */
  | (Acts<"discipline"> & { readonly index: number; readonly manner: "exclusive" | "change" | "create" })
  | (Acts<"no_discipline"> & { readonly index: number })
  | (Acts<"unlink_link"> & { readonly fd: number });

/** Of network namespaces and their devices. */
export type NetworkAction =
  | Acts<"unshare_net" | "open_net">
  | (Acts<"enter_net"> & { readonly fd: number })
  | (Acts<"pair"> & { readonly indices: readonly [number, number] })
  | (Acts<"delete_device"> & { readonly index: number })
  /** To the network namespace that a descriptor stands for. */
  | (Acts<"move_device"> & { readonly index: number; readonly fd: number });

/** Of cgroups, by their paths; and what is attached to them, by descriptors. */
export type CgroupAction =
  | (Acts<"cgroup_create" | "cgroup_remove" | "cgroup_open"> & { readonly path: string })
  | (Acts<"cgroup_attach"> & {
      readonly cgroup: number;
      readonly fd: number;
      readonly hook: string;
      readonly mode: ListMode;
    })
  | (Acts<"cgroup_link" | "cgroup_detach"> & {
      readonly cgroup: number;
      readonly fd: number;
      readonly hook: string;
    })
  /** A program in the place of another one, in a list of several. */
  | (Acts<"cgroup_replace"> & {
      readonly cgroup: number;
      readonly fd: number;
      readonly hook: string;
      readonly old: number;
    });

export type Action =
  | ProcessAction
  | ObjectAction
  | SocketAction
  | FileAction
  | HookAction
  | NetworkAction
  | CgroupAction;
