/** bpf(2) with its attribute by field names (`abi.ts`), in any kernel in which system calls can be made. */
import { COMMANDS, type Command, type Field, type FieldOf, SYSCALL_NUMBERS } from "./abi.ts";
import { call as callKernel, type Kernel, type Memory, type Outcome, type SystemCall } from "./calls.ts";
import { errnoName } from "./errno.ts";

/** What bpf(2) answered: its result (a descriptor, or 0), or the error's name; and the fields it wrote back. */
export interface Answer<C extends Command> {
  readonly result: number;
  readonly errno?: string;
  /** A 4-byte field of the attribute after the call. */
  readonly read: (field: FieldOf<C>) => number;
}

/** A number, bytes whose address is passed, or the text of a name field. */
type Value = number | bigint | Uint8Array | string;

/** A call of bpf(2) that has not been made yet. */
export interface Prepared<C extends Command> {
  readonly call: SystemCall;
  /** Reads what came of it. */
  readonly answer: (outcome: Outcome) => Answer<C>;
}

/** Calls bpf(2); fields that are left out are zero. Bytes that the command writes (`abi.ts` says which) are changed in place. */
export function bpf<C extends Command>(
  kernel: Kernel,
  command: C,
  values: { readonly [F in FieldOf<C>]?: Value },
): Answer<C> {
  const { call, answer } = prepare(kernel, command, values);
  return answer(callKernel(kernel, call.number, call.arguments));
}

/** What `bpf` calls, for a list of calls that are made together. */
export function prepare<C extends Command>(
  kernel: Kernel,
  command: C,
  values: { readonly [F in FieldOf<C>]?: Value },
): Prepared<C> {
  const { number, size } = COMMANDS[command];
  const fields: Readonly<Record<string, Field>> = COMMANDS[command].fields;
  const attribute = new Uint8Array(size);
  const view = new DataView(attribute.buffer);
  const pointers: [number, Memory][] = [];
  for (const [name, value] of Object.entries<Value | undefined>(values)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`bpf(${command}) has no field ${name}`);
    if (value instanceof Uint8Array) pointers.push([field[0], { bytes: value, back: field[2] ?? "nothing" }]);
    else if (value !== undefined) put(view, field, value);
  }
  const syscall = SYSCALL_NUMBERS[kernel.arch];
  if (syscall === undefined) throw new Error(`bpf(2) on ${kernel.arch} is not supported`);
  const call = {
    number: syscall,
    arguments: [number, { bytes: attribute, back: "all", pointers }, size],
  } satisfies SystemCall;
  const answer = ({ result, errno }: Outcome): Answer<C> => ({
    result,
    ...(errno === 0 ? {} : { errno: errnoName(errno) }),
    read(field) {
      const offset = fields[String(field)]?.[0];
      if (offset === undefined) throw new Error(`bpf(${command}) has no field ${String(field)}`);
      return view.getUint32(offset, true);
    },
  });
  return { call, answer };
}

function put(view: DataView, [offset, size]: Field, value: number | bigint | string): void {
  if (typeof value === "string") {
    // One byte fewer than the field: the NUL that ends the name stays.
    new TextEncoder().encodeInto(value, new Uint8Array(view.buffer, offset, size - 1));
  } else if (size === 8) {
    view.setBigUint64(offset, BigInt(value), true);
  } else if (typeof value === "number") {
    view.setUint32(offset, value, true);
  } else {
    throw new Error(`a field of ${size} bytes takes a number`);
  }
}

/** The name of a map or program as the kernel takes it: letters, digits, `_` and `.`, at most 15. */
export function kernelName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.]+/g, "_").slice(0, 15);
}
