/**
 * WebAssembly's numeric and memory instructions as tables: their opcodes (core specification 2.0, section 5.4), types, and what they
 * do to constants. Names are the text format's. Only what soundcheck emits is here.
 */

export type ValueType = "i32" | "i64";

interface Numeric {
  readonly opcode: number;
  readonly operand: ValueType;
  readonly result: ValueType;
}
export interface UnaryInstruction extends Numeric {
  /** The result for a constant operand; both are unsigned numbers of the types' widths. */
  readonly apply: (a: bigint) => bigint;
}
export interface BinaryInstruction extends Numeric {
  readonly op: BinaryOp;
  /** As above. Division traps where the instruction does. */
  readonly apply: (a: bigint, b: bigint) => bigint;
}

export type UnaryName =
  | `${ValueType}.${"eqz" | "clz"}`
  | "i32.wrap_i64"
  | `i64.extend_i32_${"s" | "u"}`
  | `${ValueType}.extend${8 | 16}_s`
  | "i64.extend32_s";

type Operation = (width: number, a: bigint, b: bigint) => bigint;

const signed: (compute: (a: bigint, b: bigint) => bigint | boolean) => Operation =
  (compute) => (width, a, b) =>
    BigInt(compute(BigInt.asIntN(width, a), BigInt.asIntN(width, b)));
const unsigned: typeof signed = (compute) => (_, a, b) => BigInt(compute(a, b));
const shift: typeof signed = (compute) => (width, a, b) => BigInt(compute(a, b % BigInt(width)));

/** Of two operands of a type, in the order of their opcodes. */
const COMPARISONS = [
  ["eq", unsigned((a, b) => a === b)],
  ["ne", unsigned((a, b) => a !== b)],
  ["lt_s", signed((a, b) => a < b)],
  ["lt_u", unsigned((a, b) => a < b)],
  ["gt_s", signed((a, b) => a > b)],
  ["gt_u", unsigned((a, b) => a > b)],
  ["le_s", signed((a, b) => a <= b)],
  ["le_u", unsigned((a, b) => a <= b)],
  ["ge_s", signed((a, b) => a >= b)],
  ["ge_u", unsigned((a, b) => a >= b)],
] as const;
const ARITHMETIC = [
  ["add", unsigned((a, b) => a + b)],
  ["sub", unsigned((a, b) => a - b)],
  ["mul", unsigned((a, b) => a * b)],
  ["div_s", signed((a, b) => a / b)],
  ["div_u", unsigned((a, b) => a / b)],
  ["rem_s", signed((a, b) => a % b)],
  ["rem_u", unsigned((a, b) => a % b)],
  ["and", unsigned((a, b) => a & b)],
  ["or", unsigned((a, b) => a | b)],
  ["xor", unsigned((a, b) => a ^ b)],
  ["shl", shift((a, b) => a << b)],
  ["shr_s", (width, a, b) => BigInt.asIntN(width, a) >> (b % BigInt(width))],
  ["shr_u", shift((a, b) => a >> b)],
  ["rotl", (width, a, b) => (a << (b % BigInt(width))) | (a >> (BigInt(width) - (b % BigInt(width))))],
] as const satisfies readonly (readonly [string, Operation])[];

export type BinaryOp = (typeof COMPARISONS)[number][0] | (typeof ARITHMETIC)[number][0];
export type BinaryName = `${ValueType}.${BinaryOp}`;

const UNARY_ROWS: readonly (readonly [
  UnaryName,
  opcode: number,
  operand: ValueType,
  result: ValueType,
  apply: (a: bigint) => bigint,
])[] = [
  ["i32.eqz", 0x45, "i32", "i32", (a) => BigInt(a === 0n)],
  ["i64.eqz", 0x50, "i64", "i32", (a) => BigInt(a === 0n)],
  ["i32.clz", 0x67, "i32", "i32", (a) => BigInt(32 - bitLength(a))],
  ["i64.clz", 0x79, "i64", "i64", (a) => BigInt(64 - bitLength(a))],
  ["i32.wrap_i64", 0xa7, "i64", "i32", (a) => a],
  ["i64.extend_i32_s", 0xac, "i32", "i64", (a) => BigInt.asIntN(32, a)],
  ["i64.extend_i32_u", 0xad, "i32", "i64", (a) => a],
  ["i32.extend8_s", 0xc0, "i32", "i32", (a) => BigInt.asIntN(8, a)],
  ["i32.extend16_s", 0xc1, "i32", "i32", (a) => BigInt.asIntN(16, a)],
  ["i64.extend8_s", 0xc2, "i64", "i64", (a) => BigInt.asIntN(8, a)],
  ["i64.extend16_s", 0xc3, "i64", "i64", (a) => BigInt.asIntN(16, a)],
  ["i64.extend32_s", 0xc4, "i64", "i64", (a) => BigInt.asIntN(32, a)],
];

/** Bits that a number of 0 or more takes. */
export const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

const widthOf = (type: ValueType): number => (type === "i32" ? 32 : 64);

function unaryTable(): ReadonlyMap<UnaryName, UnaryInstruction> {
  return new Map(
    UNARY_ROWS.map(([name, opcode, operand, result, compute]) => {
      const apply = (a: bigint): bigint => BigInt.asUintN(widthOf(result), compute(a));
      return [name, { opcode, operand, result, apply }];
    }),
  );
}

function binaryTable(): ReadonlyMap<BinaryName, BinaryInstruction> {
  const table = new Map<BinaryName, BinaryInstruction>();
  const add = (
    operand: ValueType,
    result: ValueType,
    first: number,
    rows: readonly (readonly [BinaryOp, Operation])[],
  ): void => {
    rows.forEach(([op, compute], i) => {
      const apply = (a: bigint, b: bigint): bigint =>
        BigInt.asUintN(widthOf(result), compute(widthOf(operand), a, b));
      table.set(`${operand}.${op}`, { op, opcode: first + i, operand, result, apply });
    });
  };
  add("i32", "i32", 0x46, COMPARISONS);
  add("i64", "i32", 0x51, COMPARISONS);
  add("i32", "i32", 0x6a, ARITHMETIC);
  add("i64", "i64", 0x7c, ARITHMETIC);
  return table;
}

const UNARY = unaryTable();
const BINARY = binaryTable();

function rowOf<K, V>(table: ReadonlyMap<K, V>, name: K): V {
  const row = table.get(name);
  if (row === undefined) throw new Error(`no instruction ${String(name)}`);
  return row;
}

export const unaryInstruction = (name: UnaryName): UnaryInstruction => rowOf(UNARY, name);
export const binaryInstruction = (name: BinaryName): BinaryInstruction => rowOf(BINARY, name);

export const isDivision = (op: BinaryOp): boolean => op.startsWith("div") || op.startsWith("rem");

export const LOADS = {
  "i32.load": 0x28,
  "i64.load": 0x29,
  "i32.load8_u": 0x2d,
  "i32.load16_u": 0x2f,
  "i64.load8_u": 0x31,
  "i64.load16_u": 0x33,
  "i64.load32_u": 0x35,
} as const;
export const STORES = {
  "i32.store": 0x36,
  "i64.store": 0x37,
  "i32.store8": 0x3a,
  "i32.store16": 0x3b,
  "i64.store8": 0x3c,
  "i64.store16": 0x3d,
  "i64.store32": 0x3e,
} as const;
export type LoadName = keyof typeof LOADS;
export type StoreName = keyof typeof STORES;

/** Logarithm of the bytes that a load or store touches: its natural alignment. */
export function alignmentOf(name: LoadName | StoreName): number {
  if (name.includes("8")) return 0;
  if (name.includes("16")) return 1;
  return name.includes("load32") || name.includes("store32") || name.startsWith("i32") ? 2 : 3;
}
