/**
 * The attribute of a call of bpf(2) as the kernel has it: bytes that it copies, of which a command reads its fields; addresses in it lead to the process's memory.
 * Fields that share bytes are told apart by the command alone, as in `union bpf_attr`.
 */
import {
  ATTRIBUTE_SIZE,
  COMMANDS,
  type Command,
  type Field,
  type FieldOf,
} from "../../semantics/abi/bpf-commands.ts";
import { InputError } from "../../semantics/errors.ts";
import { E2BIG, EFAULT } from "../../vm/errno.ts";
import type { AttributeValue, BpfOperation } from "../operations/bpf.ts";
import { UserMemory } from "./memory.ts";

/** The largest attribute that the kernel looks at: a page. */
const LARGEST = 4096;

/** What a field of the attribute points to. */
export interface Pointed {
  readonly field: string;
  readonly before: Uint8Array;
  readonly now: Uint8Array;
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

const fieldsOf = (command: Command): Readonly<Record<string, Field>> => COMMANDS[command].fields;

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, at) => byte === b[at]);

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What an attribute's value puts into memory; nothing for a plain number. */
function bytesOf(value: AttributeValue): Uint8Array | undefined {
  if (typeof value === "number" || "u64" in value) return undefined;
  if ("hex" in value) return Uint8Array.from(Buffer.from(value.hex, "hex"));
  return new TextEncoder().encode(`${value.text}\0`);
}

/**
 * The bytes of an attribute: its fields, and the tail behind them.
 *
 * @param place  gives bytes that a field points to an address
 * @throws InputError  for a field that the command does not have
 */
export function attributeBytes(
  { command, attr, tail = "" }: BpfOperation,
  place: (field: string, bytes: Uint8Array) => bigint,
): Uint8Array {
  const size = typeof command === "number" ? 0 : COMMANDS[command].size;
  const bytes = new Uint8Array(size + tail.length / 2);
  bytes.set(Buffer.from(tail, "hex"), size);
  const view = new DataView(bytes.buffer);
  const fields = typeof command === "number" ? {} : fieldsOf(command);
  for (const [name, value] of Object.entries(attr)) {
    const field = fields[name];
    if (field === undefined) throw new InputError(`bpf(${command}) has no field ${name}`);
    const [offset, width] = field;
    const pointed = bytesOf(value);
    if (width === 16) bytes.set((pointed ?? new Uint8Array(0)).subarray(0, width), offset);
    else if (pointed !== undefined) view.setBigUint64(offset, place(name, pointed), true);
    else if (width === 8) view.setBigUint64(offset, numberOf(value), true);
    else view.setUint32(offset, Number(BigInt.asUintN(32, numberOf(value))), true);
  }
  return bytes;
}

function numberOf(value: AttributeValue): bigint {
  if (typeof value === "number") return BigInt.asUintN(64, BigInt(value));
  return "u64" in value ? BigInt(value.u64) : 0n;
}

export class Attribute<C extends Command = Command> {
  readonly command: C;
  readonly memory = new UserMemory();
  /** The bytes that were passed, by `size`. */
  readonly size: number;
  /** What lies at the attribute's address, and what lay there before the call. */
  readonly #user: Uint8Array;
  readonly #before: Uint8Array;
  readonly #buffers: Pointed[] = [];
  /** The kernel's copy. */
  readonly #copy = new Uint8Array(ATTRIBUTE_SIZE);
  readonly #view = new DataView(this.#copy.buffer);

  constructor(operation: BpfOperation, command: C) {
    this.command = command;
    this.#user = attributeBytes(operation, (field, now) => {
      this.#buffers.push({ field, before: now.slice(), now });
      return this.memory.put(now);
    });
    this.#before = this.#user.slice();
    this.size = operation.size ?? this.#user.length;
  }

  /** Copies the attribute, as the kernel does before it looks at the command. Returns 0 or a negative error number. */
  copy(): number {
    const problem = copyProblem(this.#user, this.size);
    if (problem !== 0) return problem;
    const size = Math.min(this.size, ATTRIBUTE_SIZE);
    this.#copy.set(this.#user.subarray(0, size));
    return 0;
  }

  /** Whether anything lies behind the command's last field. */
  get hasMore(): boolean {
    return !isZero(this.#copy.subarray(COMMANDS[this.command].size));
  }

  #field(name: FieldOf<C>): Field {
    const field = fieldsOf(this.command)[String(name)];
    if (field === undefined) throw new Error(`bpf(${this.command}) has no field ${String(name)}`);
    return field;
  }

  /** A field of 4 bytes. */
  u32(name: FieldOf<C>): number {
    return this.#view.getUint32(this.#field(name)[0], true);
  }

  /** A field of 4 bytes with a sign, as descriptors are. */
  s32(name: FieldOf<C>): number {
    return this.#view.getInt32(this.#field(name)[0], true);
  }

  /** A field of 8 bytes, such as an address. */
  u64(name: FieldOf<C>): bigint {
    return this.#view.getBigUint64(this.#field(name)[0], true);
  }

  /** The bytes of a name field. */
  name(name: FieldOf<C>): Uint8Array {
    const [offset, size] = this.#field(name);
    return this.#copy.slice(offset, offset + size);
  }

  /** The bytes at the address in a field; nothing if they are not all there. */
  read(name: FieldOf<C>, length: number): Uint8Array | undefined {
    return this.memory.read(this.u64(name), length);
  }

  /** Writes to the address in a field, as much as there is room for; whether that was all. */
  write(name: FieldOf<C>, bytes: Uint8Array): boolean {
    return this.memory.write(this.u64(name), bytes);
  }

  /** Writes a field of 4 bytes back to the process's attribute; whether there was room. */
  writeBack(name: FieldOf<C>, value: number): boolean {
    const [offset] = this.#field(name);
    if (offset + 4 > this.#user.length) return false;
    new DataView(this.#user.buffer).setUint32(offset, value, true);
    return true;
  }

  /** The same with 8 bytes. */
  writeBackLong(name: FieldOf<C>, value: bigint): boolean {
    const [offset] = this.#field(name);
    if (offset + 8 > this.#user.length) return false;
    new DataView(this.#user.buffer).setBigUint64(offset, value, true);
    return true;
  }

  /** What the call changed. */
  changes(): Readonly<Record<string, number | string>> {
    return changesOf(this.command, this.#before, this.#user, this.#buffers);
  }
}

/** What differs between two states of an attribute and of what its fields point to, by field. */
export function changesOf(
  command: Command,
  before: Uint8Array,
  now: Uint8Array,
  buffers: readonly Pointed[],
): Readonly<Record<string, number | string>> {
  const changes: Record<string, number | string> = {};
  const told = new Set<number>();
  for (const [name, [offset, size]] of Object.entries(fieldsOf(command))) {
    const bytes = now.subarray(offset, offset + size);
    if (told.has(offset) || sameBytes(bytes, before.subarray(offset, offset + size))) continue;
    told.add(offset);
    changes[name] =
      size === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : hexOf(bytes);
  }
  for (const buffer of buffers)
    if (!sameBytes(buffer.before, buffer.now)) changes[buffer.field] = hexOf(buffer.now);
  return changes;
}

/** What is wrong with the attribute of a command that there is not. */
export function attributeProblem(operation: BpfOperation): number {
  const bytes = attributeBytes(operation, () => 0n);
  return copyProblem(bytes, operation.size ?? bytes.length);
}

function copyProblem(bytes: Uint8Array, size: number): number {
  const problem = tailProblem(bytes, ATTRIBUTE_SIZE, size);
  return problem === 0 && Math.min(size, ATTRIBUTE_SIZE) > bytes.length ? EFAULT : problem;
}

/** What the kernel says of a structure that is longer than it knows: 0 if what is too much is zero. */
export function tailProblem(bytes: Uint8Array, known: number, given: number): number {
  if (given > LARGEST) return E2BIG;
  if (given <= known) return 0;
  if (!isZero(bytes.subarray(known, given))) return E2BIG;
  return given > bytes.length ? EFAULT : 0;
}
