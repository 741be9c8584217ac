/** How the assembler reads each placeholder of a row's syntax. */
import { HELPER_NAMES } from "../helpers/names.ts";
import type { Instruction } from "./instruction.ts";
import type { Operand } from "./syntax.ts";

type Field = keyof Omit<Instruction, "row">;
type Values = Partial<Record<Field, number>>;

/** What a reader made of the tokens: the fields it found, or the label that will give one, and how many tokens it took. */
export interface Reading {
  readonly taken: number;
  readonly values: Values;
  readonly label?: { readonly name: string; readonly field: "off" | "imm" };
}

interface Surroundings {
  readonly maps: readonly { readonly name: string }[];
  /** Names of kernel functions; a call of one has its position in `imm`. */
  readonly kfuncs: readonly string[];
  /** Names of the kernel's variables and functions; a load of one has its position in `imm`. */
  readonly ksyms: readonly string[];
  /** The line gives the opcode, so that a constant need not say how wide it is. */
  readonly opcodeGiven: boolean;
}

/** Reads from the first of the tokens' texts; a string says what was expected instead. */
type Reader = (tokens: readonly string[], surroundings: Surroundings) => Reading | string;

interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

const signedRange = (bits: bigint): Range => ({ min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n });
const unsignedRange = (bits: bigint): Range => ({ min: 0n, max: (1n << bits) - 1n });
const INT16 = signedRange(16n);
const INT32 = signedRange(32n);
const UINT16 = unsignedRange(16n);
const UINT32 = unsignedRange(32n);
const ANY64: Range = { min: signedRange(64n).min, max: unsignedRange(64n).max };

const isNumber = (text: string | undefined): text is string => text !== undefined && /^\d/.test(text);
const isWord = (text: string | undefined): text is string => text !== undefined && /^[A-Za-z_.$]/.test(text);
const within = (value: bigint, { min, max }: Range): boolean => value >= min && value <= max;

/** A number with an optional sign among `signs`. */
function number(tokens: readonly string[], signs: string): { value: bigint; taken: number } | undefined {
  const [first, second] = tokens;
  if (isNumber(first)) return { value: BigInt(first), taken: 1 };
  if (first === undefined || !signs.includes(first) || !isNumber(second)) return undefined;
  return { value: first === "-" ? -BigInt(second) : BigInt(second), taken: 2 };
}

/** The two's complement of a number that may have been written unsigned. */
const low32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

function immediate(field: "imm" | "immHigh", range: Range, what: string): Reader {
  return (tokens) => {
    const found = number(tokens, "-");
    if (found === undefined) return what;
    if (!within(found.value, range)) return `${what} in ${range.min}..${range.max}`;
    return { taken: found.taken, values: { [field]: low32(found.value) } };
  };
}

const signedImmediate = immediate("imm", INT32, "a number");

/** As the kernel prints some immediates: hexadecimal digits stand for the 32 bits, whatever the sign. */
const bits: Reader = (tokens, surroundings) =>
  /^0x/i.test(tokens[0] ?? "")
    ? immediate("imm", UINT32, "a number")(tokens, surroundings)
    : signedImmediate(tokens, surroundings);

function register(field: "dst" | "src", prefix: "r" | "w"): Reader {
  return ([first]) => {
    const found = /^([rw])(\d|10)$/.exec(first ?? "");
    if (found === null || found[1] !== prefix)
      return prefix === "r" ? "a 64-bit register" : "a 32-bit register";
    return { taken: 1, values: { [field]: Number(found[2]) } };
  };
}

function jumpTarget(field: "off" | "imm", range: Range): Reader {
  return (tokens, { kfuncs }) => {
    const skipped = tokens[0] === "pc" ? 1 : 0;
    const found = isNumber(tokens[skipped]) ? undefined : number(tokens.slice(skipped), "+-");
    if (found !== undefined) {
      if (!within(found.value, range)) return `a distance in ${range.min}..${range.max}`;
      return { taken: skipped + found.taken, values: { [field]: Number(found.value) } };
    }
    const [name, next] = tokens;
    if (!isWord(name) || skipped === 1 || next === "#") return "a label or pc+N";
    if (kfuncs.includes(name)) return "a kernel function";
    return { taken: 1, values: {}, label: { name, field } };
  };
}

/** `+8`, or nothing at all for 0. */
function distance(field: "off" | "immHigh", range: Range): Reader {
  return (tokens) => {
    const found = isNumber(tokens[0]) ? undefined : number(tokens, "+-");
    if (found === undefined) return { taken: 0, values: { [field]: 0 } };
    if (!within(found.value, range)) return `a distance in ${range.min}..${range.max}`;
    return { taken: found.taken, values: { [field]: low32(found.value) } };
  };
}

function helperId(name: string): number | undefined {
  const id = name.startsWith("bpf_") ? HELPER_NAMES.indexOf(name.slice("bpf_".length)) : -1;
  return id > 0 ? id : undefined;
}

const helper: Reader = (tokens, surroundings) => {
  const [name, hash, ...rest] = tokens;
  if (!isWord(name)) return signedImmediate(tokens, surroundings);
  const id = helperId(name);
  if (hash !== "#") return id === undefined ? "a helper" : { taken: 1, values: { imm: id } };
  if (id === undefined && name !== "unknown") return "a helper";
  const given = signedImmediate(rest, surroundings);
  if (typeof given === "string") return given;
  if (id !== undefined && given.values.imm !== id) return `${name}#${id}`;
  return { ...given, taken: 2 + given.taken };
};

const kfunc: Reader = (tokens, surroundings) => {
  const [name, hash, ...rest] = tokens;
  const index = surroundings.kfuncs.findIndex((known) => known === name);
  if (index >= 0 && hash !== "#") return { taken: 1, values: { imm: index } };
  if (!isWord(name) || hash !== "#" || helperId(name) !== undefined) return "a kernel function as name#id";
  const id = signedImmediate(rest, surroundings);
  if (typeof id === "string") return id;
  const module = rest.slice(id.taken);
  if (module[0] !== "@") return { ...id, taken: 2 + id.taken };
  const off = number(module.slice(1), "-");
  if (off === undefined || !within(off.value, INT16)) return "a module's index";
  return { taken: 3 + id.taken + off.taken, values: { ...id.values, off: Number(off.value) } };
};

const map: Reader = (tokens, surroundings) => {
  const [name] = tokens;
  if (!isWord(name)) return signedImmediate(tokens, surroundings);
  const index = surroundings.maps.findIndex((m) => m.name === name);
  return index < 0 ? "a map's position or name" : { taken: 1, values: { imm: index } };
};

const ksym: Reader = (tokens, surroundings) => {
  const [name] = tokens;
  if (!isWord(name)) return signedImmediate(tokens, surroundings);
  const index = surroundings.ksyms.indexOf(name);
  return index < 0 ? "a BTF id or the name of a kernel symbol" : { taken: 1, values: { imm: index } };
};

/** A constant of 64 bits says so: by `ll`, by its size, or by the opcode before it. */
const imm64: Reader = (tokens, { opcodeGiven }) => {
  const found = number(tokens, "-");
  if (found === undefined) return "a number";
  const { value, taken } = found;
  const marked = tokens[taken] === "ll";
  if (!within(value, ANY64)) return "a number of 64 bits";
  if (!marked && !opcodeGiven && within(value, INT32)) return "ll after the number";
  return {
    taken: marked ? taken + 1 : taken,
    values: { imm: low32(value), immHigh: low32(value >> 32n) },
  };
};

/** The address space cast to, a comma, the one cast from. */
const spaces: Reader = ([to, comma, from]) => {
  if (!isNumber(to) || comma !== "," || !isNumber(from)) return "two address spaces";
  if (!within(BigInt(to), UINT16) || !within(BigInt(from), UINT16)) return "address spaces in 0..65535";
  return { taken: 3, values: { imm: (Number(to) << 16) | Number(from) } };
};

export const READERS: Record<Operand, Reader> = {
  dst: register("dst", "r"),
  src: register("src", "r"),
  wdst: register("dst", "w"),
  wsrc: register("src", "w"),
  imm: signedImmediate,
  bits,
  hex: bits,
  imm64,
  second: immediate("immHigh", INT32, "a number"),
  high: distance("immHigh", UINT32),
  offset: distance("off", INT16),
  target: jumpTarget("off", INT16),
  wide: jumpTarget("imm", INT32),
  helper,
  kfunc,
  ksym,
  map,
  spaces,
};
