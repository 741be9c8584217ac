/**
 * What WebAssembly's instructions on numbers mean, as terms (core specification 2.0, sections 4.3.2 and 5.4.5). Booleans are numbers of 32 bits.
 */
import {
  add,
  and,
  ashr,
  constant,
  eq,
  extract,
  ite,
  lshr,
  mul,
  ne,
  not,
  or,
  sdiv,
  sext,
  sge,
  sgt,
  shl,
  sle,
  slt,
  srem,
  sub,
  udiv,
  uge,
  ugt,
  ule,
  ult,
  urem,
  xor,
  zext,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";

type Two = (a: Term, b: Term) => Term;

/** The first opcode of a family, and what its members are in order. */
const COMPARISONS: readonly ((a: Term, b: Term) => Term<1>)[] = [
  eq,
  ne,
  slt,
  ult,
  sgt,
  ugt,
  sle,
  ule,
  sge,
  uge,
];
const COUNT: Two = (a, b) => and(b, constant(a.width, a.width - 1));
const ROTATE: Two = (a, b) => {
  const count = COUNT(a, b);
  return or(shl(a, count), lshr(a, sub(constant(a.width, a.width), count)));
};
const ARITHMETIC: readonly Two[] = [
  add,
  sub,
  mul,
  sdiv,
  udiv,
  srem,
  urem,
  and,
  or,
  xor,
  (a, b) => shl(a, COUNT(a, b)),
  (a, b) => ashr(a, COUNT(a, b)),
  (a, b) => lshr(a, COUNT(a, b)),
  ROTATE,
];

const boolean = (condition: Term<1>): Term => zext(32, condition);

/** Whether a number of 32 bits is not zero. */
export const isTrue = (value: Term): Term<1> => ne(value, constant(value.width, 0));

/** A binary operation; nothing if the opcode is of none. */
function binaryOf(opcode: number): { readonly compute: Two; readonly width: 32 | 64 } | undefined {
  const compared = (first: number): ((a: Term, b: Term) => Term<1>) | undefined =>
    COMPARISONS[opcode - first];
  const comparison = compared(0x46) ?? compared(0x51);
  if (comparison !== undefined) {
    return { compute: (a, b) => boolean(comparison(a, b)), width: opcode < 0x51 ? 32 : 64 };
  }
  const arithmetic = ARITHMETIC[opcode - 0x6a] ?? ARITHMETIC[opcode - 0x7c];
  return arithmetic && { compute: arithmetic, width: opcode < 0x7c ? 32 : 64 };
}

const lowSigned =
  (from: number, to: number) =>
  (a: Term): Term =>
    sext(to, extract(from, a));

const UNARY: Readonly<Record<number, { readonly width: 32 | 64; readonly compute: (a: Term) => Term }>> = {
  0x45: { width: 32, compute: (a) => boolean(not(isTrue(a))) },
  0x50: { width: 64, compute: (a) => boolean(not(isTrue(a))) },
  0xa7: { width: 64, compute: (a) => extract(32, a) },
  0xac: { width: 32, compute: (a) => sext(64, a) },
  0xad: { width: 32, compute: (a) => zext(64, a) },
  0xc0: { width: 32, compute: lowSigned(8, 32) },
  0xc1: { width: 32, compute: lowSigned(16, 32) },
  0xc2: { width: 64, compute: lowSigned(8, 64) },
  0xc3: { width: 64, compute: lowSigned(16, 64) },
  0xc4: { width: 64, compute: lowSigned(32, 64) },
};

/** What must hold for a division not to trap. */
function divides(opcode: number, a: Term, b: Term): Term<1> | undefined {
  const family = opcode - (opcode < 0x7c ? 0x6a : 0x7c);
  if (family < 3 || family > 6) return undefined;
  const nonZero = isTrue(b);
  if (family !== 3) return nonZero;
  const least = constant(a.width, 1n << BigInt(a.width - 1));
  const overflows = and(eq(a, least), eq(b, constant(b.width, -1)));
  return and(nonZero, not(overflows));
}

/** Executes an instruction on the top of `stack`. Returns a condition without which it traps, if it can. */
export function numeric(opcode: number, stack: Term[]): Term<1> | undefined {
  const pop = (width: number): Term => {
    const value = stack.pop();
    if (value?.width !== width)
      throw new Error(`opcode 0x${opcode.toString(16)}: no ${width} bits on the stack`);
    return value;
  };
  const unary = UNARY[opcode];
  if (unary !== undefined) {
    stack.push(unary.compute(pop(unary.width)));
    return undefined;
  }
  const binary = binaryOf(opcode);
  if (binary === undefined)
    throw new Error(`opcode 0x${opcode.toString(16)} is not one of those that are read`);
  const b = pop(binary.width);
  const a = pop(binary.width);
  stack.push(binary.compute(a, b));
  return divides(opcode, a, b);
}

/** The type's width and the bytes that a load or store touches, and whether it extends the sign. */
export function accessOf(opcode: number): {
  readonly width: 32 | 64;
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
} {
  const found = ACCESSES[opcode];
  if (found === undefined)
    throw new Error(`opcode 0x${opcode.toString(16)} is not one of those that are read`);
  const [width, size, signed] = found;
  return { width, size, signed };
}

const ACCESSES: Readonly<Record<number, readonly [32 | 64, 1 | 2 | 4 | 8, boolean]>> = {
  0x28: [32, 4, false],
  0x29: [64, 8, false],
  0x2c: [32, 1, true],
  0x2d: [32, 1, false],
  0x2e: [32, 2, true],
  0x2f: [32, 2, false],
  0x30: [64, 1, true],
  0x31: [64, 1, false],
  0x32: [64, 2, true],
  0x33: [64, 2, false],
  0x34: [64, 4, true],
  0x35: [64, 4, false],
  0x36: [32, 4, false],
  0x37: [64, 8, false],
  0x3a: [32, 1, false],
  0x3b: [32, 2, false],
  0x3c: [64, 1, false],
  0x3d: [64, 2, false],
  0x3e: [64, 4, false],
};

/** A boolean as a number of 32 bits, by choice: what `select` and `br_if` take. */
export const choose = (condition: Term, a: Term, b: Term): Term => ite(isTrue(condition), a, b);
