/**
 * What a program's own types are to a verifier: which objects it may allocate, and what the kernel keeps in them. Made from the program's BTF
 * (src/object/own-types.ts); ids are BTF's.
 */
import type { Field } from "./kernel-types.ts";
import type { MapField } from "./map-types.ts";

export interface OwnStruct {
  readonly id: number;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** What the kernel knows by its type: locks, links, counts, pointers to objects; by offset. */
  readonly fields: readonly MapField[];
  /** Whether it is made of numbers alone, as what each processor has its own of must be. */
  readonly numbers: boolean;
  /** The structures of the objects that one of this may own, itself or by others; its own, if chains of them may have any length. */
  readonly owns: ReadonlySet<number>;
  /** What `size` bytes at `offset` are: of one member, or why not. */
  readonly fieldAt: (offset: number, size: number) => Field;
}

/** The structure with an id; `undefined` if there is no type with that id, or it is something else. */
export type OwnTypes = (id: number) => OwnStruct | undefined;

/** What the kernel keeps in objects for programs, by `MapField.kind`: bytes, and the structure's name (linux/bpf.h). Others are not modelled. */
export const OBJECT_FIELDS: ReadonlyMap<string, { readonly size: number; readonly name: string }> = new Map([
  ["spin_lock", { size: 4, name: "bpf_spin_lock" }],
  ["res_spin_lock", { size: 4, name: "bpf_res_spin_lock" }],
  ["list_head", { size: 16, name: "bpf_list_head" }],
  ["list_node", { size: 24, name: "bpf_list_node" }],
  ["rb_root", { size: 16, name: "bpf_rb_root" }],
  ["rb_node", { size: 32, name: "bpf_rb_node" }],
  ["refcount", { size: 4, name: "bpf_refcount" }],
  ["kptr", { size: 8, name: "kptr" }],
  ["kptr_ref", { size: 8, name: "kptr" }],
  ["kptr_percpu", { size: 8, name: "kptr" }],
]);
