/**
 * Structures of callbacks that programs may implement (`struct_ops`): which callbacks programs may stand for, with which arguments, and what they may
 * write. The kernel's BTF has `bpf_struct_ops_NAME` for each structure NAME.
 */
import type { Btf } from "../../../object/btf.ts";
import { kernelTypes } from "../../../object/kernel-types.ts";
import type { Size } from "../../../semantics/isa/instruction.ts";
import type { CallbackKinds, Context, ContextField } from "../../../semantics/profile/profile.ts";
import type { Kernel } from "../calls.ts";
import { type Ask, all } from "./ask.ts";
import { MOST_ARGUMENTS, readAt } from "./contexts.ts";
import { fieldsOf, type Given, type Member, SIZES } from "./fields.ts";
import { EXIT, insn, type Kind, loadable, loads, refusal, setImm } from "./program.ts";

const VALUE = "bpf_struct_ops_";

/** A callback, and the ways to load programs for it. */
export interface Callback {
  readonly struct: string;
  readonly member: string;
  readonly kinds: readonly Kind[];
  /** No program was found, and not because there is none. */
  readonly unknown: boolean;
}

/** What the kernel says of callbacks and structures that no program may stand for. */
const NEVER = /^attach/;

/** All callbacks of the structures of which programs may stand for any. */
export function* probeCallbacks(kernel: Kernel, btf: Btf): Ask<Callback[]> {
  const found = yield* all(
    structuresOf(btf).flatMap(({ id, struct, members }) =>
      members.map(function* ({ name, index }): Ask<Callback> {
        const base = {
          type: "struct_ops",
          target: id,
          callback: { index, name: `${struct}/${name}` },
        } as const;
        const kinds = yield* all([
          loadable(kernel, base),
          loadable(kernel, { ...base, sleepable: true as const }),
        ]);
        const found = kinds.flatMap((kind) => kind ?? []);
        const reason = found.length > 0 ? "" : yield* refusal(kernel, { ...base, retval: 0 }, []);
        return { struct, member: name, kinds: found, unknown: reason !== "" && !NEVER.test(reason) };
      }),
    ),
  );
  const supported = new Set(found.flatMap(({ struct, kinds }) => (kinds.length > 0 ? [struct] : [])));
  return found.filter(({ struct }) => supported.has(struct));
}

interface Structure {
  readonly id: number;
  readonly struct: string;
  readonly members: readonly { readonly name: string; readonly index: number }[];
}

function structuresOf(btf: Btf): Structure[] {
  const found: Structure[] = [];
  for (let value = 1; value < btf.count; value += 1) {
    const type = btf.type(value);
    if (type.kind !== "struct" || !type.name.startsWith(VALUE)) continue;
    const struct = type.name.slice(VALUE.length);
    const id = btf.findKind(struct, "struct");
    const target = id === undefined ? undefined : btf.type(id);
    if (id === undefined || target?.kind !== "struct") continue;
    const members = target.members.flatMap(({ name, type: of }, index) =>
      isFunction(btf, of) ? [{ name, index }] : [],
    );
    found.push({ id, struct, members });
  }
  return found;
}

function isFunction(btf: Btf, id: number): boolean {
  const { type } = btf.resolve(id);
  return type.kind === "ptr" && btf.resolve(type.type).type.kind === "func_proto";
}

/** The arguments of a callback: what each access to them gives. */
export function* probeCallbackContext(kernel: Kernel, kind: Kind): Ask<Context> {
  const members = Array.from({ length: MOST_ARGUMENTS }, (_, i) => ({
    name: `argument ${i}`,
    offset: 8 * i,
    size: 8,
  }));
  const end = 8 * MOST_ARGUMENTS;
  const places = SIZES.flatMap((size) =>
    Array.from({ length: end / size }, (_, i) => ({ size, at: i * size })),
  );
  const given = yield* all(places.map(({ size, at }) => readAt(kernel, kind, at, size)));
  const reads = new Map(
    places.map(({ size, at }, i): [string, Given | undefined] => [`${size} ${at}`, given[i]]),
  );
  return fieldsOf(
    { end, read: (at, size) => reads.get(`${size} ${at}`), write: () => false },
    "arguments",
    members,
  );
}

/** Whether a program of the kind may end without a result. */
export const probeNoResult = (kernel: Kernel, kind: Kind): Ask<boolean> =>
  loads(kernel, kind, [], { end: [EXIT] });

// --- Writes

const STORE: Readonly<Record<Size, number>> = { 1: 0x73, 2: 0x6b, 4: 0x63, 8: 0x7b };
const LOAD_WORD = 0x79;
/** Offsets of accesses have 16 bits. */
const FURTHEST = 1 << 15;

/** An argument that is an object of the kernel. */
interface Way {
  readonly kind: Kind;
  readonly argument: ContextField;
}

/** The fields of the objects among a structure's arguments that its programs may write, by the objects' structure; those without any are left out. */
export function* probeWrites(
  kernel: Kernel,
  btf: Btf,
  learnt: readonly { readonly kind: Kind; readonly own?: Context }[],
): Ask<ReadonlyMap<string, Context>> {
  const ways = new Map<string, Way>();
  for (const { kind, own } of learnt) {
    for (const argument of own?.fields ?? []) {
      const { value, type, reads } = argument;
      if (value === "btf_id" && type !== undefined && reads.includes(8) && !ways.has(type)) {
        ways.set(type, { kind, argument });
      }
    }
  }
  const found = yield* all([...ways].map(([struct, way]) => writesThrough(kernel, btf, struct, way)));
  return new Map(
    [...ways.keys()].flatMap((struct, i) => {
      const context = found[i];
      return context === undefined || context.fields.length === 0 ? [] : [[struct, context]];
    }),
  );
}

function* writesThrough(
  kernel: Kernel,
  btf: Btf,
  struct: string,
  { kind, argument }: Way,
): Ask<Context | undefined> {
  const id = btf.findKind(struct, "struct");
  if (id === undefined) return undefined;
  const end = Math.min(btf.size(id), FURTHEST);
  const store = (at: number, size: Size): Ask<boolean> =>
    loads(kernel, kind, [
      insn(LOAD_WORD, 2, 1, argument.offset),
      // Not null.
      insn(0x55, 2, 0, 2, 0),
      setImm(0, kind.retval),
      EXIT,
      setImm(3, 0),
      insn(STORE[size], 2, 3, at),
    ]);
  const writes = new Set<string>();
  const probe = function* (at: number): Ask<void> {
    // A field that takes nothing of one byte takes nothing.
    if (!(yield* store(at, 1))) return;
    for (const size of SIZES) {
      if (at % size === 0 && (yield* store(at, size))) writes.add(`${size} ${at}`);
    }
  };
  yield* all(Array.from({ length: end }, (_, at) => probe(at)));
  const write = (at: number, size: Size): boolean => writes.has(`${size} ${at}`);
  return fieldsOf({ end, read: () => undefined, write }, struct, innermost(btf, id, end, write));
}

/** The innermost members that may be written: their names tell whether another kernel has the structure laid out so. */
function innermost(btf: Btf, id: number, end: number, write: (at: number, size: Size) => boolean): Member[] {
  const { fieldAt } = kernelTypes(btf);
  const found: { name: string; offset: number; size: number }[] = [];
  for (let at = 0; at < end; at += 1) {
    const field = fieldAt(id, at, 1);
    if (field.kind === "none" || !(write(at, 1) || found.at(-1)?.name === field.name)) continue;
    const last = found.at(-1);
    if (last?.name === field.name && last.offset + last.size === at) last.size += 1;
    else found.push({ name: field.name, offset: at, size: 1 });
  }
  return found;
}

// --- The table

/** The callbacks by structure and name, with the kinds that stand for theirs. @param nameOf the name of a way's kind */
export function callbackTable(
  callbacks: readonly Callback[],
  nameOf: (kind: Kind) => string,
): Readonly<Record<string, Readonly<Record<string, CallbackKinds>>>> {
  const table: Record<string, Record<string, CallbackKinds>> = {};
  for (const { struct, member, kinds, unknown } of callbacks) {
    const plain = kinds.find(({ sleepable }) => sleepable !== true);
    const sleepable = kinds.find((kind) => kind.sleepable === true);
    table[struct] = {
      ...table[struct],
      [member]: {
        ...(plain === undefined ? {} : { plain: nameOf(plain) }),
        ...(sleepable === undefined ? {} : { sleepable: nameOf(sleepable) }),
        ...(unknown ? { unknown: true as const } : {}),
      },
    };
  }
  return table;
}
