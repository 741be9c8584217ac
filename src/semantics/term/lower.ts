/**
 * Terms as values of a WebAssembly graph. A term of up to 32 bits is an `i32`, of up to 64 an `i64`, a wider one a pair of `i64`.
 *
 * The bits above a term's width may hold anything (the *raw* form) until an operation minds: then they are cleared (*zero*) or set to
 * copies of the sign (*sign*). Sums and products of narrow terms so need no masking until they are compared, divided or stored.
 */
import type { Graph, Value } from "../wasm/graph.ts";
import { bitsOf } from "../wasm/graph.ts";
import type { BinaryOp, ValueType } from "../wasm/instructions.ts";
import { TermError } from "./build.ts";
import { type Binary, type BoundVariable, type Fold, levelOf, type Term } from "./node.ts";
import type { Pair } from "./pairs.ts";
import * as pairs from "./pairs.ts";

export const typeOf = (width: number): ValueType => (width <= 32 ? "i32" : "i64");

/** A fold being entered: its state before a step, and the index. */
interface Frame {
  readonly state: readonly (Value | Pair)[];
  readonly index: Value;
}

const COMPARISON = {
  eq: ["eq", false],
  ult: ["lt_u", false],
  ule: ["le_u", false],
  slt: ["lt_s", true],
  sle: ["le_s", true],
} as const;

export class Lowering {
  readonly #graph: Graph;
  readonly #input: (variable: Term) => Value;
  /** Results by the level of the innermost fold they depend on: a fold forgets its own when it is left. */
  readonly #narrow: Map<Term, Value>[] = [];
  readonly #wide: Map<Term, Pair>[] = [];
  readonly #folds: Map<Fold, readonly (Value | Pair)[]>[] = [];
  readonly #frames: (Frame | undefined)[] = [];

  /** @param input  the value of a free variable, in raw form */
  constructor(graph: Graph, input: (variable: Term) => Value) {
    this.#graph = graph;
    this.#input = input;
  }

  /** The value of a term of up to 64 bits; the bits above its width are arbitrary. */
  raw(term: Term): Value {
    const memo = (this.#narrow[levelOf(term)] ??= new Map());
    let value = memo.get(term);
    if (value === undefined) {
      value = this.#lower(term);
      memo.set(term, value);
    }
    return value;
  }

  /** The value of a term of up to 64 bits; the bits above its width are 0. */
  zero(term: Term): Value {
    return this.#masked(this.raw(term), term.width);
  }

  #masked(value: Value, width: number): Value {
    if (value.bits <= width) return value;
    const mask = this.#graph.constant(value.type, (1n << BigInt(width)) - 1n);
    return this.#graph.binary(`${value.type}.and`, value, mask);
  }

  /** The value of a term of up to 64 bits; the bits above its width are copies of its sign. */
  sign(term: Term): Value {
    const value = this.raw(term);
    const { width } = term;
    const { type } = value;
    const limit = bitsOf(type);
    if (value.bits < width || width === limit) return value;
    if (width === 8 || width === 16) return this.#graph.unary(`${type}.extend${width}_s`, value);
    const count = this.#graph.constant(type, BigInt(limit - width));
    return this.#graph.binary(`${type}.shr_s`, this.#graph.binary(`${type}.shl`, value, count), count);
  }

  /** The value of a term of 65 to 128 bits; the bits above its width are 0. */
  pair(term: Term): Pair {
    const memo = (this.#wide[levelOf(term)] ??= new Map());
    let value = memo.get(term);
    if (value === undefined) {
      const [low, high] = this.#lowerWide(term);
      value = [low, this.#masked(high, term.width - 64)];
      memo.set(term, value);
    }
    return value;
  }

  #op(op: BinaryOp, a: Value, b: Value): Value {
    return this.#graph.binary(`${a.type}.${op}`, a, b);
  }

  #lower(term: Term): Value {
    const { width } = term;
    const type = typeOf(width);
    switch (term.op) {
      case "const":
        return this.#graph.constant(type, term.value);
      case "var":
        return this.#input(term);
      case "bound":
        return single(this.#bound(term));
      case "fold":
        return single(this.#fold(term.fold)[term.position]);
      case "not":
        if (width === 1) return this.#graph.unary("i32.eqz", this.zero(term.arg));
        return this.#op("xor", this.raw(term.arg), this.#graph.constant(type, -1n));
      case "neg":
        return this.#op("sub", this.#graph.constant(type, 0n), this.raw(term.arg));
      case "bswap":
        return this.#byteSwap(term.arg);
      case "or": {
        const smeared = smearedBy(term);
        return smeared === undefined
          ? this.#op("or", this.raw(term.left), this.raw(term.right))
          : this.#smear(this.zero(smeared));
      }
      case "add":
      case "sub":
      case "mul":
      case "and":
      case "xor":
        return this.#op(term.op, this.raw(term.left), this.raw(term.right));
      case "udiv":
      case "urem":
      case "sdiv":
      case "srem":
        return this.#divide(term);
      case "shl":
        return this.#shift(this.raw(term.left), "shl", term, this.#graph.constant(type, 0n));
      case "lshr":
        return this.#shift(this.zero(term.left), "shr_u", term, this.#graph.constant(type, 0n));
      case "ashr": {
        const value = this.sign(term.left);
        const last = this.#graph.constant(type, BigInt(bitsOf(type) - 1));
        return this.#shift(value, "shr_s", term, this.#op("shr_s", value, last));
      }
      case "eq":
      case "ult":
      case "ule":
      case "slt":
      case "sle": {
        const [op, isSigned] = COMPARISON[term.op];
        if (term.left.width > 64)
          return pairs.compare(
            this.#graph,
            term.op,
            this.pair(term.left),
            this.pair(term.right),
            term.left.width,
          );
        return isSigned
          ? this.#op(op, this.sign(term.left), this.sign(term.right))
          : this.#op(op, this.zero(term.left), this.zero(term.right));
      }
      case "ite":
        return this.#graph.select(this.zero(term.condition), this.raw(term.ifTrue), this.raw(term.ifFalse));
      case "extract":
        return this.#extract(term.arg, term.low, width);
      case "zext":
        return this.#converted(this.zero(term.arg), type, "u");
      case "sext":
        return this.#converted(this.sign(term.arg), type, "s");
      case "concat": {
        const high = this.#converted(this.raw(term.high), type, "u");
        const low = this.#converted(this.zero(term.low), type, "u");
        const count = this.#graph.constant(type, BigInt(term.low.width));
        return this.#op("or", this.#op("shl", high, count), low);
      }
      default:
        throw unknown(term);
    }
  }

  /** The value in another type; from i64 to i32 the low half. */
  #converted(value: Value, type: ValueType, extension: "u" | "s"): Value {
    if (value.type === type) return value;
    return this.#graph.unary(type === "i32" ? "i32.wrap_i64" : `i64.extend_i32_${extension}`, value);
  }

  #extract(arg: Term, low: number, width: number): Value {
    if (arg.width > 64) {
      const [lower, upper] = this.pair(arg);
      const moved = pairs.shiftRight(this.#graph, [lower, upper], low);
      return this.#converted(moved[0], typeOf(width), "u");
    }
    const value = this.raw(arg);
    // A top bit is the sign: a comparison, which a choice that hangs on it can use as it is.
    if (width === 1 && low === bitsOf(value.type) - 1)
      return this.#op("lt_s", value, this.#graph.constant(value.type, 0n));
    const count = this.#graph.constant(value.type, BigInt(low));
    return this.#converted(this.#op("shr_u", value, count), typeOf(width), "u");
  }

  /** A shift of `value`, the left operand in the form it needs; `past` is the result for counts at or past the width. */
  #shift(value: Value, op: "shl" | "shr_u" | "shr_s", { right, width }: Binary<number>, past: Value): Value {
    const count = this.zero(right);
    const shifted = this.#op(op, value, count);
    // Counts between the width and the type's width need no care: the form of the operand, or the masking of the result, sees to it.
    const limit = bitsOf(value.type);
    if (2 ** count.bits <= limit) return shifted;
    if (count.kind === "constant") return count.value < BigInt(width) ? shifted : past;
    return this.#graph.select(
      this.#op("lt_u", count, this.#graph.constant(count.type, BigInt(limit))),
      shifted,
      past,
    );
  }

  /** The divisor is replaced where the instruction would trap, so that it may be computed anywhere; its result is not used there. */
  #divide({ op, left, right, width }: Binary<number>): Value {
    const graph = this.#graph;
    const isSigned = op === "sdiv" || op === "srem";
    const [a, b] = isSigned ? [this.sign(left), this.sign(right)] : [this.zero(left), this.zero(right)];
    const { type } = a;
    const number = (n: bigint): Value => graph.constant(type, n);
    const [zero, one, minusOne] = [number(0n), number(1n), number(-1n)];
    const byZero = this.#op("eq", b, zero);
    switch (op) {
      case "udiv":
        return graph.select(byZero, minusOne, this.#op("div_u", a, graph.select(byZero, one, b)));
      case "urem":
        return graph.select(byZero, a, this.#op("rem_u", a, graph.select(byZero, one, b)));
      case "srem":
        return graph.select(byZero, a, this.#op("rem_s", a, graph.select(byZero, one, b)));
      default: {
        const byMinusOne = this.#op("eq", b, minusOne);
        // The minimum of a narrower width is not that of the type.
        const unsafe = width === bitsOf(type) ? graph.binary("i32.or", byZero, byMinusOne) : byZero;
        const quotient = this.#op("div_s", a, graph.select(unsafe, one, b));
        const whole =
          width === bitsOf(type) ? graph.select(byMinusOne, this.#op("sub", zero, a), quotient) : quotient;
        return graph.select(byZero, graph.select(this.#op("lt_s", a, zero), one, minusOne), whole);
      }
    }
  }

  /** Every bit at or below the highest one set. */
  #smear(value: Value): Value {
    const { type } = value;
    const zero = this.#graph.constant(type, 0n);
    const ones = this.#op("shr_u", this.#graph.constant(type, -1n), this.#graph.unary(`${type}.clz`, value));
    // A count of all bits shifts by none.
    return this.#graph.select(this.#op("eq", value, zero), zero, ones);
  }

  #byteSwap(arg: Term): Value {
    const { width } = arg;
    const value = this.raw(arg);
    const { type } = value;
    const limit = bitsOf(type);
    const number = (n: bigint): Value => this.#graph.constant(type, n);
    /** Swaps neighbours of `size` bits; `mask` has the lower one of each pair. */
    const swap = (v: Value, size: bigint, mask: bigint): Value =>
      this.#op(
        "or",
        this.#op("shl", this.#op("and", v, number(mask)), number(size)),
        this.#op("and", this.#op("shr_u", v, number(size)), number(mask)),
      );
    let swapped = swap(value, 8n, 0x00ff00ff00ff00ffn);
    if (limit === 64) swapped = swap(swapped, 16n, 0x0000ffff0000ffffn);
    swapped = this.#op("rotl", swapped, number(BigInt(limit / 2)));
    return this.#op("shr_u", swapped, number(BigInt(limit - width)));
  }

  #bound(term: BoundVariable<number>): Value | Pair {
    const frame = this.#frames[term.level];
    const value = term.position === "index" ? frame?.index : frame?.state[term.position];
    if (value === undefined) throw new TermError("a bound variable outside its fold");
    return value;
  }

  /** The final state. */
  #fold(fold: Fold): readonly (Value | Pair)[] {
    const memo = (this.#folds[levelOf(fold)] ??= new Map());
    let results = memo.get(fold);
    if (results === undefined) {
      results = this.#run(fold);
      memo.set(fold, results);
    }
    return results;
  }

  /** The value or values of a term in their final form, as a fold's state has them. */
  #words(terms: readonly Term[]): Value[] {
    return terms.flatMap((t) => (t.width > 64 ? this.pair(t) : [this.zero(t)]));
  }

  #run({ level, count, init, step, condition }: Fold): readonly (Value | Pair)[] {
    /** The components that `words` makes up. */
    const components = (words: readonly Value[]): (Value | Pair)[] => {
      let next = 0;
      const take = (): Value => {
        const word = words[next++];
        if (word === undefined) throw new Error("a fold's state has too few words");
        return word;
      };
      return init.map(({ width }) => (width > 64 ? ([take(), take()] as const) : take()));
    };
    const first = this.#words(init);
    if (count === 0) return components(first);
    const bits = init.flatMap(({ width }) => (width > 64 ? [64, width - 64] : [width]));
    const frame = this.#frames[level];
    const [narrow, wide, folds] = [this.#narrow[level], this.#wide[level], this.#folds[level]];
    this.#narrow[level] = new Map();
    this.#wide[level] = new Map();
    this.#folds[level] = new Map();
    const results = this.#graph.loop(count, first, bits, (state, index) => {
      this.#frames[level] = { state: components(state), index };
      return { step: this.#words(step), condition: condition && this.zero(condition) };
    });
    this.#frames[level] = frame;
    this.#narrow[level] = narrow ?? new Map();
    this.#wide[level] = wide ?? new Map();
    this.#folds[level] = folds ?? new Map();
    return components(results);
  }

  #lowerWide(term: Term): Pair {
    const graph = this.#graph;
    const { width } = term;
    switch (term.op) {
      case "const":
        return [graph.constant("i64", term.value), graph.constant("i64", term.value >> 64n)];
      case "bound":
        return double(this.#bound(term));
      case "fold":
        return double(this.#fold(term.fold)[term.position]);
      case "not":
        return pairs.not(graph, this.pair(term.arg));
      case "neg":
        return pairs.sub(graph, pairs.number(graph, 0n), this.pair(term.arg));
      case "add":
        return pairs.add(graph, this.pair(term.left), this.pair(term.right));
      case "sub":
        return pairs.sub(graph, this.pair(term.left), this.pair(term.right));
      case "mul":
        return pairs.mul(graph, this.pair(term.left), this.pair(term.right));
      case "and":
      case "or":
      case "xor":
        return pairs.bitwise(graph, term.op, this.pair(term.left), this.pair(term.right));
      case "shl":
      case "lshr":
      case "ashr":
        return pairs.shift(graph, term.op, this.pair(term.left), this.pair(term.right), width);
      case "ite":
        return pairs.select(
          graph,
          this.zero(term.condition),
          this.pair(term.ifTrue),
          this.pair(term.ifFalse),
        );
      case "extract":
        return pairs.shiftRight(graph, this.pair(term.arg), term.low);
      case "zext":
        return this.#extended(term.arg, "u");
      case "sext":
        return term.arg.width > 64
          ? pairs.signExtended(graph, this.pair(term.arg), term.arg.width)
          : this.#extended(term.arg, "s");
      case "concat": {
        const high = this.#extended(term.high, "u");
        return pairs.bitwise(
          graph,
          "or",
          pairs.shiftLeft(graph, high, term.low.width),
          this.#extended(term.low, "u"),
        );
      }
      default:
        throw new TermError(`${term.op} of ${width} bits has no WebAssembly reading`);
    }
  }

  #extended(arg: Term, extension: "u" | "s"): Pair {
    if (arg.width > 64) return this.pair(arg);
    if (extension === "u")
      return [this.#converted(this.zero(arg), "i64", "u"), this.#graph.constant("i64", 0n)];
    const low = this.#converted(this.sign(arg), "i64", "s");
    return [low, this.#op("shr_s", low, this.#graph.constant("i64", 63n))];
  }
}

/**
 * `x`, if the term is x with every bit below its highest one set too, written as doublings: x | x >> 1, of that y | y >> 2, and so on
 * up to half of the width. WebAssembly counts leading zeros instead.
 */
function smearedBy(term: Term): Term | undefined {
  if (term.width < 2) return undefined;
  let inner = term;
  for (let distance = 2 ** (31 - Math.clz32(term.width - 1)); distance >= 1; distance /= 2) {
    if (inner.op !== "or" || inner.right.op !== "lshr" || inner.right.left !== inner.left) return undefined;
    const { right: count } = inner.right;
    if (count.op !== "const" || count.value !== BigInt(distance)) return undefined;
    inner = inner.left;
  }
  return inner;
}

function single(value: Value | Pair | undefined): Value {
  if (value === undefined || "length" in value) throw new Error("a pair for a narrow term");
  return value;
}

function double(value: Value | Pair | undefined): Pair {
  if (value === undefined || !("length" in value)) throw new Error("one value for a wide term");
  return value;
}

const unknown = (term: never): Error => new Error(`no term: ${JSON.stringify(term)}`);
