/**
 * Calls of helpers for tracing, text, time and memory, made by chance with arguments at their borders: each a program that leaves what it learnt in the map `out`. Run in
 * the machine and in the kernel they must leave the same.
 */
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { USER_AT, USER_BYTES } from "./user-memory.ts";

export interface TracingCall {
  readonly helper: string;
  readonly program: Program;
  readonly environment: Environment;
  /** The kernel may refuse the program: it looks into constant formats itself. */
  readonly mayBeRefused?: true;
}

/** Numbers by chance: the same for the same seed (splitmix32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 … `end` - 1. */
  below(end: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    const a = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad);
    const b = Math.imul(a ^ (a >>> 15), 0x735a2d97);
    return ((b ^ (b >>> 15)) >>> 0) % end;
  }

  pick<T>(among: readonly [T, ...T[]]): T {
    return among[this.below(among.length)] ?? among[0];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** 64 bits at a border of some type, or any. */
  word(): bigint {
    const near = BigInt(this.below(5)) - 2n;
    const borders = [0n, 1n << 7n, 1n << 8n, 1n << 15n, 1n << 31n, 1n << 32n, 1n << 63n, 10n ** 9n] as const;
    if (this.below(4) > 0)
      return BigInt.asUintN(64, this.pick(borders) * (this.below(3) === 0 ? -1n : 1n) + near);
    return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32));
  }
}

const OUT_SIZE = 256;
const array = (name: string, data: Uint8Array, rest: Partial<MapDefinition> = {}): MapDefinition => ({
  name,
  type: "array",
  keySize: 4,
  valueSize: data.length,
  maxEntries: 1,
  flags: 0,
  data,
  ...rest,
});
const READ_ONLY = 1 << 7;
const constant = (name: string, data: Uint8Array): MapDefinition =>
  array(name, data, { flags: READ_ONLY, frozen: true });
/** Filled, so that it shows which bytes were written. */
const OUT = array("out", new Uint8Array(OUT_SIZE).fill(0xaa));

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const imm = (register: string, value: bigint | number): string =>
  `${register} = ${BigInt.asUintN(64, BigInt(value))} ll\n`;

interface Made {
  readonly type?: ProgramType;
  /** r6 is the context, r9 points to `out`, of which the first 8 bytes get r0. */
  readonly asm: string;
  readonly maps?: readonly MapDefinition[];
  readonly environment?: Environment;
  readonly mayBeRefused?: true;
}

// --- Formats

const CONVERSIONS = [
  "%d",
  "%i",
  "%u",
  "%x",
  "%X",
  "%ld",
  "%lu",
  "%lx",
  "%lX",
  "%lld",
  "%llu",
  "%llx",
  "%li",
  "%lli",
  "%c",
  "%s",
  "%s ",
  "%pks",
  "%pus,",
  "%p",
  "%px",
  "%pK ",
  "%ps",
  "%pS",
  "%pB",
  "%pi4",
  "%pI4",
  "%pi6",
  "%pI6",
  "%%",
  "%5d",
  "%-7d",
  "%07d",
  "%+d",
  "% d",
  "%+-5d",
  "%0 6d",
  "%08x",
  "%-8x",
  "%3s.",
  "%-12s|",
  "%20px",
  "%-20px",
  "%5c",
  "%-3c",
  "%012ld",
  "%20ps",
  "%020px",
  "%3pI4",
  "%pks/",
] as const;
const ODD = [
  "%",
  "%l",
  "%q",
  "%5",
  "%-",
  "%ls",
  "%lc",
  "%h",
  "%.3d",
  "%*d",
  "%#x",
  "%pA",
  "%p\x80",
  "%sx",
  "%pksx",
  "%p%",
  "%p%%",
  "%s\xa0",
  "%s\xc0",
  "\x01",
  "\x7f",
  "\x1b",
  "%llld",
  "%5%",
] as const;
const TEXTS = ["a", "text ", "\t\n", "0", "\x80\xff", "|", "x4", "_", "\xe9", "-", "d"] as const;

/** A format, and values for its conversions; now and then there are too many or too few. */
function format(chance: Chance): { readonly text: string; readonly values: readonly ("text" | bigint)[] } {
  const pieces = Array.from({ length: chance.below(6) }, () => {
    const kind = chance.below(20);
    if (kind === 0) return chance.pick(ODD);
    return kind < 6 ? chance.pick(TEXTS) : chance.pick(CONVERSIONS);
  });
  const values = pieces.filter((piece) => /^%[^%]/.test(piece)).map((piece) => argument(chance, piece));
  const kind = chance.below(12);
  const given = kind === 0 ? values.slice(0, -1) : kind === 1 ? [...values, chance.word()] : values;
  return { text: pieces.join(""), values: given };
}

/** A value for a conversion: where addresses are shown one that is the same everywhere, where they are followed one of a text or of nothing. */
function argument(chance: Chance, conversion: string): "text" | bigint {
  const kind = /^%[0+\- ]*[0-9]*(.*?)[^A-Za-z0-9]*$/.exec(conversion)?.[1] ?? "";
  const error = BigInt(-chance.below(4096));
  if (kind === "s" || /^p([ku]s|[iI])/.test(kind)) {
    const inUser = BigInt(USER_AT + chance.below(USER_BYTES.length - 64));
    return chance.pick(["text", "text", inUser, error]);
  }
  if (/^p[sSB]/.test(kind)) return chance.pick([0n, 1n, 4096n, 0x1234_5678n]);
  if (kind.startsWith("p") && !kind.startsWith("px")) return error;
  return chance.word();
}

/** Puts the arguments of a format at `r10 - 96` and behind; r8 is the address of a text. */
function storeArguments(values: readonly ("text" | bigint)[]): string {
  const stores = values.map((value, i) => {
    const at = `*(u64 *)(r10 -${96 - 8 * i})`;
    return value === "text" ? `${at} = r8\n` : `${imm("r1", value)}${at} = r1\n`;
  });
  return stores.join("");
}

const STRINGS = [
  "",
  "a",
  "hello world",
  "1234567",
  "12345678",
  "\xff\x80x",
  "a".repeat(40),
  "b".repeat(250),
] as const;

/** A text with more behind it, for conversions that read a number of bytes. */
function textMap(chance: Chance): MapDefinition {
  const text = latin1(`${chance.pick(STRINGS)}\0`);
  const data = chance.bytes(Math.max(64, text.length));
  data.set(text);
  return array("text", data);
}

function snprintf(chance: Chance): Made {
  const { text, values } = format(chance);
  const given = latin1(`${text}\0`);
  const count = values.length;
  const size = chance.pick([0, 1, 2, 8, 20, 64, 200, 248]);
  const asm = `r8 = map_value[text]+0\n${storeArguments(values)}r1 = r9\nr1 += 8\nr2 = ${size}\nr3 = map_value[fmt]+0\n${
    count === 0 ? "r4 = 0\n" : "r4 = r10\nr4 += -96\n"
  }r5 = ${8 * count}\ncall bpf_snprintf\n`;
  return { asm, maps: [constant("fmt", given), textMap(chance)], mayBeRefused: true };
}

function tracePrint(chance: Chance): Made {
  const { text: whole, values } = format(chance);
  const text = latin1(`${whole}${chance.below(12) === 0 ? "" : "\0"}`);
  const moves = ["r3", "r4", "r5"].map((register, i) => {
    const value = values[i] ?? BigInt(-chance.below(4096));
    return value === "text" ? `${register} = r8\n` : imm(register, value);
  });
  const asm = `r8 = map_value[text]+0\n${moves.join("")}r1 = map_value[fmt]+0\nr2 = ${Math.max(1, text.length)}\ncall bpf_trace_printk\n`;
  return { asm, maps: [constant("fmt", text.length === 0 ? latin1("a") : text), textMap(chance)] };
}

function traceVariable(chance: Chance): Made {
  const { text, values } = format(chance);
  const given = latin1(`${text}\0`);
  const count = values.length;
  const odd = chance.below(10) === 0 && count > 0 ? chance.below(8) : 0;
  const asm = `r8 = map_value[text]+0\n${storeArguments(values)}r1 = map_value[fmt]+0\nr2 = ${given.length}\n${
    count === 0 ? "r3 = 0\n" : "r3 = r10\nr3 += -96\n"
  }r4 = ${8 * count - odd}\ncall bpf_trace_vprintk\n`;
  return { asm, maps: [constant("fmt", given), textMap(chance)] };
}

// --- Texts

const DIGITS = [
  "0",
  "1",
  "7",
  "8",
  "9",
  "a",
  "F",
  "g",
  "x",
  "X",
  "-",
  "+",
  " ",
  "\t",
  "\n",
  "\xa0",
  "\x1f",
  "\0",
  "\x85",
] as const;
const NUMBERS = [
  "0x",
  "0X1f",
  "017",
  "-",
  "18446744073709551615",
  "18446744073709551616",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "0000000000",
  "ffffffffffffffff",
  "                    ",
] as const;

function number(chance: Chance, helper: "strtol" | "strtoul"): Made {
  const pieces = Array.from({ length: 1 + chance.below(8) }, () =>
    chance.below(4) === 0 ? chance.pick(NUMBERS) : chance.pick(DIGITS),
  );
  const text = latin1(pieces.join("").slice(0, 120));
  const flags = chance.pick([0n, 8n, 10n, 16n, 0n, 10n, 16n, 2n, 7n, 32n, 42n, 1n << 32n, -1n]);
  const asm = `r1 = map_value[text]+0\nr2 = ${text.length}\n${imm("r3", flags)}r4 = r9\nr4 += 8\ncall bpf_${helper}\n`;
  return { asm, maps: [array("text", text)] };
}

function compare(chance: Chance): Made {
  const letters = ["a", "b", "\0", "\xff", "A"] as const;
  const text = (): string =>
    Array.from({ length: 1 + chance.below(6) }, () =>
      chance.below(3) > 0 ? "a" : chance.pick(letters),
    ).join("");
  const first = latin1(text());
  const asm = `r1 = map_value[first]+0\nr2 = ${1 + chance.below(first.length)}\nr3 = map_value[second]+0\ncall bpf_strncmp\n`;
  return { asm, maps: [array("first", first), constant("second", latin1(`${text()}\0`))] };
}

// --- Memory

const READS = [
  "probe_read",
  "probe_read_kernel",
  "probe_read_user",
  "probe_read_str",
  "probe_read_kernel_str",
  "probe_read_user_str",
] as const;
/** Addresses of nobody, and the ends of what may be somebody's. Between 2^47 and 2^56 it depends on the processor what an address is. */
const ADDRESSES = [
  0n,
  1n,
  4095n,
  0x7fff_ffff_efffn,
  0x7fff_ffff_f000n,
  0x7fff_ffff_ffffn,
  1n << 63n,
  (1n << 63n) - 1n,
  0xffff_ffff_ff60_0000n,
  0xffff_ffff_ff60_0fffn,
  0xffff_ffff_ffff_f000n,
  -1n,
] as const;

function read(chance: Chance): Made & { readonly helper: string } {
  const helper = chance.pick(READS);
  const size = chance.pick([0, 1, 2, 3, 7, 8, 9, 12, 16, 31, 40]);
  const text = chance.bytes(64).map((byte) => (chance.below(6) === 0 ? 0 : byte));
  const kind = helper.includes("user") && chance.below(2) === 0 ? 3 : chance.below(4);
  const user = BigInt(
    USER_AT +
      chance.pick([
        0,
        chance.below(64),
        chance.below(USER_BYTES.length),
        USER_BYTES.length - 1 - chance.below(48),
        USER_BYTES.length,
        -1,
      ]),
  );
  const source =
    kind === 0
      ? `r3 = map_value[text]+${chance.below(64 - size + 1)}\n`
      : kind === 1
        ? `r3 = r10\nr3 += -${64 - chance.below(64 - size + 1)}\n`
        : imm("r3", kind === 2 ? chance.pick(ADDRESSES) : user);
  const stack = Array.from(
    { length: 8 },
    (_, i) =>
      `${imm("r1", chance.word() & (chance.below(2) === 0 ? 0x00ff_ffff_ff00_ffffn : -1n))}*(u64 *)(r10 -${64 - 8 * i}) = r1\n`,
  );
  const asm = `${kind === 1 ? stack.join("") : ""}r1 = r9\nr1 += 8\nr2 = ${size}\n${source}call bpf_${helper}\n`;
  return { helper, asm, maps: [array("text", text)] };
}

function copy(chance: Chance): Made {
  const size = chance.pick([0, 1, 8, 31]);
  const address = BigInt(
    USER_AT + chance.pick([0, chance.below(USER_BYTES.length), USER_BYTES.length - chance.below(9), -1]),
  );
  const asm = `r1 = r9\nr1 += 8\nr2 = ${size}\n${imm("r3", chance.below(3) === 0 ? chance.pick(ADDRESSES) : address)}call bpf_copy_from_user\n`;
  return { type: "syscall", asm };
}

// --- All of them

const MAKERS: readonly [
  (chance: Chance) => Made & { readonly helper?: string },
  ...((chance: Chance) => Made & { readonly helper?: string })[],
] = [
  (chance) => ({ helper: "snprintf", ...snprintf(chance) }),
  (chance) => ({ helper: "snprintf", ...snprintf(chance) }),
  (chance) => ({ helper: "trace_printk", ...tracePrint(chance) }),
  (chance) => ({ helper: "trace_vprintk", ...traceVariable(chance) }),
  (chance) => ({ helper: "strtol", ...number(chance, "strtol") }),
  (chance) => ({ helper: "strtoul", ...number(chance, "strtoul") }),
  (chance) => ({ helper: "strncmp", ...compare(chance) }),
  read,
  read,
  (chance) => ({ helper: "copy_from_user", ...copy(chance) }),
];

/** The calls that a seed stands for, in order. */
export function tracingCall(seed: number, only?: string): TracingCall {
  const chance = new Chance(seed);
  for (;;) {
    const made = chance.pick(MAKERS)(chance);
    const helper = made.helper ?? "";
    if (only !== undefined && only !== helper) continue;
    const { type = "raw_tracepoint", asm, maps = [], environment = {}, mayBeRefused } = made;
    const all = [OUT, ...maps];
    const whole = `r6 = r1\nr9 = map_value[out]+0\nr1 = r6\n${asm}*(u64 *)(r9 +0) = r0\nr0 = 0\nexit`;
    const program: Program = {
      name: "call",
      type,
      license: "GPL",
      flags: type === "syscall" ? ["sleepable"] : [],
      insns: assemble(whole, { maps: all }),
      maps: all,
      lines: [],
      functions: [],
    };
    const memory = [{ address: BigInt(USER_AT), bytes: USER_BYTES }];
    return {
      helper,
      program,
      environment: { memory, ...environment },
      ...(mayBeRefused === undefined ? {} : { mayBeRefused }),
    };
  }
}
