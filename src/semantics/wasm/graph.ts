/**
 * Values that WebAssembly instructions compute, as a directed acyclic graph with loops in it: what lies between a definition and
 * the code of a function. Equal values are one node and constants are folded; nothing has a side effect or traps, so that `emit.ts`
 * may compute a node anywhere between its operands and its uses.
 */
import {
  type BinaryInstruction,
  type BinaryName,
  type BinaryOp,
  binaryInstruction,
  bitLength,
  isDivision,
  type LoadName,
  type UnaryInstruction,
  type UnaryName,
  unaryInstruction,
  type ValueType,
} from "./instructions.ts";

interface Base {
  /** Operands have smaller ids than what they are operands of. */
  readonly id: number;
  readonly type: ValueType;
  /** The value is below 2^bits. */
  readonly bits: number;
  /** The loops on whose state the value depends: bit d is the one of depth d. */
  readonly depths: number;
  /** The innermost of them. */
  readonly loop: Loop | undefined;
  /** Whether a loop or a division is part of it, so that a jump round it may pay. */
  readonly costly: boolean;
}
interface ConstantValue extends Base {
  readonly kind: "constant";
  readonly value: bigint;
}
interface Parameter extends Base {
  readonly kind: "parameter";
  readonly index: number;
}
export interface Load extends Base {
  readonly kind: "load";
  readonly name: LoadName;
  /** Index of the parameter that holds the address. */
  readonly pointer: number;
  readonly offset: number;
}
interface Unary extends Base {
  readonly kind: "unary";
  readonly instruction: UnaryInstruction;
  readonly a: Value;
}
interface Binary extends Base {
  readonly kind: "binary";
  readonly instruction: BinaryInstruction;
  readonly a: Value;
  readonly b: Value;
}
export interface Select extends Base {
  readonly kind: "select";
  /** Not zero: `a`, else `b`. */
  readonly condition: Value;
  readonly a: Value;
  readonly b: Value;
}
/** A component of a loop's state before a step, or past the last component the number of steps done. */
interface State extends Base {
  readonly kind: "state";
  readonly of: Loop;
  readonly position: number;
}
/** A component of a loop's state after it. */
interface Result extends Base {
  readonly kind: "result";
  readonly of: Loop;
  readonly position: number;
}

export type Value = ConstantValue | Parameter | Load | Unary | Binary | Select | State | Result;

/** While `condition` is absent or not zero, but at most `count` times (1 or more), `step` replaces the state, first `init`. */
export interface Loop {
  readonly kind: "loop";
  readonly id: number;
  readonly depths: number;
  readonly loop: Loop | undefined;
  readonly count: number;
  readonly init: readonly Value[];
  readonly step: readonly Value[];
  readonly condition: Value | undefined;
}

export const bitsOf = (type: ValueType): number => (type === "i32" ? 32 : 64);

/** Ids are packed three to a number for the table's keys. */
const ID_LIMIT = 2 ** 17;
const MAX_DEPTH = 30;

/** Bits that the result of a binary instruction may have, where that is less than its type's. */
function resultBits({ op, result }: BinaryInstruction, a: Value, b: Value): number {
  const limit = bitsOf(result);
  const count = b.kind === "constant" ? Number(b.value) : undefined;
  switch (op) {
    case "and":
      return Math.min(a.bits, b.bits);
    case "or":
    case "xor":
      return Math.max(a.bits, b.bits);
    case "add":
      return Math.min(limit, Math.max(a.bits, b.bits) + 1);
    case "mul":
      return Math.min(limit, a.bits + b.bits);
    case "shl":
      return count === undefined ? limit : Math.min(limit, a.bits + count);
    case "shr_u":
      return count === undefined || count >= limit ? a.bits : Math.max(0, a.bits - count);
    case "div_u":
      return a.bits;
    case "rem_u":
      return Math.min(a.bits, b.bits);
    case "sub":
    case "div_s":
    case "rem_s":
    case "shr_s":
    case "rotl":
      return limit;
    default:
      return 1;
  }
}

const INVERSE = {
  eq: "ne",
  ne: "eq",
  lt_s: "ge_s",
  lt_u: "ge_u",
  gt_s: "le_s",
  gt_u: "le_u",
  le_s: "gt_s",
  le_u: "gt_u",
  ge_s: "lt_s",
  ge_u: "lt_u",
} as const;
const isComparison = (op: string): op is keyof typeof INVERSE => op in INVERSE;

export class Graph {
  #nextId = 0;
  readonly #constants = { i32: new Map<bigint, Value>(), i64: new Map<bigint, Value>() };
  readonly #operations = new Map<number, Value>();
  readonly #selects = new Map<number, Value>();
  readonly #inputs = new Map<string, Value>();
  /** The loops under construction, outermost first. */
  readonly #open: Loop[] = [];
  readonly #olderLast: boolean;

  /** @param options.olderLast  where the order does not matter, what was made first goes to the right */
  constructor({ olderLast = false }: { readonly olderLast?: boolean } = {}) {
    this.#olderLast = olderLast;
  }

  #take(): number {
    if (this.#nextId === ID_LIMIT) throw new Error("a function of too many values");
    return this.#nextId++;
  }

  /** The innermost open loop of a set of depths. */
  #innermost(depths: number): Loop | undefined {
    return depths === 0 ? undefined : this.#open[31 - Math.clz32(depths)];
  }

  constant(type: ValueType, value: bigint): Value {
    const table = this.#constants[type];
    const wrapped = BigInt.asUintN(bitsOf(type), value);
    let node = table.get(wrapped);
    if (node === undefined) {
      const bits = bitLength(wrapped);
      const id = this.#take();
      node = { id, type, bits, depths: 0, loop: undefined, costly: false, kind: "constant", value: wrapped };
      table.set(wrapped, node);
    }
    return node;
  }

  parameter(type: ValueType, index: number): Value {
    return this.#input(`${index}`, type, bitsOf(type), { kind: "parameter", index });
  }

  /** What memory holds at the function's start. */
  load(type: ValueType, name: LoadName, bits: number, pointer: number, offset: number): Value {
    return this.#input(`${name} ${pointer} ${offset}`, type, bits, { kind: "load", name, pointer, offset });
  }

  #input(
    key: string,
    type: ValueType,
    bits: number,
    rest: Omit<Parameter, keyof Base> | Omit<Load, keyof Base>,
  ): Value {
    let node = this.#inputs.get(key);
    if (node === undefined) {
      node = { id: this.#take(), type, bits, depths: 0, loop: undefined, costly: false, ...rest };
      this.#inputs.set(key, node);
    }
    return node;
  }

  unary(name: UnaryName, a: Value): Value {
    const instruction = unaryInstruction(name);
    if (a.kind === "constant") return this.constant(instruction.result, instruction.apply(a.value));
    if (name === "i32.eqz" || name === "i64.eqz") {
      if (a.kind === "binary" && isComparison(a.instruction.op))
        return this.binary(`${a.instruction.operand}.${INVERSE[a.instruction.op]}`, a.a, a.b);
      if (a.kind === "unary" && a.instruction.opcode === 0x45 && a.a.bits <= 1) return a.a;
    }
    if (a.kind === "unary") {
      const inner = a.instruction.opcode;
      if (name === "i32.wrap_i64" && (inner === 0xac || inner === 0xad)) return a.a;
      if (name === "i64.extend_i32_u" && inner === 0xa7 && a.a.bits <= 32) return a.a;
    }
    const key = instruction.opcode * ID_LIMIT * ID_LIMIT + a.id;
    let node = this.#operations.get(key);
    if (node === undefined) {
      const { depths, loop, costly } = a;
      const type = instruction.result;
      const bits = unaryBits(name, a);
      node = { id: this.#take(), type, bits, depths, loop, costly, kind: "unary", instruction, a };
      this.#operations.set(key, node);
    }
    return node;
  }

  binary(name: BinaryName, left: Value, right: Value): Value {
    const given = binaryInstruction(name);
    const mirror = this.#isBetterMirrored(given, left, right) ? MIRROR.get(given.op) : undefined;
    const instruction = mirror === undefined ? given : binaryInstruction(`${given.operand}.${mirror}`);
    const { op, opcode, result: type } = instruction;
    const [a, b] = mirror === undefined ? [left, right] : [right, left];
    const simple = this.#simplify(instruction, a, b);
    if (simple !== undefined) return simple;
    const key = (opcode * ID_LIMIT + a.id) * ID_LIMIT + b.id;
    let node = this.#operations.get(key);
    if (node === undefined) {
      const depths = a.depths | b.depths;
      const costly = a.costly || b.costly || isDivision(op);
      const bits = resultBits(instruction, a, b);
      const loop = this.#innermost(depths);
      node = { id: this.#take(), type, bits, depths, loop, costly, kind: "binary", instruction, a, b };
      this.#operations.set(key, node);
    }
    return node;
  }

  /** A constant goes to the right, where simplifications look for it. */
  #isBetterMirrored({ op }: BinaryInstruction, left: Value, right: Value): boolean {
    if (right.kind === "constant") return false;
    return left.kind === "constant" || (this.#olderLast && MIRROR.get(op) === op && left.id < right.id);
  }

  #simplify(instruction: BinaryInstruction, a: Value, b: Value): Value | undefined {
    const { op, operand, result, apply } = instruction;
    if (b.kind === "constant") {
      if (a.kind === "constant") return this.constant(result, apply(a.value, b.value));
      if (b.value === 0n) {
        if (op === "and" || op === "mul") return b;
        if (op === "eq") return this.unary(`${operand}.eqz`, a);
        if (NEUTRAL_ZERO.has(op)) return a;
      }
      if (b.value === 1n && (op === "mul" || op === "div_u" || op === "div_s")) return a;
      if (op === "and") {
        if (BigInt.asUintN(a.bits, ~b.value) === 0n) return a;
        if (a.kind === "binary" && a.instruction.op === "and" && a.b.kind === "constant")
          return this.binary(`${operand}.and`, a.a, this.constant(operand, a.b.value & b.value));
      }
      if (operand === "i32" && a.bits <= 1) {
        if (op === "ne" && b.value === 0n) return a;
        if (op === "eq" && b.value === 1n) return a;
        if (op === "xor" && b.value === 1n) return this.unary("i32.eqz", a);
      }
    }
    const joined = this.#joinTests(op, a, b);
    if (joined !== undefined) return joined;
    if (a === b) {
      if (op === "sub" || op === "xor") return this.constant(result, 0n);
      if (op === "and" || op === "or") return a;
      if (isComparison(op)) return this.constant("i32", op === "eq" || op.includes("e_") ? 1n : 0n);
    }
    return undefined;
  }

  /** Two tests of signs, or of being zero, as one: a processor has both in its flags after the bitwise operation. */
  #joinTests(op: BinaryOp, a: Value, b: Value): Value | undefined {
    const [x, y] = [signTest(a), signTest(b)];
    if (x !== undefined && y !== undefined && x.of.type === y.of.type) {
      const { type } = x.of;
      const test = (bits: "and" | "or" | "xor", negative: boolean): Value =>
        this.binary(
          `${type}.${negative ? "lt_s" : "ge_s"}`,
          this.binary(`${type}.${bits}`, x.of, y.of),
          this.constant(type, 0n),
        );
      const same = x.negative === y.negative;
      if (op === "eq") return test("xor", !same);
      if (op === "ne" || op === "xor") return test("xor", same);
      if (same && op === "and") return test(x.negative ? "and" : "or", x.negative);
      if (same && op === "or") return test(x.negative ? "or" : "and", x.negative);
    }
    return undefined;
  }

  select(condition: Value, a: Value, b: Value): Value {
    if (a === b) return a;
    if (condition.kind === "constant") return condition.value === 0n ? b : a;
    if (condition.kind === "unary" && condition.instruction.opcode === 0x45)
      return this.select(condition.a, b, a);
    if (a.type === "i32" && condition.bits <= 1 && a.kind === "constant" && b.kind === "constant") {
      if (a.value === 1n && b.value === 0n) return condition;
      if (a.value === 0n && b.value === 1n) return this.unary("i32.eqz", condition);
    }
    const key = (condition.id * ID_LIMIT + a.id) * ID_LIMIT + b.id;
    let node = this.#selects.get(key);
    if (node === undefined) {
      const depths = condition.depths | a.depths | b.depths;
      const costly = condition.costly || a.costly || b.costly;
      const bits = Math.max(a.bits, b.bits);
      const loop = this.#innermost(depths);
      node = { id: this.#take(), type: a.type, bits, depths, loop, costly, kind: "select", condition, a, b };
      this.#selects.set(key, node);
    }
    return node;
  }

  /**
   * A loop of at most `count` steps from `init`; `body` gives the next state (and whether to go on, a condition on the state before)
   * from the state and the number of steps done. `bits` bounds each component, whatever the step says.
   */
  loop(
    count: number,
    init: readonly Value[],
    bits: readonly number[],
    body: (state: readonly Value[], index: Value) => { step: readonly Value[]; condition: Value | undefined },
  ): readonly Value[] {
    const depth = this.#open.length;
    if (depth > MAX_DEPTH) throw new Error("loops nested too deep");
    const open: { -readonly [K in keyof Loop]: Loop[K] } = {
      kind: "loop",
      id: -1,
      depths: 0,
      loop: undefined,
      count,
      init,
      step: [],
      condition: undefined,
    };
    this.#open.push(open);
    const state = (type: ValueType, width: number, position: number): Value => ({
      id: this.#take(),
      type,
      bits: width,
      depths: 1 << depth,
      loop: open,
      costly: false,
      kind: "state",
      of: open,
      position,
    });
    const states = init.map((value, i) => state(value.type, bits[i] ?? 0, i));
    const { step, condition } = body(states, state("i32", bitLength(BigInt(count - 1)), init.length));
    this.#open.pop();
    const parts = condition === undefined ? [...init, ...step] : [...init, ...step, condition];
    const depths = parts.reduce((mask, part) => mask | part.depths, 0) & ~(1 << depth);
    const loop = this.#innermost(depths);
    Object.assign(open, { id: this.#take(), depths, loop, step, condition });
    return states.map(({ type, bits }, position) => ({
      id: this.#take(),
      type,
      bits,
      depths,
      loop,
      costly: true,
      kind: "result",
      of: open,
      position,
    }));
  }
}

/** Whether the value is a test of another one's sign. */
function signTest(value: Value): { readonly of: Value; readonly negative: boolean } | undefined {
  if (value.kind !== "binary" || value.b.kind !== "constant" || value.b.value !== 0n) return undefined;
  const { op } = value.instruction;
  return op === "lt_s" || op === "ge_s" ? { of: value.a, negative: op === "lt_s" } : undefined;
}

/** What says the same of exchanged operands. */
const MIRROR: ReadonlyMap<BinaryOp, BinaryOp> = new Map([
  ...(["add", "mul", "and", "or", "xor", "eq", "ne"] as const).map((op) => [op, op] as const),
  ...(["s", "u"] as const).flatMap(
    (sign) =>
      [
        [`lt_${sign}`, `gt_${sign}`],
        [`gt_${sign}`, `lt_${sign}`],
        [`le_${sign}`, `ge_${sign}`],
        [`ge_${sign}`, `le_${sign}`],
      ] as const,
  ),
]);
const NEUTRAL_ZERO: ReadonlySet<string> = new Set([
  "add",
  "sub",
  "or",
  "xor",
  "shl",
  "shr_s",
  "shr_u",
  "rotl",
]);

function unaryBits(name: UnaryName, a: Value): number {
  if (name.endsWith("eqz")) return 1;
  if (name.endsWith("clz")) return bitLength(BigInt(bitsOf(a.type)));
  if (name === "i32.wrap_i64") return Math.min(32, a.bits);
  return name === "i64.extend_i32_u" ? a.bits : bitsOf(unaryInstruction(name).result);
}
