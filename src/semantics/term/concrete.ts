/** Terms as numbers: the reference that the other readings are held against. Slow, and meant to be seen to be right. */
import { TermError } from "./build.ts";
import { type BinaryOp, type CompareOp, type Fold, levelOf, type Term } from "./node.ts";

/** Values in [0, 2^width) by variable. */
export type Environment = ReadonlyMap<Term, bigint>;

/** The value of `term` in [0, 2^width); throws `TermError` if `environment` lacks a variable that it needs. */
export function evaluate(term: Term, environment: Environment): bigint {
  return evaluator(environment)(term);
}

/** As `evaluate`, for many terms: what they share is computed once. */
export function evaluator(environment: Environment): (term: Term) => bigint {
  /** What is known, by the level of the innermost fold it depends on: a step of a fold forgets its own. */
  const known: Map<Term | Fold, bigint | readonly bigint[]>[] = [];
  /** The state of each fold being run and the number of steps done, by level. */
  const states: ({ readonly state: readonly bigint[]; readonly index: number } | undefined)[] = [];

  const memoised = <K extends Term | Fold, V extends bigint | readonly bigint[]>(
    key: K,
    compute: (key: K) => V,
  ): V => {
    const memo = (known[levelOf(key)] ??= new Map());
    const found = memo.get(key);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set below, from the same kind of key
    if (found !== undefined) return found as V;
    const value = compute(key);
    memo.set(key, value);
    return value;
  };
  const value = (term: Term): bigint => memoised(term, compute);

  const compute = (term: Term): bigint => {
    const { width } = term;
    const wrap = (x: bigint): bigint => BigInt.asUintN(width, x);
    switch (term.op) {
      case "const":
        return term.value;
      case "var": {
        const given = environment.get(term);
        if (given === undefined) throw new TermError(`no value for ${term.name} (${width} bits)`);
        return wrap(given);
      }
      case "bound": {
        const at = states[term.level];
        const component = term.position === "index" ? at && BigInt(at.index) : at?.state[term.position];
        if (component === undefined) throw new TermError("a bound variable outside its fold");
        return component;
      }
      case "not":
        return wrap(~value(term.arg));
      case "neg":
        return wrap(-value(term.arg));
      case "bswap":
        return swapBytes(value(term.arg), width / 8);
      case "ite":
        return value(term.condition) === 1n ? value(term.ifTrue) : value(term.ifFalse);
      case "extract":
        return wrap(value(term.arg) >> BigInt(term.low));
      case "zext":
        return value(term.arg);
      case "sext":
        return wrap(BigInt.asIntN(term.arg.width, value(term.arg)));
      case "concat":
        return (value(term.high) << BigInt(term.low.width)) | value(term.low);
      case "fold":
        return component(memoised(term.fold, run), term.position);
      case "eq":
      case "ult":
      case "ule":
      case "slt":
      case "sle":
        return compare(term.op, value(term.left), value(term.right), term.left.width) ? 1n : 0n;
      default:
        return wrap(calculate(term.op, value(term.left), value(term.right), width));
    }
  };

  const run = ({ level, count, init, step, condition }: Fold): readonly bigint[] => {
    const [outerMemo, outerState] = [known[level] ?? new Map(), states[level]];
    let state: readonly bigint[] = init.map(value);
    for (let index = 0; index < count; index++) {
      known[level] = new Map();
      states[level] = { state, index };
      if (condition !== undefined && value(condition) === 0n) break;
      state = step.map(value);
    }
    known[level] = outerMemo;
    states[level] = outerState;
    return state;
  };
  return value;
}

function component(values: readonly bigint[], position: number): bigint {
  const found = values[position];
  if (found === undefined) throw new TermError(`a fold has no component ${position}`);
  return found;
}

function swapBytes(value: bigint, bytes: number): bigint {
  let swapped = 0n;
  for (let i = 0; i < bytes; i++) swapped = (swapped << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
  return swapped;
}

function compare(op: CompareOp, a: bigint, b: bigint, width: number): boolean {
  const [x, y] = [BigInt.asIntN(width, a), BigInt.asIntN(width, b)];
  switch (op) {
    case "eq":
      return a === b;
    case "ult":
      return a < b;
    case "ule":
      return a <= b;
    case "slt":
      return x < y;
    default:
      return x <= y;
  }
}

/** `a op b` in some representative modulo 2^width, for operands in [0, 2^width). */
function calculate(op: BinaryOp, a: bigint, b: bigint, width: number): bigint {
  const [x, y] = [BigInt.asIntN(width, a), BigInt.asIntN(width, b)];
  const past = b >= BigInt(width);
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "udiv":
      return b === 0n ? -1n : a / b;
    case "urem":
      return b === 0n ? a : a % b;
    case "sdiv":
      if (b === 0n) return x < 0n ? 1n : -1n;
      return x / y;
    case "srem":
      return b === 0n ? x : x % y;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return past ? 0n : a << b;
    case "lshr":
      return past ? 0n : a >> b;
    default:
      return past ? x >> BigInt(width) : x >> b;
  }
}
