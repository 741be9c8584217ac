/**
 * System calls as values, and who makes them. The client of bpf(2) in this folder says what it wants as `SystemCall`s; a `Kernel` makes
 * them: the running one (`this-machine.ts`), or a guest's (`src/oracle/guest`). A descriptor belongs to the kernel that gave it.
 */

/** Bytes whose address is passed. */
export interface Memory {
  readonly bytes: Uint8Array;
  /**
   * What comes back into `bytes` after the call: nothing (the kernel only reads them); all of them; or a text up to its first NUL, whose
   * place is cleared before the call and after which nothing is promised.
   */
  readonly back: "nothing" | "all" | "text";
  /** Where these bytes hold 8-byte addresses of others, which are filled in for the call. */
  readonly pointers?: readonly (readonly [offset: number, to: Memory])[];
}

/** A number, memory, or the result of an earlier call of the same list, by its index. */
export type Argument = number | bigint | Memory | { readonly resultOf: number };

export interface SystemCall {
  /** In the system call table of the kernel's architecture. */
  readonly number: number;
  /** Six at most; the others are zero. */
  readonly arguments: readonly Argument[];
}

export interface Outcome {
  /** What the call gave; -1 if it failed. */
  readonly result: number;
  /** The error's number; 0 if there was none. */
  readonly errno: number;
}

/** A kernel in which system calls can be made. */
export interface Kernel {
  /** `this machine`, or a guest's name (`linux-6.1`). */
  readonly name: string;
  /** Node's name of the architecture. */
  readonly arch: string;
  /** As uname(2) says: `6.18.44`. */
  readonly release: string;
  /** Makes calls one after the other, the later ones even if an earlier one failed. @throws if the kernel is gone */
  readonly calls: (list: readonly SystemCall[]) => readonly Outcome[];
  /** Closes a descriptor. Its place in the order of the calls is kept; when it happens is not said. */
  readonly close: (descriptor: number) => void;
  /** A file's bytes; `undefined` if it cannot be read. */
  readonly readFile: (path: string) => Uint8Array | undefined;
}

/** Makes one call. */
export function call(kernel: Kernel, number: number, values: readonly Argument[]): Outcome {
  const [outcome] = kernel.calls([{ number, arguments: values }]);
  if (outcome === undefined) throw new Error(`${kernel.name} left a call without an answer`);
  return outcome;
}
