/**
 * A function's type as a program's BTF has it: what a verifier goes by that verifies a function for all arguments of its type. Which pointer is the
 * context depends on the program's type and is not said here.
 */

/** What a parameter's type is once qualifiers and typedefs are left out. */
export type ParameterType =
  /** An integer, of any size, or an enumeration. */
  | { readonly kind: "scalar" }
  | { readonly kind: "pointer"; readonly to: Pointee }
  /** Nothing that fits into a register as a value; `type` is BTF's name of the kind, in capitals. */
  | { readonly kind: "other"; readonly type: string };

/** What a pointer points to. */
export interface Pointee {
  /** BTF's name of the kind in capitals, without qualifiers and typedefs: `STRUCT`, `INT`, `PTR`, `FWD`; `UNKNOWN` for void. */
  readonly kind: string;
  /** The type's own name, without typedefs; empty if it has none. */
  readonly name: string;
  /** The name of the outermost typedef; absent if there is none. */
  readonly typedef?: string;
  /** Bytes; absent if the type has no size. */
  readonly size?: number;
}

export interface Parameter {
  readonly type: ParameterType;
  /** Declaration tags that begin with `arg:`, without that: `ctx`, `nonnull`, `trusted`, … */
  readonly tags: readonly string[];
}

/** A function by its name, and what BTF says of the first that has it; without `typeId` if there is none. */
export interface NamedFunction {
  readonly name: string;
  readonly typeId?: number;
  readonly linkage?: "static" | "global" | "extern";
}

export interface FunctionPrototype {
  readonly parameters: readonly Parameter[];
  /** `other` is no number, and not nothing. */
  readonly returns: "scalar" | "void" | "other";
  /** What the function's declaration tags `exception_callback:NAME` name; absent if it has none. */
  readonly exceptionCallbacks?: readonly NamedFunction[];
}
