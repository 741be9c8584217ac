/**
 * The commands of bpf(2) on a map as they are, with whatever they answer: bytes, 0, or a negative error number. What a batch left in its buffers behind what it
 * counts is not told.
 */
import { type Answer, bpf } from "./bpf.ts";
import { errorNumber } from "./errno.ts";
import type { KernelMap } from "./maps.ts";

export interface BatchAnswer {
  readonly error: number;
  readonly count: number;
  readonly keys: readonly Uint8Array[];
  readonly values: readonly Uint8Array[];
  /** Where the next batch begins, if the kernel said. */
  readonly next?: Uint8Array;
}

type MapCommand =
  | "map_lookup_elem"
  | "map_lookup_and_delete_elem"
  | "map_update_elem"
  | "map_delete_elem"
  | "map_get_next_key"
  | "map_freeze";
type BatchCommand = `map_${"lookup" | "lookup_and_delete" | "update" | "delete"}_batch`;

const errorOf = ({ errno }: Answer<MapCommand | BatchCommand>): number =>
  errno === undefined ? 0 : -(errorNumber(errno) ?? Number.NaN);

const joined = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

export class MapCommands {
  readonly map: KernelMap;

  constructor(map: KernelMap) {
    this.map = map;
  }

  /** Maps without keys want no address. */
  #key(key: Uint8Array): Uint8Array | 0 {
    return key.length === 0 ? 0 : key;
  }

  #read(
    command: "map_lookup_elem" | "map_lookup_and_delete_elem",
    key: Uint8Array,
    flags: bigint,
    before: Uint8Array | undefined,
  ): Uint8Array | number {
    const { kernel, fd, transferSize } = this.map;
    // Something that a command which writes nothing would leave.
    const value = before?.slice() ?? new Uint8Array(Math.max(transferSize, 8)).fill(0xaa);
    const error = errorOf(bpf(kernel, command, { map_fd: fd, key: this.#key(key), value, flags }));
    return error === 0 ? value.subarray(0, transferSize) : error;
  }

  /** @param value  what the buffer holds before */
  lookup(key: Uint8Array, flags = 0n, value?: Uint8Array): Uint8Array | number {
    return this.#read("map_lookup_elem", key, flags, value);
  }

  lookupAndDelete(key: Uint8Array, flags = 0n): Uint8Array | number {
    return this.#read("map_lookup_and_delete_elem", key, flags, undefined);
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0n): number {
    const { kernel, fd } = this.map;
    return errorOf(bpf(kernel, "map_update_elem", { map_fd: fd, key: this.#key(key), value, flags }));
  }

  delete(key: Uint8Array): number {
    const { kernel, fd } = this.map;
    return errorOf(bpf(kernel, "map_delete_elem", { map_fd: fd, key: this.#key(key) }));
  }

  nextKey(key: Uint8Array | undefined): Uint8Array | number {
    const { kernel, fd, definition } = this.map;
    const next = new Uint8Array(Math.max(definition.keySize, 8));
    const from = key === undefined ? {} : { key };
    const error = errorOf(bpf(kernel, "map_get_next_key", { map_fd: fd, ...from, next_key: next }));
    return error === 0 ? next.subarray(0, definition.keySize) : error;
  }

  freeze(): number {
    return errorOf(bpf(this.map.kernel, "map_freeze", { map_fd: this.map.fd }));
  }

  // --- Batches

  #readBatch(command: BatchCommand, from: Uint8Array | undefined, count: number, flags: bigint): BatchAnswer {
    const { kernel, fd, definition, transferSize } = this.map;
    const { keySize } = definition;
    const keys = new Uint8Array(Math.max(8, keySize * count));
    const values = new Uint8Array(Math.max(8, transferSize * count));
    const untouched = new Uint8Array(Math.max(8, keySize)).fill(0xaa);
    const next = untouched.slice();
    const answer = bpf(kernel, command, {
      map_fd: fd,
      ...(from === undefined ? {} : { in_batch: joined([from, new Uint8Array(8)]) }),
      out_batch: next,
      keys,
      values,
      count,
      elem_flags: flags,
    });
    const done = answer.read("count");
    const error = errorOf(answer);
    const isRead = error === 0 || errorNumber("ENOENT") === -error;
    const pieces = (bytes: Uint8Array, size: number): readonly Uint8Array[] =>
      Array.from({ length: isRead ? done : 0 }, (_, i) => bytes.slice(i * size, (i + 1) * size));
    const isSaid = next.some((byte) => byte !== 0xaa);
    return {
      error,
      count: done,
      keys: pieces(keys, keySize),
      values: pieces(values, transferSize),
      ...(isSaid ? { next } : {}),
    };
  }

  lookupBatch(from: Uint8Array | undefined, count: number, flags = 0n): BatchAnswer {
    return this.#readBatch("map_lookup_batch", from, count, flags);
  }

  lookupAndDeleteBatch(from: Uint8Array | undefined, count: number, flags = 0n): BatchAnswer {
    return this.#readBatch("map_lookup_and_delete_batch", from, count, flags);
  }

  #writeBatch(
    command: BatchCommand,
    keys: readonly Uint8Array[],
    values: readonly Uint8Array[],
    flags: bigint,
  ): BatchAnswer {
    const { kernel, fd } = this.map;
    const answer = bpf(kernel, command, {
      map_fd: fd,
      keys: joined([...keys, new Uint8Array(8)]),
      values: joined([...values, new Uint8Array(8)]),
      count: keys.length,
      elem_flags: flags,
    });
    return { error: errorOf(answer), count: answer.read("count"), keys: [], values: [] };
  }

  updateBatch(elements: readonly (readonly [Uint8Array, Uint8Array])[], flags = 0n): BatchAnswer {
    const keys = elements.map(([key]) => key);
    const values = elements.map(([, value]) => value);
    return this.#writeBatch("map_update_batch", keys, values, flags);
  }

  deleteBatch(keys: readonly Uint8Array[], flags = 0n): BatchAnswer {
    return this.#writeBatch("map_delete_batch", keys, [], flags);
  }
}
