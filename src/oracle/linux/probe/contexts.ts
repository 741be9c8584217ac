/** Which accesses to its context a program may make, and what they give: a program of one access for each offset, size and direction. */

import type { Btf } from "../../../object/btf.ts";
import type { Size } from "../../../semantics/isa/instruction.ts";
import type {
  Context,
  ContextField,
  ContextValue,
  ProgramFacts,
  TypeFlag,
} from "../../../semantics/profile/profile.ts";
import type { ProgramType } from "../../../semantics/program/program-types.ts";
import type { Kernel } from "../calls.ts";
import { parseKernelLog } from "../log.ts";
import { type Ask, all } from "./ask.ts";
import { type Accesses, fieldsOf, type Given, type Member, SIZES } from "./fields.ts";
import { addImm, copy, insn, type Kind, load, loads, setImm } from "./program.ts";

const LOAD: Readonly<Record<Size, number>> = { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 };
const STORE: Readonly<Record<Size, number>> = { 1: 0x73, 2: 0x6b, 4: 0x63, 8: 0x7b };

/** Every aligned place below this is tried, in bytes, if nobody tells how long the context is; else those of the context and some behind it. */
const DENSE = 512;
const BEHIND = 16;
/** Contexts end below this: the offset of an access has 16 bits. */
const LONGEST = 1 << 15;
/** Places that are not aligned to an access: contexts permit accesses at all of them or at none. */
const MISALIGNED = [1, 2, 3, 5, 6, 13];

/** @throws Error if the kernel permits what the form of a `Context` cannot say */
export function* probeContext(kernel: Kernel, btf: Btf | undefined, kind: Kind): Ask<Context> {
  const { struct, members } = structureOf(btf, kind.type);
  const told = Math.max(0, ...members.map(({ offset, size }) => offset + size));
  return fieldsOf(yield* probeAccesses(kernel, kind, told === 0 ? DENSE : told + BEHIND), struct, members);
}

function* probeAccesses(kernel: Kernel, kind: Kind, tried: number): Ask<Accesses> {
  const reads = new Map<string, Given>();
  const writes = new Set<string>();
  const key = (offset: number, size: Size): string => `${size} at ${offset}`;
  const end = yield* endOf(kernel, kind, tried);
  const probe = function* (at: number, size: Size): Ask<void> {
    const given = yield* readAt(kernel, kind, at, size);
    if (given !== undefined) reads.set(key(at, size), given);
    if (yield* loads(kernel, kind, storeAt(at, size))) writes.add(key(at, size));
  };
  const misaligned = (at: number, size: Size): Ask<boolean> =>
    loads(kernel, kind, [insn(LOAD[size], 2, 1, at)]);
  // A context that goes on beyond is an array of one kind, as its last dense bytes are; its end is looked at closely.
  const dense = Math.min(end, tried);
  const last = end > tried ? end - 8 : end;
  const asks: Ask<void>[] = [];
  for (const size of SIZES) {
    for (let at = 0; at < dense; at += size) asks.push(probe(at, size));
    for (let at = last; at < end; at += size) asks.push(probe(at, size));
  }
  yield* all(asks);
  const places = SIZES.flatMap((size) =>
    MISALIGNED.filter((at) => at % size !== 0).map((at) => ({ at, size })),
  );
  const permitted = yield* all(places.map(({ at, size }) => misaligned(at, size)));
  const anyAlignment = permitted.includes(true);
  if (anyAlignment && permitted.includes(false)) {
    throw new Error(`${kind.type}: some accesses that are not aligned are accepted, and some are not`);
  }
  const like = (at: number): number => (at < tried ? at : at < last ? tried - 8 + (at % 8) : at);
  return {
    end: end + 8,
    anyAlignment,
    read: (at, size) => (at >= end ? undefined : reads.get(key(like(at), size))),
    write: (at, size) => at < end && writes.has(key(like(at), size)),
  };
}

/** Arguments that a kernel function may have in its context, of 8 bytes each. */
export const MOST_ARGUMENTS = 12;

/** What the arguments are with which a program is called that attaches to something in the kernel's BTF. */
export function* probeArguments(kernel: Kernel, kind: Kind): Ask<Context> {
  const found = yield* all(Array.from({ length: MOST_ARGUMENTS }, (_, i) => readAt(kernel, kind, 8 * i, 8)));
  const fields = found.flatMap((given, i): ContextField[] =>
    given === undefined
      ? []
      : [{ name: `argument ${i}`, offset: 8 * i, size: 8, ...given, reads: [8], writes: [] }],
  );
  return { struct: "arguments", size: 8 * MOST_ARGUMENTS, fields };
}

/** Bytes from the start within which anything may be read: the dense part, or where a longer context ends. */
function* endOf(kernel: Kernel, kind: Kind, tried: number): Ask<number> {
  const isOpen = (at: number): Ask<boolean> => loads(kernel, kind, [insn(LOAD[8], 2, 1, at)]);
  if (!(yield* isOpen(tried - 8)) || !(yield* isOpen(tried))) return tried;
  let [last, beyond] = [tried, LONGEST];
  while (beyond - last > 8) {
    const middle = ((last + beyond) >>> 4) << 3;
    if (yield* isOpen(middle)) last = middle;
    else beyond = middle;
  }
  return last + 8;
}

const storeAt = (at: number, size: Size): Uint8Array[] => [setImm(2, 0), insn(STORE[size], 1, 2, at)];

export function* readAt(kernel: Kernel, kind: Kind, at: number, size: Size): Ask<Given | undefined> {
  const { accepted, log } = yield* load(kernel, kind, [insn(LOAD[size], 2, 1, at)], { logLevel: 2 });
  if (!accepted) return undefined;
  const [step, next] = parseKernelLog(log).steps;
  // Where the kernel remarks on the load, the state stands on a line of its own.
  const [, word = "scalar", more = ""] =
    /R2(?:_[rw]+)?=([A-Za-z_]\w*)(?:\(([^)]*)\))?/.exec(step?.after ?? next?.before ?? "") ?? [];
  return { ...givenBy(word), ...(more.includes("ref_obj_id=") ? { held: true as const } : {}) };
}

const VALUES: Readonly<Record<string, ContextValue>> = {
  scalar: "scalar",
  pkt: "packet",
  pkt_end: "packet_end",
  pkt_meta: "packet_meta",
  flow_keys: "flow_keys",
  sock: "socket",
  sock_common: "sock_common",
  tcp_sock: "tcp_sock",
  xdp_sock: "xdp_sock",
  tp_buffer: "tp_buffer",
  buf: "buffer",
  mem: "mem",
};

const PREFIXES: readonly (readonly [string, TypeFlag])[] = [
  ["rdonly_", "mem_rdonly"],
  ["untrusted_", "ptr_untrusted"],
  ["trusted_", "ptr_trusted"],
  ["rcu_", "mem_rcu"],
  ["percpu_", "mem_percpu"],
  ["user_", "mem_user"],
];

const NULLABLE = "or_null_";
const POINTER = "ptr_";

/** What the kernel's word for a register's type means: `trusted_ptr_or_null_sock`. @throws Error for a word that is not known */
export function givenBy(word: string): Given {
  const flags: TypeFlag[] = [];
  let rest = word;
  for (let prefix = prefixOf(rest); prefix !== undefined; prefix = prefixOf(rest)) {
    flags.push(prefix[1]);
    rest = rest.slice(prefix[0].length);
  }
  if (rest.startsWith(POINTER)) {
    let type = rest.slice(POINTER.length);
    if (type.startsWith(NULLABLE)) {
      flags.push("ptr_maybe_null");
      type = type.slice(NULLABLE.length);
    }
    return { value: "btf_id", ...(flags.length > 0 ? { flags } : {}), type };
  }
  if (rest.endsWith("_or_null")) {
    flags.push("ptr_maybe_null");
    rest = rest.slice(0, -"_or_null".length);
  }
  const value = VALUES[rest];
  if (value === undefined) throw new Error(`a context gives ${word}, which is not known`);
  return { value, ...(flags.length > 0 ? { flags } : {}) };
}

const prefixOf = (word: string): readonly [string, TypeFlag] | undefined =>
  PREFIXES.find(([prefix]) => word.startsWith(prefix));

// --- The structure in C

/** The kernel's BTF names the structure of each program type in a structure of its own. */
const CONVERSION = "bpf_ctx_convert";

/** Contexts of types that the kernel's BTF does not tell. */
const UNTOLD: Partial<Readonly<Record<ProgramType, string>>> = {
  tracepoint: "trace_entry",
  syscall: "syscall",
};

function structureOf(
  btf: Btf | undefined,
  type: ProgramType,
): { struct: string; members: readonly Member[] } {
  const untold = { struct: UNTOLD[type] ?? type, members: [] };
  const conversion = btf?.findKind(CONVERSION, "struct");
  if (btf === undefined || conversion === undefined || type in UNTOLD) return untold;
  const all = btf.type(conversion);
  const wanted = `BPF_PROG_TYPE_${type.toUpperCase()}_prog`;
  const member = all.kind === "struct" ? all.members.find(({ name }) => name === wanted) : undefined;
  if (member === undefined) return untold;
  const { type: found } = btf.resolve(member.type);
  return found.kind === "struct" ? { struct: found.name, members: membersOf(btf, member.type) } : untold;
}

/** The members of the structure with the id; those of unnamed ones as one, under the first name inside. */
export function membersOf(btf: Btf, id: number): readonly Member[] {
  const { type: found } = btf.resolve(id);
  if (found.kind !== "struct") return [];
  const members = found.members.map((m): Member => {
    const size = m.bitSize > 0 ? Math.ceil(m.bitSize / 8) : btf.size(m.type);
    return {
      name: m.name === "" ? innerName(btf, m.type) : m.name,
      offset: Math.floor(m.bitOffset / 8),
      size,
    };
  });
  return members.filter(({ size }) => size > 0);
}

/** The first name inside an unnamed union. */
function innerName(btf: Btf, id: number): string {
  const { type } = btf.resolve(id);
  if (type.kind !== "struct" && type.kind !== "union") return "";
  const [first] = type.members;
  return first === undefined ? "" : first.name === "" ? innerName(btf, first.type) : first.name;
}

// --- Packets

/** What may be done through the packet pointers that the context gives: one byte is read, or written, after it was compared with the end. */
export function* probePacket(kernel: Kernel, kind: Kind, { fields }: Context): Ask<ProgramFacts["packet"]> {
  const start = fields.find(({ value }) => value === "packet");
  const end = fields.find(({ value }) => value === "packet_end");
  const [size] = start?.reads ?? [];
  if (start === undefined || end === undefined || size === undefined) return "none";
  const access = (last: Uint8Array): Ask<boolean> =>
    loads(kernel, kind, [
      insn(LOAD[size], 2, 1, start.offset),
      insn(LOAD[size], 3, 1, end.offset),
      copy(4, 2),
      addImm(4, 1),
      insn(0x2d, 4, 3, 1),
      last,
    ]);
  if (yield* access(insn(0x72, 2, 0, 0, 0))) return "write";
  return (yield* access(insn(0x71, 5, 2, 0))) ? "read" : "none";
}

/** Whether a constant may be stored to a field of the context that takes 4 bytes from a register; no if there is no such field. */
export function* probeStoresImmediate(
  kernel: Kernel,
  kind: Kind,
  context: Context | undefined,
): Ask<boolean> {
  const field = context?.fields.find(({ writes }) => writes.includes(4));
  return field !== undefined && (yield* loads(kernel, kind, [insn(0x62, 1, 0, field.offset, 0)]));
}
