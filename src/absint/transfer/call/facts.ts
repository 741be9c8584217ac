/** What is known of one call of a helper while its arguments are checked: what earlier arguments say, later ones and the result depend on. */
import type { Argument, HelperFacts, Prototype } from "../../../semantics/profile/profile.ts";
import type { MapDefinition, MapField } from "../../../semantics/program/map-types.ts";
import type { Dynptr } from "../dynptr-slots.ts";
import { type Machine, mapAt, type Target } from "../machine.ts";

export interface CallFacts {
  readonly helper: HelperFacts;
  readonly prototype: Prototype;
  /** `bpf_map_lookup_elem#1`, as the kernel's messages have it. */
  readonly label: string;
  /** The index of the map argument; -1 if there is none. */
  mapIndex: number;
  /** The result of a look-up cannot be null: an array, and a constant index inside it. */
  certainlyFound: boolean;
  /** The constant of a `const_alloc_size_or_zero` argument: how much memory the result has. */
  allocated: number;
  /** The type of the object that a per-CPU argument points to. */
  struct: number;
  /** It is of the program's own types. */
  ofProgram: boolean;
  /** The argument that is given back, and the reference of it; the latter also of an argument that the result is made of. */
  released: Target | undefined;
  reference: number;
  /** The dynptr that the result lies in; and the argument that names one to be given back. */
  dynptr: Dynptr | undefined;
  releasedDynptr: Target | undefined;
  /** The field of a map's value whose pointer is exchanged. */
  kptr: MapField | undefined;
  /** What a `const_str` argument says. */
  text: Uint8Array | undefined;
  /** Buffers that the helper fills, once all arguments are checked. */
  readonly filled: { readonly target: Target; readonly size: number; readonly certain: boolean }[];
}

export const newCall = (helper: HelperFacts, prototype: Prototype): CallFacts => ({
  helper,
  prototype,
  label: `bpf_${helper.name}#${helper.id}`,
  mapIndex: -1,
  certainlyFound: false,
  allocated: 0,
  struct: 0,
  ofProgram: false,
  released: undefined,
  reference: 0,
  dynptr: undefined,
  releasedDynptr: undefined,
  kptr: undefined,
  text: undefined,
  filled: [],
});

/** The map that the map argument has named. */
export const mapOf = (m: Machine, { mapIndex }: CallFacts): MapDefinition => mapAt(m, mapIndex);

/** Whether what lies in maps of the type are sockets. */
export const holdsSockets = (type: MapDefinition["type"] | undefined): boolean =>
  type === "sockmap" || type === "sockhash";

export const hasArgumentFlag = ({ flags }: Argument, flag: NonNullable<Argument["flags"]>[number]): boolean =>
  flags?.includes(flag) === true;
