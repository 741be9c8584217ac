/**
 * Helpers' prototypes, as the kernel has them: the objects of its `struct bpf_func_proto`, found in its read-only data by the functions they
 * point to. Where the fields are, and what the numbers in them are called, its BTF says.
 */
import type { Btf } from "../../../object/btf.ts";
import type { BtfOf } from "../../../object/btf-types.ts";
import {
  ARGUMENT_KINDS,
  type Argument,
  type ArgumentKind,
  type Prototype,
  RETURN_KINDS,
  type Return,
  type ReturnKind,
  TYPE_FLAGS,
  type TypeFlag,
} from "../../../semantics/profile/profile.ts";
import type { KernelMemory, KernelSymbols } from "./memory.ts";

/** Types have their kind in the low bits and flags above. */
const KIND_BITS = 8;
const KIND_MASK = (1 << KIND_BITS) - 1;
const ARGUMENTS = 5;
/** What stands in place of a function or type that the verifier treats itself: no pointer at all, or a poisoned one. */
const POISON = 0xdead_0000_0000_eb9fn;
/** The kernel's function of tail calls: there is none. */
const TAIL_CALL = "tail_call";

/** What the kernel calls the functions of helpers; others are in tables of other sorts, which may look alike. */
const HELPER_FUNCTION = /^(bpf_|get_func_|sk_reuseport_|sk_select_reuseport$|tail_call$)/;

/** Names of older and newer kernels, and what stands for them. */
const RENAMED: Readonly<Record<string, string>> = {
  mem_size: "const_size",
  mem_size_or_zero: "const_size_or_zero",
  alloc_mem: "ringbuf_mem",
  kptr: "kptr_xchg_dest",
};

/** Numbers in the enumerations of one kernel, by what they stand for. */
interface Vocabulary {
  readonly args: ReadonlyMap<number, ArgumentKind | "dontcare" | "int" | "long">;
  readonly returns: ReadonlyMap<number, ReturnKind>;
  readonly flags: ReadonlyMap<number, TypeFlag>;
}

/** @throws Error for a name that is new */
function vocabularyOf(btf: Btf): Vocabulary {
  const argKinds: readonly string[] = ARGUMENT_KINDS;
  const isArg = (name: string): name is ArgumentKind => argKinds.includes(name);
  const returnKinds: readonly string[] = RETURN_KINDS;
  const isReturn = (name: string): name is ReturnKind => returnKinds.includes(name);
  const knownFlags: readonly string[] = TYPE_FLAGS;
  const isFlag = (name: string): name is TypeFlag => knownFlags.includes(name);
  const args = new Map<number, ArgumentKind | "dontcare" | "int" | "long">();
  for (const [name, value] of baseNames(btf, "bpf_arg_type", "ARG_")) {
    if (isArg(name) || name === "dontcare" || name === "int" || name === "long") args.set(value, name);
    else throw new Error(`the kernel has an argument type that is not known: ${name}`);
  }
  const returns = new Map<number, ReturnKind>();
  for (const [name, value] of baseNames(btf, "bpf_return_type", "RET_")) {
    if (isReturn(name)) returns.set(value, name);
    // Memory that a helper allocates is memory to whom it is returned.
    else if (name === "ringbuf_mem") returns.set(value, "mem");
    else throw new Error(`the kernel has a return type that is not known: ${name}`);
  }
  const names = enumeration(btf, "bpf_type_flag").filter(([name]) => !name.startsWith("__"));
  // Before 6.2, what is allocated in a ring buffer had the name that other allocations have now.
  const ringbuf = names.some(([name]) => name === "MEM_RINGBUF");
  const flags = new Map<number, TypeFlag>();
  for (const [name, value] of names) {
    const lower = !ringbuf && name === "MEM_ALLOC" ? "mem_ringbuf" : name.toLowerCase();
    if (!isFlag(lower)) throw new Error(`the kernel has a type flag that is not known: ${name}`);
    flags.set(value, lower);
  }
  return { args, returns, flags };
}

function enumeration(btf: Btf, name: string): (readonly [string, number])[] {
  const id = btf.findKind(name, "enum");
  const type = id === undefined ? undefined : btf.type(id);
  if (type?.kind !== "enum") throw new Error(`the kernel's BTF has no enum ${name}`);
  return type.values.map((one) => [one.name, Number(one.value)] as const);
}

/** Enumerators without flags, in lower case and without their prefix. */
function baseNames(btf: Btf, name: string, prefix: string): (readonly [string, number])[] {
  return enumeration(btf, name)
    .filter(([full, value]) => full.startsWith(prefix) && value <= KIND_MASK)
    .map(([full, value]) => {
      const short = full
        .slice(prefix.length)
        .replace(/^PTR_TO_/, "")
        .toLowerCase();
      return [RENAMED[short] ?? short, value] as const;
    });
}

// --- Layout

interface Layout {
  readonly size: number;
  readonly flags: readonly (readonly [
    keyof Prototype & ("gplOnly" | "packetMemory" | "sleeps" | "fastcall"),
    number,
  ])[];
  readonly returns: number;
  readonly args: number;
  /** Pointers to BTF ids, or sizes. */
  readonly details: number;
  readonly returnId: number;
}

function layoutOf(btf: Btf): Layout {
  const id = btf.findKind("bpf_func_proto", "struct");
  const type = id === undefined ? undefined : btf.type(id);
  if (type?.kind !== "struct") throw new Error("the kernel's BTF has no struct bpf_func_proto");
  const at = (name: string): number | undefined => memberAt(btf, type, name);
  const must = (name: string): number => {
    const offset = at(name);
    if (offset === undefined) throw new Error(`struct bpf_func_proto has no ${name}`);
    return offset;
  };
  const flags = (
    [
      ["gplOnly", "gpl_only"],
      ["packetMemory", "pkt_access"],
      ["sleeps", "might_sleep"],
      ["fastcall", "allow_fastcall"],
    ] as const
  ).flatMap(([name, member]) => {
    const offset = at(member);
    return offset === undefined ? [] : [[name, offset] as const];
  });
  return {
    size: type.size,
    flags,
    returns: must("ret_type"),
    args: must("arg1_type"),
    details: must("arg1_btf_id"),
    returnId: must("ret_btf_id"),
  };
}

/** The byte offset of a member, also inside unnamed ones. */
function memberAt(btf: Btf, type: BtfOf<"struct" | "union">, name: string): number | undefined {
  for (const member of type.members) {
    const offset = member.bitOffset / 8;
    if (member.name === name) return offset;
    const { type: inner } = btf.resolve(member.type);
    if (member.name !== "" || (inner.kind !== "struct" && inner.kind !== "union")) continue;
    const found = memberAt(btf, inner, name);
    if (found !== undefined) return offset + found;
  }
  return undefined;
}

// --- Objects

/** All prototypes by the name of the kernel's function; a function may have several. */
export type Prototypes = ReadonlyMap<string, readonly Prototype[]>;

/** Looks through the kernel's read-only data. @throws Error if what the kernel says of its own data cannot be right */
export function readPrototypes(
  memory: KernelMemory,
  { address, functions }: KernelSymbols,
  btf: Btf,
): Prototypes {
  const start = address.get("__start_rodata");
  const end = address.get("__end_rodata") ?? address.get("__start_BTF");
  if (start === undefined || end === undefined)
    throw new Error("the kernel does not tell where its read-only data is");
  const bytes = memory.read(start, Number(end - start));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const layout = layoutOf(btf);
  const vocabulary = vocabularyOf(btf);
  const idAt = (pointer: bigint): number => {
    const found = memory.read(pointer, 4);
    return new DataView(found.buffer, found.byteOffset, 4).getUint32(0, true);
  };
  const found = new Map<string, Prototype[]>();
  for (let at = 0; at + layout.size <= bytes.length; at += 8) {
    const pointer = view.getBigUint64(at, true);
    const name = pointer === 0n || pointer === POISON ? TAIL_CALL : functions.get(pointer);
    if (name === undefined || !HELPER_FUNCTION.test(name)) continue;
    const reader: Reader = { view, at, layout, vocabulary, btf, idAt };
    const prototype = prototypeAt(reader, name);
    if (prototype === undefined || (name === TAIL_CALL && !isTailCall(prototype))) continue;
    const known = found.get(name);
    if (known === undefined) found.set(name, [prototype]);
    else if (!known.some((other) => JSON.stringify(other) === JSON.stringify(prototype)))
      known.push(prototype);
  }
  return found;
}

const isTailCall = ({ args, returns }: Prototype): boolean =>
  returns.kind === "void" && args.map(({ kind }) => kind).join() === "ctx,const_map_ptr,anything";

interface Reader {
  readonly view: DataView;
  readonly at: number;
  readonly layout: Layout;
  readonly vocabulary: Vocabulary;
  readonly btf: Btf;
  readonly idAt: (pointer: bigint) => number;
}

/** The prototype at the place, if it can be one. */
function prototypeAt(reader: Reader, func: string): Prototype | undefined {
  const { view, at, layout } = reader;
  const flags: { gplOnly?: true; packetMemory?: true; sleeps?: true; fastcall?: true } = {};
  for (const [name, offset] of layout.flags) {
    const value = view.getUint8(at + offset);
    if (value > 1) return undefined;
    if (value === 1) flags[name] = true;
  }
  const returns = returnAt(reader);
  const args = argumentsAt(reader);
  return returns === undefined || args === undefined ? undefined : { func, args, returns, ...flags };
}

function returnAt({ view, at, layout, vocabulary, btf, idAt }: Reader): Return | undefined {
  const word = view.getUint32(at + layout.returns, true);
  const kind = vocabulary.returns.get(word & KIND_MASK);
  const flags = flagsOf(word, vocabulary);
  if (kind === undefined || flags === undefined) return undefined;
  const pointer = view.getBigUint64(at + layout.returnId, true);
  const type = kind === "btf_id" && pointer > POISON ? structAt(btf, idAt(pointer)) : "";
  if (type === undefined) return undefined;
  return {
    kind,
    ...(flags.length > 0 ? { flags } : {}),
    ...(type === "" ? {} : { type }),
  };
}

function argumentsAt({ view, at, layout, vocabulary, btf, idAt }: Reader): Argument[] | undefined {
  const args: Argument[] = [];
  let ended = false;
  for (let index = 0; index < ARGUMENTS; index += 1) {
    const word = view.getUint32(at + layout.args + index * 4, true);
    const kind = vocabulary.args.get(word & KIND_MASK);
    const flags = flagsOf(word, vocabulary);
    if (kind === undefined || flags === undefined) return undefined;
    if (kind === "dontcare") {
      ended = true;
      continue;
    }
    if (ended) return undefined;
    const detail = view.getBigUint64(at + layout.details + index * 8, true);
    const named = (kind === "btf_id" || kind === "kptr_xchg_dest") && detail > POISON;
    const type = named ? structAt(btf, idAt(detail)) : "";
    if (type === undefined) return undefined;
    args.push(argument(kind, writable(kind, flags), detail, type));
  }
  return args;
}

function argument(
  kind: ArgumentKind | "int" | "long",
  flags: readonly TypeFlag[],
  detail: bigint,
  type: string,
): Argument {
  // Before 6.11, results of 4 and 8 bytes had kinds of their own.
  if (kind === "int" || kind === "long") {
    return {
      kind: "mem",
      flags: ["mem_uninit", "mem_fixed_size", "mem_aligned", "mem_write"],
      size: kind === "int" ? 4 : 8,
    };
  }
  const sized = flags.includes("mem_fixed_size");
  return {
    kind,
    ...(flags.length > 0 ? { flags } : {}),
    ...(sized ? { size: Number(detail) } : {}),
    ...(type === "" ? {} : { type }),
  };
}

/**
 * Older kernels do not say of all memory that a helper writes that it does, only which it does not write: there it may write the rest, as their
 * verifier has it when it forgets what the stack holds.
 */
function writable(kind: ArgumentKind | "int" | "long", flags: readonly TypeFlag[]): readonly TypeFlag[] {
  const told = flags.includes("mem_rdonly") || flags.includes("mem_write");
  return kind !== "mem" || told ? flags : [...flags, "mem_write"];
}

/** The name of the structure with the id; `undefined` if there is none, so that what was read is no prototype. */
function structAt(btf: Btf, id: number): string | undefined {
  return id < btf.count && btf.kind(id) === "struct" ? btf.name(id) : undefined;
}

function flagsOf(word: number, { flags }: Vocabulary): TypeFlag[] | undefined {
  const found: TypeFlag[] = [];
  for (let bit = KIND_BITS; bit < 32; bit += 1) {
    if (((word >>> bit) & 1) === 0) continue;
    const flag = flags.get(2 ** bit);
    if (flag === undefined) return undefined;
    found.push(flag);
  }
  return found;
}
