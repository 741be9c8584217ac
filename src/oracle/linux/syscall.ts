/**
 * bpf(2) from Node, synchronously, through the foreign function library koffi. koffi is an optional dependency: without it, or on a system
 * that is not Linux, `syscallProblem` says why there is no bpf(2), and `bpf` must not be called.
 */
import { closeSync } from "node:fs";
import { createRequire } from "node:module";
import type Koffi from "koffi";
import { COMMANDS, type Command, type FieldOf, SYSCALL_NUMBERS } from "./abi.ts";
import { errnoName } from "./errno.ts";

interface Binding {
  readonly call: (number: number, command: number, attribute: bigint, size: number) => number;
  readonly address: (bytes: Uint8Array) => bigint;
  readonly errno: () => number;
  readonly number: number;
}

let binding: Binding | string | undefined;

function bind(): Binding | string {
  const number = SYSCALL_NUMBERS[process.arch];
  if (process.platform !== "linux") return `${process.platform} has no bpf(2)`;
  if (number === undefined) return `bpf(2) on ${process.arch} is not supported`;
  try {
    const koffi: typeof Koffi = createRequire(import.meta.url)("koffi");
    const call: Binding["call"] = koffi.load(null).func("long syscall(long, long, uint64_t, long)");
    return { call, address: koffi.address, errno: koffi.errno, number };
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND";
    if (missing) return "koffi is not installed (npm install koffi)";
    return `koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Why bpf(2) cannot be called from this process at all, in one line; `undefined` if it can (it may still answer EPERM). */
export function syscallProblem(): string | undefined {
  binding ??= bind();
  return typeof binding === "string" ? binding : undefined;
}

/** What bpf(2) answered: its result (a descriptor, or 0), or the error's name; and the fields it wrote back. */
export interface Answer<C extends Command> {
  readonly result: number;
  readonly errno?: string;
  /** A 4-byte field of the attribute after the call. */
  readonly read: (field: FieldOf<C>) => number;
}

/** A number, bytes whose address is passed, or the text of a name field. */
type Value = number | bigint | Uint8Array | string;

/**
 * Keeps what the attribute points to reachable while the kernel works on it. The bytes do not move: asking koffi for an address gives a
 * small array, which V8 may keep inside its own heap, a place outside it.
 */
const held: unknown[] = [];

/** Calls bpf(2); fields that are left out are zero. */
export function bpf<C extends Command>(
  command: C,
  values: { readonly [F in FieldOf<C>]?: Value },
): Answer<C> {
  binding ??= bind();
  if (typeof binding === "string") throw new Error(`no bpf(2): ${binding}`);
  const { number, size } = COMMANDS[command];
  const fields: Readonly<Record<string, readonly [number, number]>> = COMMANDS[command].fields;
  const attribute = new Uint8Array(size);
  const view = new DataView(attribute.buffer);
  held.push(values);
  for (const [name, value] of Object.entries<Value | undefined>(values)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`bpf(${command}) has no field ${name}`);
    if (value !== undefined) put(view, field, value, binding.address);
  }
  const result = binding.call(binding.number, number, binding.address(attribute), size);
  const failed = result < 0 ? { errno: errnoName(binding.errno()) } : {};
  held.pop();
  return {
    result,
    ...failed,
    read(field) {
      const offset = fields[String(field)]?.[0];
      if (offset === undefined) throw new Error(`bpf(${command}) has no field ${String(field)}`);
      return view.getUint32(offset, true);
    },
  };
}

function put(
  view: DataView,
  [offset, size]: readonly [number, number],
  value: Value,
  address: Binding["address"],
): void {
  if (typeof value === "string") {
    // One byte fewer than the field: the NUL that ends the name stays.
    new TextEncoder().encodeInto(value, new Uint8Array(view.buffer, offset, size - 1));
  } else if (size === 8) {
    view.setBigUint64(offset, value instanceof Uint8Array ? address(value) : BigInt(value), true);
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

export function closeDescriptor(descriptor: number): void {
  closeSync(descriptor);
}
