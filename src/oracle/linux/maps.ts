/**
 * Maps in the kernel. A `KernelMap` owns its descriptor: close it. Keys and values are bytes in the machine's order; what a per-CPU map
 * gives for one key is the values of all possible CPUs after each other, each padded to a multiple of 8 bytes.
 */
import { InputError, Unsupported } from "../../semantics/errors.ts";
import { MAP_TYPES, type MapDefinition } from "../../semantics/program/map-types.ts";
import { bpf, kernelName } from "./bpf.ts";
import type { Kernel } from "./calls.ts";
import { KernelError } from "./errno.ts";
import { THIS_MACHINE } from "./this-machine.ts";

/** Values of these types exist once for each possible CPU. */
const PER_CPU = new Set(["percpu_hash", "percpu_array", "lru_percpu_hash", "percpu_cgroup_storage"]);

/** These hold descriptors on the way in and ids on the way out, of 4 bytes each. */
const OF_MAPS = new Set(["array_of_maps", "hash_of_maps"]);

const POSSIBLE = "/sys/devices/system/cpu/possible";

const possible = new WeakMap<Kernel, number>();

/** How many CPUs the kernel makes room for, which is how many values a per-CPU map holds for a key. */
export function possibleCpus(kernel: Kernel = THIS_MACHINE): number {
  const known = possible.get(kernel);
  if (known !== undefined) return known;
  const ranges = new TextDecoder().decode(kernel.readFile(POSSIBLE)).trim();
  const last = /(\d+)$/.exec(ranges)?.[1];
  if (last === undefined) throw new Error(`${kernel.name}: ${POSSIBLE} has no possible CPUs: "${ranges}"`);
  const count = Number(last) + 1;
  possible.set(kernel, count);
  return count;
}

export class KernelMap {
  readonly kernel: Kernel;
  readonly fd: number;
  readonly definition: MapDefinition;
  /** Bytes that a look-up gives and an update takes. */
  readonly transferSize: number;
  #open = true;

  constructor(kernel: Kernel, fd: number, definition: MapDefinition) {
    this.kernel = kernel;
    this.fd = fd;
    this.definition = definition;
    const { type, valueSize } = definition;
    this.transferSize = PER_CPU.has(type) ? Math.ceil(valueSize / 8) * 8 * possibleCpus(kernel) : valueSize;
  }

  /** The value under a key, or `undefined` if there is none. Queues and stacks take an empty key and give their next value. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.transferSize);
    const { errno } = bpf(this.kernel, "map_lookup_elem", { map_fd: this.fd, key: this.#key(key), value });
    if (errno === "ENOENT") return undefined;
    this.#expect("look-up", errno);
    return value;
  }

  /** @param flags BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2. @throws KernelError with the errno (EEXIST, ENOENT, E2BIG, …). */
  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    const { errno } = bpf(this.kernel, "map_update_elem", {
      map_fd: this.fd,
      key: this.#key(key),
      value: this.#checked(value, "value"),
      flags,
    });
    this.#expect("update", errno);
  }

  /** Whether there was an element to delete. */
  delete(key: Uint8Array): boolean {
    const { errno } = bpf(this.kernel, "map_delete_elem", { map_fd: this.fd, key: this.#key(key) });
    if (errno === "ENOENT") return false;
    this.#expect("deletion", errno);
    return true;
  }

  /** All keys, in the kernel's order. */
  keys(): Uint8Array[] {
    const keys: Uint8Array[] = [];
    let key: Uint8Array | undefined;
    // A hash map that changes meanwhile starts over; a map cannot hold more keys than this.
    while (keys.length <= this.definition.maxEntries) {
      const next = new Uint8Array(this.definition.keySize);
      const { errno } = bpf(this.kernel, "map_get_next_key", {
        map_fd: this.fd,
        ...(key === undefined ? {} : { key }),
        next_key: next,
      });
      if (errno === "ENOENT") return keys;
      this.#expect("walk", errno);
      keys.push(next);
      key = next;
    }
    return keys;
  }

  /** Keys with their values. */
  entries(): [key: Uint8Array, value: Uint8Array][] {
    return this.keys().flatMap((key): [Uint8Array, Uint8Array][] => {
      const value = this.lookup(key);
      return value === undefined ? [] : [[key, value]];
    });
  }

  /** User space may no longer write. */
  freeze(): void {
    this.#expect("freeze", bpf(this.kernel, "map_freeze", { map_fd: this.fd }).errno);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.kernel.close(this.fd);
  }

  /** Maps without keys want no address. */
  #key(key: Uint8Array): Uint8Array | 0 {
    return this.#checked(key, "key").length === 0 ? 0 : key;
  }

  #checked(bytes: Uint8Array, what: "key" | "value"): Uint8Array {
    const size = what === "key" ? this.definition.keySize : this.transferSize;
    if (bytes.length !== size) {
      throw new Error(`map ${this.definition.name}: a ${what} has ${size} bytes, not ${bytes.length}`);
    }
    return bytes;
  }

  #expect(what: string, errno: string | undefined): void {
    if (errno !== undefined) throw new KernelError(`map ${this.definition.name}: ${what}`, errno);
  }
}

/** libbpf's rules for sizes that a definition may leave open. */
function maxEntriesOf(kernel: Kernel, definition: MapDefinition): number {
  if (definition.type === "perf_event_array" && definition.maxEntries === 0) return possibleCpus(kernel);
  return definition.maxEntries;
}

/** Where user space would see an arena. libbpf puts it into the loader's memory, without which no program may use it; here nobody looks at it. */
const ARENA_ADDRESS = 2 ** 32;

/**
 * Creates a map with its initial contents, frozen if its definition says so.
 * @param btf descriptor of the BTF that the definition's type ids point into.
 * @throws KernelError if the kernel refuses it; `Unsupported` for a map of maps without the shape of its inner maps.
 */
export function createMap(definition: MapDefinition, btf?: number, kernel: Kernel = THIS_MACHINE): KernelMap {
  const { name, type, keySize, valueSize, flags, btfKey, btfValue, data } = definition;
  if (OF_MAPS.has(type) && definition.inner === undefined) {
    throw new Unsupported(`map ${name}: ${type} without the shape of its inner maps`);
  }
  const inner = definition.inner === undefined ? undefined : createMap(definition.inner, btf, kernel);
  const types =
    btf !== undefined && btfValue !== undefined
      ? { btf_fd: btf, btf_key_type_id: btfKey ?? 0, btf_value_type_id: btfValue }
      : {};
  const { result, errno } = bpf(kernel, "map_create", {
    map_type: MAP_TYPES.indexOf(type),
    key_size: keySize,
    value_size: valueSize,
    max_entries: maxEntriesOf(kernel, definition),
    map_flags: flags,
    inner_map_fd: inner?.fd ?? 0,
    map_name: kernelName(name),
    map_extra: definition.extra ?? (type === "arena" ? ARENA_ADDRESS : 0),
    ...types,
  });
  inner?.close();
  if (errno !== undefined) throw new KernelError(`map ${name}: creation`, errno);
  const map = new KernelMap(kernel, result, definition);
  try {
    if (data !== undefined) map.update(new Uint8Array(keySize), fitted(data, map.transferSize, name));
    if (definition.frozen === true) map.freeze();
    return map;
  } catch (error) {
    map.close();
    throw error;
  }
}

/** Initial data may be shorter than the value; zeros follow. */
function fitted(data: Uint8Array, size: number, name: string): Uint8Array {
  if (data.length > size) {
    throw new InputError(`map ${name}: ${data.length} bytes of data for a value of ${size} bytes`);
  }
  const value = new Uint8Array(size);
  value.set(data);
  return value;
}

/** A 4-byte key or value: an index, or a descriptor for the maps that hold programs or maps. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Ids of all maps or programs that exist in the kernel, of every process. */
export function liveIds(kind: "prog" | "map", kernel: Kernel = THIS_MACHINE): number[] {
  const ids: number[] = [];
  for (let id = 0; ; ) {
    const { errno, read } = bpf(kernel, `${kind}_get_next_id`, { start_id: id });
    if (errno === "ENOENT") return ids;
    if (errno !== undefined) throw new KernelError(`${kind} ids`, errno);
    id = read("next_id");
    ids.push(id);
  }
}
