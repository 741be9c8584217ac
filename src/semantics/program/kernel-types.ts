/**
 * What a kernel's types are to programs that hold pointers to its objects: what a load from a structure gives, and with which arguments a program
 * that attaches to a kernel function, tracepoint or hook begins. Made from the kernel's BTF (src/object/kernel-types.ts); ids are BTF's.
 */

import type { AttachType, ProgramType } from "./program-types.ts";

/** As far as programs can tell them apart. */
type BtfTypeKind = "void" | "struct" | "union" | "other";

/** What decides what a program attaches to. */
export interface Attached {
  readonly type: ProgramType;
  readonly attach?: AttachType;
  readonly target?: string;
}

/** What a pointer's type says of where it points (BTF type tags). */
export type PointerTag = "user" | "percpu" | "rcu";

/** What lies in a field, or comes as an argument. */
export type TypedValue =
  | { readonly kind: "scalar" }
  /** A pointer to a structure or union of the kernel. */
  | { readonly kind: "pointer"; readonly struct: number; readonly tags: readonly PointerTag[] };

export type Field =
  | {
      readonly kind: "found";
      readonly value: TypedValue;
      readonly name: string;
      /** It lies behind its structure, in a last array of no fixed length. */
      readonly beyond?: true;
    }
  /** Nothing may be read there. In the kernel's words, with its error. */
  | { readonly kind: "none"; readonly errno: "EACCES" | "EINVAL"; readonly message: string };

/** How far a pointer that was loaded from a field of a valid object may be trusted; the kernel lists the fields by name. */
export type Trust = "trusted" | "trusted_or_null" | "rcu" | "rcu_or_null" | "none";

export interface KernelTypes {
  /** The id of a structure or union; `undefined` if the kernel has none of the name. */
  readonly structId: (name: string) => number | undefined;
  readonly structName: (id: number) => string;
  /** The kind of the type with an id, a modifier's own included; `undefined` if there is no such type. */
  readonly kindOf: (id: number) => BtfTypeKind | undefined;
  /** The type that the context of programs of a type is of to the kernel; `undefined` if it has none. */
  readonly kernelContext: (type: ProgramType) => number | undefined;
  /** The ids of the types that a program's type of the kind (BTF's, in capitals) and name may stand for: those of its name without `___flavor`. */
  readonly namesakes: (kind: string, name: string) => readonly number[];
  /** What a load of `size` bytes at `offset` of a structure gives. */
  readonly fieldAt: (id: number, offset: number, size: number) => Field;
  /** How far a pointer is to be trusted that was loaded from the field of that name of a valid object. */
  readonly trustOf: (id: number, field: string) => Trust;
  /** Whether an object of type `inner` lies at `offset` of one of type `outer`: the same type at 0, or a member. */
  readonly holdsAt: (outer: number, offset: number, inner: number) => boolean;
  /** The arguments, 8 bytes each in the context, of what a program attaches to; `undefined` if the kernel does not have it. */
  readonly argumentsOf: (program: Attached) => Arguments | undefined;
  /** The bytes of a value of the type if it is no structure or union; a text if it has no size, in the kernel's words. */
  readonly sizeUnlessStruct: (id: number) => number | string | undefined;
  /** Whether a value of the type is a number, or an array of numbers: no address is among its bytes as such. */
  readonly isPlain: (id: number) => boolean;
  /** What the address of the kernel's variable or function of that name is; `undefined` if the kernel has none of the name. */
  readonly addressOf: (name: string) => KernelAddress | undefined;
}

/** What the address of a variable or function of the kernel is to a program that loads it. */
export type KernelAddress =
  /** An object of the type; of a variable that each processor has its own of, one that has to be chosen first, of any type. */
  | { readonly kind: "object"; readonly type: number; readonly perCpu: boolean }
  /** As many bytes, which may only be read; whether they are numbers alone. */
  | { readonly kind: "memory"; readonly size: number; readonly plain: boolean }
  /** Nothing that a program could load. In the kernel's words. */
  | { readonly kind: "none"; readonly message: string };

export interface Arguments {
  /** The function, as the kernel's messages call it. */
  readonly name: string;
  /** What each gives; a text in place of those that cannot be read, in the kernel's words. */
  readonly values: readonly (TypedValue | string)[];
  /** The position in `values` of what was returned before the program runs, if it finds that. */
  readonly result?: number;
}
