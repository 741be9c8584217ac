/**
 * Atomic operations (RFC 9669 section 5.3), and Linux's load-acquire and store-release. `imm` selects the operation. Memory and
 * operand are `size` bytes wide; what a 32-bit operation fetches is zero-extended.
 */
import { add, and, eq, extract, ite, or, xor } from "../term/build.ts";
import type { Term } from "../term/node.ts";
import type { AtomicOp, Row, Size } from "./instruction.ts";
import { CLASS, fields, LOADED, R0, SIZE_BITS, SIZES, SRC, widen } from "./row.ts";

const MODE_ATOMIC = 0xc0;
const FETCH = 0x01;
const CODE = { add: 0x00, or: 0x40, and: 0x50, xor: 0xa0, xchg: 0xe0, cmpxchg: 0xf0 } as const;
const SIGN = { add: "+=", or: "|=", and: "&=", xor: "^=" } as const;
const COMBINE = { add, or, and, xor } as const;
const PLAIN = ["add", "or", "and", "xor"] as const;
const ATOMIC_SIZES = [4, 8] as const;

const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;

/** What every row here shares: opcode and fields, and the place in memory as the text writes it. */
function common(size: Size, imm: number): Pick<Row, "opcode" | "fields"> {
  return {
    opcode: CLASS.stx | MODE_ATOMIC | SIZE_BITS[size],
    fields: fields({ dst: "any", src: "any", off: "any", imm }),
  };
}

const place = (size: Size, register: "dst" | "src" = "dst"): string =>
  `(u${8 * size} *)({${register}} {offset})`;

/** 64-bit operations have the width in their name, 32-bit ones do not. */
const mnemonic = (size: 4 | 8, op: string): string => `atomic${size === 8 ? "64" : ""}_${op}`;

/** The operand and the old value of memory at the operation's own width. */
const operand = (size: 4 | 8, register: Term<64>): Term => extract(8 * size, register);
const loaded = (size: 4 | 8): Term => LOADED[size];

const groupOf = (size: 4 | 8): "atomic32" | "atomic64" => (size === 4 ? "atomic32" : "atomic64");

function plainRow(op: (typeof PLAIN)[number], size: 4 | 8): Row {
  return {
    name: `atomic_${op}${8 * size}`,
    ...common(size, CODE[op]),
    syntax: `lock *${place(size)} ${SIGN[op]} {src}`,
    group: groupOf(size),
    version: op === "add" ? 1 : 3,
    operation: {
      kind: "atomic",
      op,
      size,
      fetch: false,
      stored: COMBINE[op](loaded(size), operand(size, SRC)),
    },
  };
}

function fetchRow(op: (typeof PLAIN)[number], size: 4 | 8): Row {
  return {
    name: `atomic_fetch_${op}${8 * size}`,
    ...common(size, CODE[op] | FETCH),
    syntax: `{src} = ${mnemonic(size, `fetch_${op}`)}(${place(size)}, {src})`,
    group: groupOf(size),
    version: 3,
    operation: {
      kind: "atomic",
      op,
      size,
      fetch: true,
      stored: COMBINE[op](loaded(size), operand(size, SRC)),
      source: widen(loaded(size)),
    },
  };
}

function exchangeRow(size: 4 | 8): Row {
  return {
    name: `atomic_xchg${8 * size}`,
    ...common(size, CODE.xchg | FETCH),
    syntax: `{src} = ${mnemonic(size, "xchg")}(${place(size)}, {src})`,
    group: groupOf(size),
    version: 3,
    operation: {
      kind: "atomic",
      op: "xchg" satisfies AtomicOp,
      size,
      fetch: true,
      stored: operand(size, SRC),
      source: widen(loaded(size)),
    },
  };
}

function compareExchangeRow(size: 4 | 8): Row {
  return {
    name: `atomic_cmpxchg${8 * size}`,
    ...common(size, CODE.cmpxchg | FETCH),
    syntax: `r0 = ${mnemonic(size, "cmpxchg")}(${place(size)}, r0, {src})`,
    group: groupOf(size),
    version: 3,
    operation: {
      kind: "atomic",
      op: "cmpxchg" satisfies AtomicOp,
      size,
      fetch: true,
      stored: ite(eq(loaded(size), operand(size, R0)), operand(size, SRC), loaded(size)),
      r0: widen(loaded(size)),
    },
  };
}

function acquireRow(size: Size): Row {
  return {
    name: `load_acquire${8 * size}`,
    ...common(size, LOAD_ACQUIRE),
    syntax: `{dst} = load_acquire(${place(size, "src")})`,
    group: "linux",
    version: 4,
    operation: { kind: "load_acquire", size, result: widen(LOADED[size]) },
  };
}

function releaseRow(size: Size): Row {
  return {
    name: `store_release${8 * size}`,
    ...common(size, STORE_RELEASE),
    syntax: `store_release(${place(size)}, {src})`,
    group: "linux",
    version: 4,
    operation: { kind: "store_release", size, stored: extract(8 * size, SRC) },
  };
}

export const ATOMIC_ROWS: readonly Row[] = [
  ...ATOMIC_SIZES.flatMap((size) => [
    ...PLAIN.map((op) => plainRow(op, size)),
    ...PLAIN.map((op) => fetchRow(op, size)),
    exchangeRow(size),
    compareExchangeRow(size),
  ]),
  ...SIZES.map(acquireRow),
  ...SIZES.map(releaseRow),
];
