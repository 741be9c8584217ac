/**
 * Kernel functions that programs may call: their flags from the sets in the kernel's own data, their prototypes from its BTF, and who may
 * call them by trying. Functions of modules are not among them.
 */
import type { Btf } from "../../../object/btf.ts";
import {
  KFUNC_FLAGS,
  type KfuncFacts,
  type KfuncFlag,
  type KfuncValue,
} from "../../../semantics/profile/profile.ts";
import type { Kernel } from "../calls.ts";
import type { Ask } from "./ask.ts";
import type { KernelMemory, KernelSymbols } from "./memory.ts";
import { insn, type Kind, load } from "./program.ts";

/** The bits of a function's flags (KF_… in linux/btf.h): they are not in BTF, and have kept their places but for bit 3. */
const FLAG_BITS: readonly KfuncFlag[] = KFUNC_FLAGS;

// --- The sets

/** The sets lie behind the kernel's BTF: at most this many bytes of them. */
const MOST = 1 << 16;
/** `struct btf_id_set8`: a count, flags, then pairs of an id and flags. */
const HEADER_WORDS = 2;
const SET_FLAGS = 1;
const MOST_FLAGS = 1 << 24;

/**
 * Finds the sets by their form: ascending ids of functions, each with flags. Other sets of the same form are met as well; that a function is
 * none that programs may call is found out by calling it.
 */
export function readKfuncSets(
  memory: KernelMemory,
  { address }: KernelSymbols,
  btf: Btf,
): ReadonlyMap<number, number> {
  const start = address.get("__stop_BTF");
  if (start === undefined) throw new Error("the kernel does not tell where its BTF ends");
  const first = (start + 3n) & ~3n;
  const bytes = memory.read(first, MOST);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, MOST / 4);
  const found = new Map<number, number>();
  for (let at = 0; at + HEADER_WORDS < words.length; ) {
    const count = words[at] ?? 0;
    const pairs = words.subarray(at + HEADER_WORDS, at + HEADER_WORDS + 2 * count);
    if (!isSet(count, words[at + 1] ?? 0, pairs, btf)) {
      at += 1;
      continue;
    }
    for (let i = 0; i < pairs.length; i += 2) {
      const id = pairs[i] ?? 0;
      found.set(id, (found.get(id) ?? 0) | (pairs[i + 1] ?? 0));
    }
    at += HEADER_WORDS + pairs.length;
  }
  return found;
}

function isSet(count: number, flags: number, pairs: Uint32Array, btf: Btf): boolean {
  if (count === 0 || count > MOST / 8 || pairs.length !== 2 * count || flags > SET_FLAGS) return false;
  let before = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const id = pairs[i] ?? 0;
    if (id <= before || id >= btf.count || btf.kind(id) !== "func" || (pairs[i + 1] ?? 0) >= MOST_FLAGS)
      return false;
    before = id;
  }
  return true;
}

/**
 * The names of a function's flags. Since 7.0 arguments are trusted by default and the flag is gone; it stands here wherever it holds.
 * @param sets  all functions' flags
 * @throws Error for a bit that has no name
 */
export function flagsOf(bits: number, sets: ReadonlyMap<number, number>): KfuncFlag[] {
  const flags: KfuncFlag[] = [];
  for (let bit = 0; 2 ** bit <= bits; bit += 1) {
    if (((bits >>> bit) & 1) === 0) continue;
    const flag = FLAG_BITS[bit];
    if (flag === undefined) throw new Error(`kernel functions have a flag that is not known: bit ${bit}`);
    flags.push(flag);
  }
  const byDefault = [...sets.values()].every((each) => (each & TRUSTED) === 0);
  return byDefault && !flags.includes("rcu") ? [...flags, "trusted_args"] : flags;
}

const TRUSTED = 1 << FLAG_BITS.indexOf("trusted_args");

// --- Prototypes

/** The function's parameters and result; `undefined` if it has other than numbers and pointers. */
export function kfuncPrototype(btf: Btf, id: number): Pick<KfuncFacts, "args" | "returns"> | undefined {
  const func = btf.type(id);
  if (func.kind !== "func") return undefined;
  const proto = btf.type(func.type);
  if (proto.kind !== "func_proto") return undefined;
  return {
    args: proto.params.map(({ name, type }) => ({ name, ...valueOf(btf, type) })),
    returns: valueOf(btf, proto.type),
  };
}

function valueOf(btf: Btf, id: number): KfuncValue {
  const { type } = btf.resolve(id);
  switch (type.kind) {
    case "void":
      return { kind: "void" };
    case "int":
    case "enum":
    case "enum64":
      return { kind: "scalar", size: type.size, ...(type.signed ? { signed: true } : {}) };
    case "ptr":
      return { kind: "pointer", ...pointee(btf, type.type) };
    case "struct":
    case "union":
      return { kind: "struct", size: type.size, to: `${type.kind} ${type.name}` };
    case "array":
    case "fwd":
    case "func":
    case "func_proto":
    case "var":
    case "datasec":
    case "float":
    case "decl_tag":
    case "typedef":
    case "type_tag":
    case "volatile":
    case "const":
    case "restrict":
      throw new Error(`BTF type ${id}: a ${type.kind} is passed to a function`);
  }
}

function pointee(btf: Btf, id: number): Pick<KfuncValue, "size" | "to" | "const" | "plain"> {
  const { type } = btf.resolve(id);
  const constant = isConst(btf, id) ? { const: true as const } : {};
  switch (type.kind) {
    case "void":
      return { to: "void", ...constant };
    case "func_proto":
      return { to: "func" };
    case "ptr":
      return { to: "pointer", size: 8, ...constant };
    case "struct":
    case "union":
      return {
        to: `${type.kind} ${type.name}`,
        size: type.size,
        ...constant,
        ...(isPlain(btf, id, 0) ? { plain: true } : {}),
      };
    case "fwd":
      return { to: `${type.union ? "union" : "struct"} ${type.name}`, ...constant };
    case "int":
    case "enum":
    case "enum64":
      return { to: type.name === "" ? type.kind : type.name, size: type.size, ...constant, plain: true };
    case "array":
    case "func":
    case "var":
    case "datasec":
    case "float":
    case "decl_tag":
    case "typedef":
    case "type_tag":
    case "volatile":
    case "const":
    case "restrict":
      return { to: type.kind, ...constant };
  }
}

function isConst(btf: Btf, id: number): boolean {
  let at = id;
  for (let depth = 0; depth < 32; depth += 1) {
    const type = btf.type(at);
    if (type.kind === "const") return true;
    if (type.kind !== "typedef" && type.kind !== "volatile" && type.kind !== "type_tag") return false;
    at = type.type;
  }
  return false;
}

/** The kernel looks into structures this deep. */
const DEEPEST = 4;

/** Whether values of the type hold nothing but numbers. */
function isPlain(btf: Btf, id: number, depth: number): boolean {
  const { type } = btf.resolve(id);
  switch (type.kind) {
    case "int":
    case "enum":
    case "enum64":
      return true;
    case "array":
      return isPlain(btf, type.type, depth + 1);
    case "struct":
    case "union":
      return (
        depth < DEEPEST &&
        type.members.length > 0 &&
        type.members.every((m) => isPlain(btf, m.type, depth + 1))
      );
    default:
      return false;
  }
}

// --- Callers

const FORBIDDEN =
  /is not allowed|cannot (use|call) .*kernel function|not supported|invalid kernel function|is not a kernel function/i;

/** What Linux 7.3 adds to its reason, in words that other reasons have. */
const EXPLANATION = /^Verification failed: [^]*/m;

/** Whether a program of the kind may call the function, whatever its arguments. */
export function* mayCall(kernel: Kernel, kind: Kind, id: number): Ask<boolean> {
  const { accepted, log } = yield* load(kernel, kind, [insn(0x85, 0, 2, 0, id)]);
  return accepted || (log !== "" && !FORBIDDEN.test(log.replace(EXPLANATION, "")));
}
