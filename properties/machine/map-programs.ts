/**
 * One program for each helper on maps: it does what the map `command` says to the map `m` and leaves the result in the map `out`, on the machine and on the
 * kernel alike.
 */

import { CALLED_BACK, MAIN, TYPES } from "../../src/oracle/linux/probe/types.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { FunctionInfo, Program } from "../../src/semantics/program/program.ts";

const HELPERS = [
  "lookup",
  "lookup_percpu",
  "update",
  "delete",
  "push",
  "pop",
  "peek",
  "for_each",
  "output",
  "query",
  "drain",
] as const;

export type HelperCase = (typeof HELPERS)[number];

/** Where things are in the values of `command` and `out`. */
export const FLAGS_AT = 0;
export const CPU_AT = 8;
export const CHANGE_AT = 12;
export const KEY_AT = 16;
export const VALUE_AT = 64;
export const SIZE = 128;
/** As much as the longest record takes. */
export const COMMAND_SIZE = 3904;

/** What a function that is called for each element does to the map, by number; 0 is nothing. */
const CHANGES = { deleteThis: 1, deleteAny: 2, put: 3 } as const;

const single = (name: string, valueSize: number): MapDefinition => ({
  name,
  type: "array",
  keySize: 4,
  valueSize,
  maxEntries: 1,
  flags: 0,
});
export const COMMAND = single("command", COMMAND_SIZE);
export const OUT = single("out", SIZE);

const PROLOGUE = `
  r9 = map_value[out]+0
  r8 = map_value[command]+0
  call bpf_get_smp_processor_id
  *(u64 *)(r9 +${CPU_AT}) = r0
  r1 = map[m]
`;
const END = `
  *(u64 *)(r9 +0) = r0
  r0 = 0
  exit
`;

const address = (register: string, offset: number): string => `${register} = r8\n${register} += ${offset}\n`;
const KEY = address("r2", KEY_AT);
const VALUE = address("r2", VALUE_AT);
const flags = (register: string): string => `${register} = *(u64 *)(r8 +${FLAGS_AT})\n`;

/** What was found goes out, and one byte of it is changed where the map lets programs write. */
function found({ type, valueSize, flags: mapFlags, fields = [] }: MapDefinition): string {
  const bytes = Array.from({ length: valueSize }, (_, i) => i).filter(
    (i) => !fields.some(({ offset }) => i >= offset && i < offset + 4),
  );
  const copies = bytes.map((i) => `r1 = *(u8 *)(r0 +${i})\n*(u8 *)(r9 +${VALUE_AT + i}) = r1`);
  const poke =
    (mapFlags & 0x80) === 0 && !type.startsWith("devmap")
      ? `r1 = *(u8 *)(r8 +${VALUE_AT})\n*(u8 *)(r0 +0) = r1\n`
      : "";
  return `if r0 != 0 goto found\ngoto end\nfound:\n${copies.join("\n")}\n${poke}r0 = 1\nend:\n`;
}

/**
 * The first bytes of the keys that were met, in order. The function changes the map meanwhile, if the command says so: deletes the element it was called for, deletes
 * that of the command's key, or puts it. It ends the walk where the command says.
 */
const FOR_EACH = `
  r2 = func each
  *(u64 *)(r9 +16) = 0
  *(u64 *)(r10 -8) = 0
  r3 = r10
  r3 += -8
  ${flags("r4")}
  call bpf_for_each_map_elem
  ${END}
each:
  r6 = r1
  r7 = r2
  r9 = map_value[out]+0
  r8 = map_value[command]+0
  r5 = *(u64 *)(r9 +16)
  r0 = r5
  r0 += 1
  *(u64 *)(r9 +16) = r0
  r5 &= 63
  r1 = map_value[out]+${VALUE_AT}
  r1 += r5
  r2 = *(u8 *)(r7 +0)
  *(u8 *)(r1 +0) = r2
  r1 = r6
  r2 = r7
  r5 = *(u32 *)(r8 +${CHANGE_AT})
  if r5 == ${CHANGES.deleteThis} goto delete
  r2 = r8
  r2 += ${KEY_AT}
  if r5 == ${CHANGES.deleteAny} goto delete
  if r5 == ${CHANGES.put} goto put
  goto look
delete:
  call bpf_map_delete_elem
  goto look
put:
  r3 = r8
  r3 += ${VALUE_AT}
  r4 = 0
  call bpf_map_update_elem
look:
  r1 = *(u64 *)(r9 +16)
  r2 = *(u32 *)(r8 +${CPU_AT})
  r0 = 0
  if r1 != r2 goto done
  r0 = 1
done:
  exit
`;

/** Reads the first bytes of each sample, and ends where the command says. */
const DRAIN = `
  r2 = func each
  *(u64 *)(r9 +16) = 0
  *(u64 *)(r9 +24) = 0
  *(u64 *)(r10 -8) = 0
  r3 = r10
  r3 += -8
  ${flags("r4")}
  call bpf_user_ringbuf_drain
  ${END}
each:
  r9 = map_value[out]+0
  r8 = map_value[command]+0
  r5 = *(u64 *)(r9 +16)
  r5 += 1
  *(u64 *)(r9 +16) = r5
  r3 = r1
  r1 = r9
  r1 += ${VALUE_AT}
  r2 = 8
  r4 = 0
  r5 = 0
  call bpf_dynptr_read
  *(u64 *)(r9 +24) = r0
  r1 = *(u64 *)(r9 +16)
  r2 = *(u32 *)(r8 +${CPU_AT})
  r0 = 0
  if r1 != r2 goto done
  r0 = 1
done:
  exit
`;

function body(helper: HelperCase, map: MapDefinition): string {
  switch (helper) {
    case "lookup":
      return `${KEY}call bpf_map_lookup_elem\n${found(map)}${END}`;
    case "lookup_percpu":
      return `${KEY}r3 = *(u32 *)(r8 +${CPU_AT})\ncall bpf_map_lookup_percpu_elem\n${found(map)}${END}`;
    case "update":
      return `${KEY}${address("r3", VALUE_AT)}${flags("r4")}call bpf_map_update_elem\n${END}`;
    case "delete":
      return `${KEY}call bpf_map_delete_elem\n${END}`;
    case "push":
      return `${VALUE}${flags("r3")}call bpf_map_push_elem\n${END}`;
    case "pop":
    case "peek":
      return map.type === "bloom_filter"
        ? `${VALUE}call bpf_map_peek_elem\n${END}`
        : `r2 = r9\nr2 += ${VALUE_AT}\ncall bpf_map_${helper}_elem\n${END}`;
    case "for_each":
      return FOR_EACH;
    case "output":
      // Lengths that fill a ring to the last byte now and then: with its header a record takes a multiple of 256 bytes.
      return `${VALUE}r3 = *(u32 *)(r8 +${CPU_AT})
        r3 &= 15
        r3 *= 256
        if r3 == 0 goto empty
        r3 -= 8
      empty:
        ${flags("r4")}call bpf_ringbuf_output
        ${END}`;
    case "drain":
      return DRAIN;
    default:
      return `${flags("r2")}call bpf_ringbuf_query\n${END}`;
  }
}

/** The programs that the type of map lets exist. */
export function helpersOf({ type, flags: mapFlags }: MapDefinition): readonly HelperCase[] {
  const reads = (mapFlags & 0x100) === 0;
  const writes = (mapFlags & 0x80) === 0;
  const only = (...names: readonly HelperCase[]): readonly HelperCase[] =>
    names.filter((name) => {
      const isRead = ["lookup", "lookup_percpu", "peek"].includes(name);
      const isWrite = ["update", "delete", "push"].includes(name);
      return isRead ? reads : isWrite ? writes : reads && writes;
    });
  switch (type) {
    case "array":
      return only("lookup", "update", "for_each");
    case "percpu_array":
      return only("lookup", "lookup_percpu", "update", "for_each");
    case "hash":
    case "lru_hash":
      return only("lookup", "update", "delete", "for_each");
    case "percpu_hash":
    case "lru_percpu_hash":
      return only("lookup", "lookup_percpu", "update", "delete", "for_each");
    case "lpm_trie":
      return only("lookup", "update", "delete");
    case "queue":
    case "stack":
      return only("push", "pop", "peek");
    case "bloom_filter":
      return only("push", "peek");
    case "devmap":
    case "devmap_hash":
      return only("lookup");
    case "ringbuf":
      return ["output", "query"];
    case "user_ringbuf":
      return ["drain"];
    default:
      return [];
  }
}

export function programFor(helper: HelperCase, map: MapDefinition): Program {
  const maps = [COMMAND, OUT, map];
  const insns = assemble(PROLOGUE + body(helper, map), { maps });
  const end = insns.findIndex((insn) => insn?.row.name === "exit");
  // The kernel calls functions back whose types it knows.
  const functions: readonly FunctionInfo[] = [
    { insn: 0, name: "main", typeId: MAIN },
    { insn: end + 1, name: "each", typeId: CALLED_BACK },
  ];
  return {
    name: helper,
    // A device map that a classifier has referred to takes no program of XDP.
    type: map.type.startsWith("devmap") ? "xdp" : "sched_cls",
    license: "GPL",
    flags: [],
    insns,
    maps,
    lines: [],
    functions: helper === "for_each" || helper === "drain" ? functions : [],
    btf: TYPES,
  };
}
