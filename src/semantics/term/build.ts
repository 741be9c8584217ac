/**
 * Constructors of terms. Each checks its operands' widths, whatever the types said, and returns the one node that stands for the
 * term. A width that does not fit is a mistake in a definition, not in a user's input: an assertion, thrown as `TermError`.
 *
 * Where the types can follow the width they do (`add(x: Term<64>, y: Term<32>)` does not compile); `extract`, `concat` and the
 * extensions take their result's width as an argument, so that it is written where it is decided.
 */
import {
  argumentsOf,
  type BinaryOp,
  type CompareOp,
  type Fold,
  INDEX_WIDTH,
  MAX_DIVISION_WIDTH,
  MAX_WIDTH,
  type Term,
  type UnaryOp,
} from "./node.ts";

export class TermError extends Error {
  override readonly name = "TermError";
}

function require(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new TermError(message());
}

// --- The table of all terms. Keys are numbers made of ids, one map for each shape: string keys dominated the cost of building.

const ID_LIMIT = 2 ** 26;
let nextId = 0;
const tables = new Map<string, Map<number | bigint | string, Term>>();

function tableOf(shape: string): Map<number | bigint | string, Term> {
  let table = tables.get(shape);
  if (table === undefined) {
    table = new Map();
    tables.set(shape, table);
  }
  return table;
}

function takeId(): number {
  require(nextId < ID_LIMIT, () => "too many terms");
  return nextId++;
}

/**
 * The term for `key` in the table of `shape`. The table's shape and key determine the width, so what is found has width `N`;
 * this is the one place where that is asserted rather than derived.
 */
function intern<N extends number>(
  shape: string,
  key: number | bigint | string,
  make: (id: number) => Term<N>,
): Term<N> {
  const table = tableOf(shape);
  const found = table.get(key);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  if (found !== undefined) return found as Term<N>;
  const made = make(takeId());
  table.set(key, made);
  return made;
}

function checkWidth(width: number): void {
  require(Number.isInteger(width) && width >= 1 && width <= MAX_WIDTH, () =>
    `width ${width} is not in 1..${MAX_WIDTH}`);
}

function pair(a: Term, b: Term): number {
  return a.id * ID_LIMIT + b.id;
}

// --- Leaves

/** The constant `value` modulo 2^width; negative values are two's complement. */
export function constant<N extends number>(width: N, value: bigint | number): Term<N> {
  checkWidth(width);
  const wrapped = BigInt.asUintN(width, BigInt(value));
  return intern(`const:${width}`, wrapped, (id) => ({ op: "const", width, id, bound: 0, value: wrapped }));
}

/** A free variable. Two variables are the same if name and width are. */
export function variable<N extends number>(name: string, width: N): Term<N> {
  checkWidth(width);
  return intern(`var:${width}`, name, (id) => ({ op: "var", width, id, bound: 0, name }));
}

export const TRUE: Term<1> = constant(1, 1);
export const FALSE: Term<1> = constant(1, 0);

// --- Arithmetic and logic

function unary<N extends number>(op: UnaryOp, arg: Term<N>): Term<N> {
  const { width, bound } = arg;
  return intern(op, arg.id, (id) => ({ op, width, id, bound, arg }));
}

function binary<N extends number>(op: BinaryOp, left: Term<N>, right: Term<N>): Term<N> {
  require(left.width === right.width, () => `${op}: widths ${left.width} and ${right.width} differ`);
  const { width } = left;
  return intern(op, pair(left, right), (id) => ({
    op,
    width,
    id,
    bound: left.bound | right.bound,
    left,
    right,
  }));
}

function division<N extends number>(op: BinaryOp, left: Term<N>, right: Term<N>): Term<N> {
  require(left.width <= MAX_DIVISION_WIDTH, () => `${op}: width ${left.width} is over ${MAX_DIVISION_WIDTH}`);
  return binary(op, left, right);
}

function compare(op: CompareOp, left: Term, right: Term): Term<1> {
  require(left.width === right.width, () => `${op}: widths ${left.width} and ${right.width} differ`);
  return intern(op, pair(left, right), (id) => ({
    op,
    width: 1,
    id,
    bound: left.bound | right.bound,
    left,
    right,
  }));
}

export const not = <N extends number>(a: Term<N>): Term<N> => unary("not", a);
/** Two's complement negation. */
export const neg = <N extends number>(a: Term<N>): Term<N> => unary("neg", a);
/** Reverses the order of bytes; the width must be a multiple of 8. */
export function bswap<N extends number>(a: Term<N>): Term<N> {
  require(a.width % 8 === 0 && a.width <= 64, () => `bswap: width ${a.width} is not 8, 16, …, 64`);
  return unary("bswap", a);
}

export const add = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => binary("add", a, b);
export const sub = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => binary("sub", a, b);
export const mul = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => binary("mul", a, b);
/** Unsigned quotient; all ones for a zero divisor. */
export const udiv = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => division("udiv", a, b);
/** Unsigned remainder; the dividend for a zero divisor. */
export const urem = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => division("urem", a, b);
/** Signed quotient, truncated; minimum / -1 is the minimum; by zero, 1 for a negative dividend and -1 otherwise. */
export const sdiv = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => division("sdiv", a, b);
/** Signed remainder with the dividend's sign; the dividend for a zero divisor. */
export const srem = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => division("srem", a, b);
export const and = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => binary("and", a, b);
export const or = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => binary("or", a, b);
export const xor = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => binary("xor", a, b);
/** Left shift; 0 for a count at or past the width. */
export const shl = <N extends number>(a: Term<N>, count: Term<NoInfer<N>>): Term<N> =>
  binary("shl", a, count);
/** Logical right shift; 0 for a count at or past the width. */
export const lshr = <N extends number>(a: Term<N>, count: Term<NoInfer<N>>): Term<N> =>
  binary("lshr", a, count);
/** Arithmetic right shift; copies of the sign for a count at or past the width. */
export const ashr = <N extends number>(a: Term<N>, count: Term<NoInfer<N>>): Term<N> =>
  binary("ashr", a, count);

// --- Comparisons

export const eq = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("eq", a, b);
export const ne = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => not(compare("eq", a, b));
export const ult = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("ult", a, b);
export const ule = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("ule", a, b);
export const ugt = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("ult", b, a);
export const uge = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("ule", b, a);
export const slt = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("slt", a, b);
export const sle = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("sle", a, b);
export const sgt = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("slt", b, a);
export const sge = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<1> => compare("sle", b, a);

/** Conjunction of truth values; true for none. */
export const all = (...conditions: readonly Term<1>[]): Term<1> =>
  conditions.length === 0 ? TRUE : conditions.reduce((a, b) => and(a, b));
/** Disjunction of truth values; false for none. */
export const any = (...conditions: readonly Term<1>[]): Term<1> =>
  conditions.length === 0 ? FALSE : conditions.reduce((a, b) => or(a, b));

// --- Choice and width

/** `ifTrue` where the condition is 1, else `otherwise`. Both are evaluated: a reading may not rely on the condition to guard a division. */
export function ite<N extends number>(
  condition: Term<1>,
  ifTrue: Term<N>,
  ifFalse: Term<NoInfer<N>>,
): Term<N> {
  require(condition.width === 1, () => `ite: condition of width ${condition.width}`);
  require(ifTrue.width === ifFalse.width, () => `ite: widths ${ifTrue.width} and ${ifFalse.width} differ`);
  if (ifTrue === ifFalse) return ifTrue;
  const { width } = ifTrue;
  const bound = condition.bound | ifTrue.bound | ifFalse.bound;
  return intern(`ite:${condition.id}`, pair(ifTrue, ifFalse), (id) => ({
    op: "ite",
    width,
    id,
    bound,
    condition,
    ifTrue,
    ifFalse,
  }));
}

export const umin = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => ite(ult(b, a), b, a);
export const umax = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => ite(ult(a, b), b, a);
export const smin = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => ite(slt(b, a), b, a);
export const smax = <N extends number>(a: Term<N>, b: Term<NoInfer<N>>): Term<N> => ite(slt(a, b), b, a);

/** Bits `low` … `low + width - 1` of `a`. */
export function extract<N extends number>(width: N, a: Term, low = 0): Term<N> {
  checkWidth(width);
  require(Number.isInteger(low) && low >= 0 && low + width <= a.width, () =>
    `extract: bits ${low}..${low + width - 1} of ${a.width}`);
  return intern(`extract:${width}:${low}`, a.id, (id) => ({
    op: "extract",
    width,
    id,
    bound: a.bound,
    arg: a,
    low,
  }));
}

function extend<N extends number>(op: "zext" | "sext", width: N, a: Term): Term<N> {
  checkWidth(width);
  require(width >= a.width, () => `${op}: from ${a.width} to ${width} bits`);
  return intern(`${op}:${width}`, a.id, (id) => ({ op, width, id, bound: a.bound, arg: a }));
}

/** Zero extension to `width` bits. */
export const zext = <N extends number>(width: N, a: Term): Term<N> => extend("zext", width, a);
/** Sign extension to `width` bits. */
export const sext = <N extends number>(width: N, a: Term): Term<N> => extend("sext", width, a);

/** `high` above `low`; `width` is the sum of their widths. */
export function concat<N extends number>(width: N, high: Term, low: Term): Term<N> {
  checkWidth(width);
  require(high.width + low.width === width, () =>
    `concat: ${high.width} + ${low.width} is not ${width} bits`);
  return intern(`concat:${width}`, pair(high, low), (id) => ({
    op: "concat",
    width,
    id,
    bound: high.bound | low.bound,
    high,
    low,
  }));
}

// --- Bounded loops

/** The fold level of the step under construction; nested folds count up. */
let level = 0;
const MAX_LEVEL = 8;
const folds = new Map<string, Fold>();

function boundVariable<N extends number>(width: N, at: number, position: number | "index"): Term<N> {
  return intern(`bound:${width}`, `${at}:${position}`, (id) => ({
    op: "bound",
    width,
    id,
    bound: 1 << at,
    level: at,
    position,
  }));
}

/** The terms of a tuple of widths. */
export type Tuple<S extends readonly number[]> = { readonly [I in keyof S]: Term<S[I]> };

/**
 * A loop: at most `count` steps (0 … 255) from `init`, ended early by `condition`. Returns the final state.
 *
 * @param options.widths  the widths of the state's components
 * @param options.step  the next state from the state and the step's index (of 8 bits)
 * @param options.condition  goes on while 1; a function of the state alone (see `Fold`)
 */
export function fold<const S extends readonly number[]>(options: {
  readonly widths: S;
  readonly count: number;
  readonly init: Tuple<S>;
  readonly step: (state: Tuple<S>, index: Term<typeof INDEX_WIDTH>) => Tuple<S>;
  readonly condition?: (state: Tuple<S>) => Term<1>;
}): Tuple<S> {
  const { widths, count } = options;
  require(Number.isInteger(count) && count >= 0 && count < 2 ** INDEX_WIDTH, () => `fold: ${count} steps`);
  require(level + 1 < MAX_LEVEL, () => "fold: nested too deep");
  level += 1;
  const own = level;
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- mapping a tuple type needs it; widths are checked below
    const state = widths.map((w, i) => boundVariable(w, own, i)) as unknown as Tuple<S>;
    const index = boundVariable(INDEX_WIDTH, own, "index");
    const step: readonly Term[] = options.step(state, index);
    const condition = options.condition?.(state);
    const init: readonly Term[] = options.init;
    require(init.length === widths.length && step.length === widths.length, () =>
      "fold: state and step differ in length");
    widths.forEach((w, i) => {
      require(init[i]?.width === w && step[i]?.width === w, () =>
        `fold: component ${i} is not of width ${w}`);
    });
    require(condition === undefined || condition.width === 1, () => "fold: condition is not of width 1");
    require(condition === undefined || !mentions(condition, index), () =>
      "fold: the condition uses the step's index");
    const made = internFold({ level: own, count, init, step, condition });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return widths.map((width, position) => projection(made, position, width)) as unknown as Tuple<S>;
  } finally {
    level -= 1;
  }
}

const projection = <N extends number>(fold: Fold, position: number, width: N): Term<N> =>
  intern(`fold:${position}`, fold.id, (id) => ({
    op: "fold",
    width,
    id,
    bound: fold.bound,
    fold,
    position,
  }));

function internFold(parts: Omit<Fold, "id" | "bound">): Fold {
  const ids = (terms: readonly Term[]): string => terms.map((t) => t.id).join(",");
  const key = `${parts.level}:${parts.count}:${ids(parts.init)}:${ids(parts.step)}:${parts.condition?.id ?? ""}`;
  const found = folds.get(key);
  if (found !== undefined) return found;
  const inside = [...parts.step, ...(parts.condition === undefined ? [] : [parts.condition])];
  const outer = inside.reduce((bits, t) => bits | t.bound, 0) & ~(1 << parts.level);
  const made: Fold = { ...parts, id: takeId(), bound: parts.init.reduce((bits, t) => bits | t.bound, outer) };
  folds.set(key, made);
  return made;
}

/**
 * The same operator on other operands: `replaced` gives what stands in the place of each. Inside a fold it is asked for the step's parts
 * too; what it gives there must not lean on bound variables that are not free in what it replaces.
 */
export function rebuild(term: Term, replaced: (part: Term) => Term): Term {
  switch (term.op) {
    case "const":
    case "var":
    case "bound":
      return term;
    case "not":
    case "neg":
    case "bswap":
      return unary(term.op, replaced(term.arg));
    case "extract":
      return extract(term.width, replaced(term.arg), term.low);
    case "zext":
      return zext(term.width, replaced(term.arg));
    case "sext":
      return sext(term.width, replaced(term.arg));
    case "concat":
      return concat(term.width, replaced(term.high), replaced(term.low));
    case "ite":
      return ite(truth(replaced(term.condition)), replaced(term.ifTrue), replaced(term.ifFalse));
    case "eq":
    case "ult":
    case "ule":
    case "slt":
    case "sle":
      return compare(term.op, replaced(term.left), replaced(term.right));
    case "fold":
      return projection(rebuildFold(term.fold, replaced), term.position, term.width);
    default:
      return binary(term.op, replaced(term.left), replaced(term.right));
  }
}

const rebuildFold = ({ level, count, init, step, condition }: Fold, replaced: (part: Term) => Term): Fold =>
  internFold({
    level,
    count,
    init: init.map(replaced),
    step: step.map(replaced),
    condition: condition === undefined ? undefined : truth(replaced(condition)),
  });

/** A term that is a truth value by its width, as one by its type. */
export function truth(term: Term): Term<1> {
  require(term.width === 1, () => `a truth value of width ${term.width}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just checked
  return term as Term<1>;
}

function mentions(term: Term, wanted: Term): boolean {
  const seen = new Set<Term>();
  const visit = (t: Term): boolean => {
    if (t === wanted) return true;
    if (seen.has(t) || (t.bound & wanted.bound) === 0) return false;
    seen.add(t);
    return argumentsOf(t).some(visit) || (t.op === "fold" && t.fold.step.some(visit));
  };
  return visit(term);
}
