/** Calls of helpers that print, and that read numbers and compare texts. */
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import { array, type Chance, constant, imm, latin1, type Made } from "./chance.ts";
import { USER_AT, USER_BYTES } from "./user-memory.ts";

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

export function snprintf(chance: Chance): Made {
  const { text, values } = format(chance);
  const given = latin1(`${text}\0`);
  const count = values.length;
  const size = chance.pick([0, 1, 2, 8, 20, 64, 200, 248]);
  const asm = `r8 = map_value[text]+0\n${storeArguments(values)}r1 = r9\nr1 += 8\nr2 = ${size}\nr3 = map_value[fmt]+0\n${
    count === 0 ? "r4 = 0\n" : "r4 = r10\nr4 += -96\n"
  }r5 = ${8 * count}\ncall bpf_snprintf\n`;
  return { asm, maps: [constant("fmt", given), textMap(chance)], mayBeRefused: true };
}

export function tracePrint(chance: Chance): Made {
  const { text: whole, values } = format(chance);
  const text = latin1(`${whole}${chance.below(12) === 0 ? "" : "\0"}`);
  const moves = ["r3", "r4", "r5"].map((register, i) => {
    const value = values[i] ?? BigInt(-chance.below(4096));
    return value === "text" ? `${register} = r8\n` : imm(register, value);
  });
  const asm = `r8 = map_value[text]+0\n${moves.join("")}r1 = map_value[fmt]+0\nr2 = ${Math.max(1, text.length)}\ncall bpf_trace_printk\n`;
  return { asm, maps: [constant("fmt", text.length === 0 ? latin1("a") : text), textMap(chance)] };
}

export function traceVariable(chance: Chance): Made {
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

export function number(chance: Chance, helper: "strtol" | "strtoul"): Made {
  const pieces = Array.from({ length: 1 + chance.below(8) }, () =>
    chance.below(4) === 0 ? chance.pick(NUMBERS) : chance.pick(DIGITS),
  );
  const text = latin1(pieces.join("").slice(0, 120));
  const flags = chance.pick([0n, 8n, 10n, 16n, 0n, 10n, 16n, 2n, 7n, 32n, 42n, 1n << 32n, -1n]);
  const asm = `r1 = map_value[text]+0\nr2 = ${text.length}\n${imm("r3", flags)}r4 = r9\nr4 += 8\ncall bpf_${helper}\n`;
  return { asm, maps: [array("text", text)] };
}

export function compare(chance: Chance): Made {
  const letters = ["a", "b", "\0", "\xff", "A"] as const;
  const text = (): string =>
    Array.from({ length: 1 + chance.below(6) }, () =>
      chance.below(3) > 0 ? "a" : chance.pick(letters),
    ).join("");
  const first = latin1(text());
  const asm = `r1 = map_value[first]+0\nr2 = ${1 + chance.below(first.length)}\nr3 = map_value[second]+0\ncall bpf_strncmp\n`;
  return { asm, maps: [array("first", first), constant("second", latin1(`${text()}\0`))] };
}

// --- The kernel's functions on texts

const ON_TWO = ["bpf_strcmp", "bpf_strcasecmp", "bpf_strspn", "bpf_strcspn", "bpf_strstr"] as const;
const FOR_ONE = ["bpf_strchr", "bpf_strrchr", "bpf_strchrnul"] as const;
const LETTERS = ["a", "b", "A", "c", "\xff", "\xe0", "\xc0", "\xd7", "\xf7"] as const;
/** Addresses where there is no text: of the process, and of nobody in the kernel. */
const NOWHERE = [0n, 1n, 0x10_0000_0000n, 0xffff_ffff_ffff_f000n] as const;

/** A call of one of the kernel's functions on texts; in `asm` it is the only one. */
export function textFunction(chance: Chance): Made & { readonly helper: string } {
  const word = (most: number): Uint8Array => {
    const letters = Array.from({ length: chance.below(most) }, () =>
      chance.below(3) > 0 ? "a" : chance.pick(LETTERS),
    );
    return latin1(`${letters.join("")}\0`);
  };
  const maps = [array("first", word(9)), array("second", word(4))];
  const count = chance.pick([0n, 1n, 2n, 3n, 5n, 9n, 1n << 32n, -1n]);
  const letter = chance.pick([0, 0x61, 0x62, 0xff, 0x161, -1]);
  const first = chance.below(8) === 0 ? imm("r1", chance.pick(NOWHERE)) : "r1 = map_value[first]+0\n";
  const second = chance.below(8) === 0 ? imm("r2", chance.pick(NOWHERE)) : "r2 = map_value[second]+0\n";
  const call = "call kfunc#0\nw0 = w0\nr0 <<= 32\nr0 s>>= 32\n";
  switch (chance.below(5)) {
    case 0:
      return { helper: chance.pick(FOR_ONE), asm: `${first}r2 = ${letter}\n${call}`, maps };
    case 1:
      return { helper: "bpf_strnchr", asm: `${first}${imm("r2", count)}r3 = ${letter}\n${call}`, maps };
    case 2:
      return chance.below(2) === 0
        ? { helper: "bpf_strnlen", asm: `${first}${imm("r2", count)}${call}`, maps }
        : { helper: "bpf_strlen", asm: `${first}${call}`, maps };
    case 3:
      return { helper: "bpf_strnstr", asm: `${first}${second}${imm("r3", count)}${call}`, maps };
    default:
      return { helper: chance.pick(ON_TWO), asm: `${first}${second}${call}`, maps };
  }
}
