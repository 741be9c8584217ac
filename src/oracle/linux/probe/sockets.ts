/**
 * Which fields of sockets programs may read: a program of one access for each offset and size, through a pointer that was compared with
 * null. Sockets are no context, but what is said of them is the same.
 */
import type { Btf } from "../../../object/btf.ts";
import type { Size } from "../../../semantics/isa/instruction.ts";
import type { Context } from "../../../semantics/profile/profile.ts";
import type { MapType } from "../../../semantics/program/map-types.ts";
import type { Kernel } from "../calls.ts";
import type { KernelMap } from "../maps.ts";
import { type Ask, all } from "./ask.ts";
import { membersOf } from "./contexts.ts";
import { fieldsOf, type Member, SIZES } from "./fields.ts";
import { type Materials, withMap } from "./maps.ts";
import { addImm, callHelper, copy, EXIT, insn, type Kind, loadMap, loads, setImm } from "./program.ts";

const LOAD: Readonly<Record<Size, number>> = { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 };
const HELPER = { mapLookup: 1, skFullsock: 95, tcpSock: 96 } as const;
/** The offset of `sk` in `struct __sk_buff`. */
const SKB_SK = 168;
/** Bytes beyond a structure's end that are tried. */
const BEHIND = 16;

/** How a program comes by a pointer to a structure: in r1. */
interface Way {
  readonly struct: string;
  /** The structure whose members name the fields, where the kernel has no such structure of its own. */
  readonly like?: string;
  readonly type: "sched_cls" | "xdp";
  readonly map?: MapType;
  readonly insns: (kind: Kind) => readonly Uint8Array[];
}

/** Leaves the program if r0 is null; then it is r1. */
const checked = ({ retval }: Kind): Uint8Array[] => [
  insn(0x55, 0, 0, 2, 0),
  setImm(0, retval),
  EXIT,
  copy(1, 0),
];
const ofContext = (kind: Kind): Uint8Array[] => [insn(0x79, 0, 1, SKB_SK), ...checked(kind)];

const WAYS: readonly Way[] = [
  { struct: "bpf_sock_common", like: "bpf_sock", type: "sched_cls", insns: ofContext },
  {
    struct: "bpf_sock",
    type: "sched_cls",
    insns: (kind) => [...ofContext(kind), callHelper(HELPER.skFullsock), ...checked(kind)],
  },
  {
    struct: "bpf_tcp_sock",
    type: "sched_cls",
    insns: (kind) => [...ofContext(kind), callHelper(HELPER.tcpSock), ...checked(kind)],
  },
  {
    struct: "bpf_xdp_sock",
    type: "xdp",
    map: "xskmap",
    insns: (kind) => [
      insn(0x62, 10, 0, -4, 0),
      copy(2, 10),
      addImm(2, -4),
      ...loadMap(1, 0),
      callHelper(HELPER.mapLookup),
      ...checked(kind),
    ],
  },
];

/** The structures that can be come by with programs of the kinds, by name. @throws Error if the kernel's BTF does not have one of them */
export function* probeSockets(
  kernel: Kernel,
  btf: Btf,
  kinds: readonly Kind[],
  materials: Materials,
): Ask<Record<string, Context>> {
  const found: Record<string, Context> = {};
  for (const way of WAYS) {
    const kind = kinds.find(({ type, attach }) => type === way.type && attach === undefined);
    if (kind === undefined) continue;
    const context = yield* probeSocket(kernel, btf, kind, way, materials);
    if (context.fields.length > 0) found[way.struct] = context;
  }
  return found;
}

/**
 * Whether a place is in a member of 8 bytes and not at its start. Linux (6.18 and 7.3) takes a load of 4 bytes there for good until it rewrites it, and
 * refuses the program with a warning about itself: nothing may be read there, and it is not asked.
 */
function insideLong(members: readonly Member[], at: number): boolean {
  return members.some(({ offset, size }) => size === 8 && at > offset && at < offset + size);
}

function* probeSocket(kernel: Kernel, btf: Btf, kind: Kind, way: Way, materials: Materials): Ask<Context> {
  const id = btf.findKind(way.like ?? way.struct, "struct");
  if (id === undefined) throw new Error(`the kernel's BTF has no struct ${way.like ?? way.struct}`);
  const members = membersOf(btf, id);
  const end = Math.max(...members.map(({ offset, size }) => offset + size)) + BEHIND;
  const open = new Set<string>();
  yield* withMap(materials, way.map, function* (map): Ask<void> {
    const maps: readonly KernelMap[] = map === undefined ? [] : [map];
    const start = way.insns(kind);
    const places = SIZES.flatMap((size) =>
      Array.from({ length: Math.floor(end / size) }, (_, i) => ({ at: i * size, size })),
    ).filter(({ at }) => !insideLong(members, at));
    yield* all(
      places.map(function* ({ at, size }): Ask<void> {
        if (yield* loads(kernel, kind, [...start, insn(LOAD[size], 2, 1, at)], { maps })) {
          open.add(`${size} at ${at}`);
        }
      }),
    );
  });
  const read = (at: number, size: Size) =>
    open.has(`${size} at ${at}`) ? ({ value: "scalar" } as const) : undefined;
  return fieldsOf({ end, read, write: () => false }, way.struct, members);
}
