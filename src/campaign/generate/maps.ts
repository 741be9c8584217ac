/** The maps of generated programs, by what they are for. A program has those that it uses. */
import { MAP_FLAGS, type MapDefinition, type MapType } from "../../semantics/program/map-types.ts";
import { INT, LONG, VALUE_TYPES, type ValueType } from "./types.ts";

export const VALUE_SIZE = 48;
export const KEY_SIZE = 8;

const shape = (
  type: MapType,
  keySize: number,
  valueSize: number,
  maxEntries: number,
  rest: Partial<MapDefinition> = {},
): Omit<MapDefinition, "name"> => ({ type, keySize, valueSize, maxEntries, flags: 0, ...rest });

const typed = ({ id, size, fields }: ValueType): Omit<MapDefinition, "name"> =>
  shape("array", 4, size, 1, { fields, btfKey: INT, btfValue: id });

const { no_prealloc } = MAP_FLAGS;
const STORED = { flags: no_prealloc, btfKey: INT, btfValue: LONG } as const;
const inner: MapDefinition = { name: "inner", ...shape("array", 4, VALUE_SIZE, 2) };
/** `%d %s`, and what follows: a text for helpers that want one. */
const TEXT = Uint8Array.from([...new TextEncoder().encode("%d %x %lu"), ...new Uint8Array(7)]);

const SHAPES = {
  values: shape("array", 4, VALUE_SIZE, 1),
  several: shape("array", 4, VALUE_SIZE, 4),
  table: shape("hash", KEY_SIZE, VALUE_SIZE, 8),
  small: shape("hash", 4, 8, 4),
  counters: shape("percpu_array", 4, VALUE_SIZE, 2),
  each: shape("percpu_hash", KEY_SIZE, 16, 8),
  recent: shape("lru_hash", KEY_SIZE, VALUE_SIZE, 8),
  recent_each: shape("lru_percpu_hash", KEY_SIZE, 16, 8),
  routes: shape("lpm_trie", 8, 16, 8, { flags: no_prealloc }),
  queue: shape("queue", 0, 8, 4),
  stack: shape("stack", 0, 16, 4),
  bloom: shape("bloom_filter", 0, 8, 16),
  records: shape("ringbuf", 0, 0, 4096),
  from_user: shape("user_ringbuf", 0, 0, 4096),
  traces: shape("stack_trace", 4, 64, 4),
  events: shape("perf_event_array", 4, 4, 2),
  cgroups: shape("cgroup_array", 4, 4, 2),
  programs: shape("prog_array", 4, 4, 2),
  outer: shape("array_of_maps", 4, 4, 2, { inner }),
  outer_table: shape("hash_of_maps", 4, 4, 2, { inner }),
  devices: shape("devmap", 4, 4, 4),
  device_table: shape("devmap_hash", 4, 8, 4),
  processors: shape("cpumap", 4, 4, 2),
  receivers: shape("xskmap", 4, 4, 2),
  sockets: shape("sockmap", 4, 8, 2),
  socket_table: shape("sockhash", 8, 8, 2),
  of_socket: shape("sk_storage", 4, 8, 0, STORED),
  of_task: shape("task_storage", 4, 8, 0, STORED),
  of_cgroup: shape("cgroup_storage", 16, 16, 0),
  locked: typed(VALUE_TYPES.locked),
  guarded: typed(VALUE_TYPES.guarded),
  timed: typed(VALUE_TYPES.timed),
  kept: typed(VALUE_TYPES.kept),
  roots: typed(VALUE_TYPES.roots),
  text: shape("array", 4, TEXT.length, 1, { flags: MAP_FLAGS.rdonly_prog, data: TEXT, frozen: true }),
} as const;

export type MapName = keyof typeof SHAPES;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of what is written above
export const MAP_NAMES = Object.keys(SHAPES) as readonly MapName[];

const DEFINITIONS: ReadonlyMap<MapName, MapDefinition> = new Map(
  MAP_NAMES.map((name) => [name, { name, ...SHAPES[name] }]),
);

/** The definition of a map. */
export function mapNamed(name: MapName): MapDefinition {
  const found = DEFINITIONS.get(name);
  if (found === undefined) throw new Error(`no map is called ${name}`);
  return found;
}

/** Maps whose values hold numbers alone, which programs look up, and how many bytes of them. */
export const LOOKED_UP: readonly MapName[] = [
  "several",
  "table",
  "recent",
  "counters",
  "small",
  "each",
  "routes",
  "recent_each",
];
