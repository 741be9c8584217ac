/**
 * Terms over fixed-width bit-vectors: the one notation in which soundcheck says what an instruction and an abstract operator do.
 *
 * A term is an immutable node of a directed acyclic graph. Equal terms are the same object (hash consing), so identity is equality
 * and a shared subterm is computed once by every reading. The meaning of each operator is that of SMT-LIB's theory
 * FixedSizeBitVectors (also where it is total by convention: `udiv` by zero is all ones, `urem` by zero is the dividend).
 * What RFC 9669 wants of division by zero is written out in the instruction table, not hidden here.
 *
 * The readings recurse, so a chain of operators may be about a thousand deep; a longer one is a fold.
 *
 * Widths run from 1 to 64, and to 128 where a product needs its upper half. A truth value is a term of width 1.
 */

export type UnaryOp = "not" | "neg" | "bswap";
type DivisionOp = "udiv" | "urem" | "sdiv" | "srem";
export type BinaryOp = "add" | "sub" | "mul" | DivisionOp | "and" | "or" | "xor" | "shl" | "lshr" | "ashr";
export type CompareOp = "eq" | "ult" | "ule" | "slt" | "sle";

interface Node<N extends number> {
  /** Width in bits. */
  readonly width: N;
  /** Position in the table of all terms; arguments have smaller ids than the terms they are part of. */
  readonly id: number;
  /** The fold levels whose bound variables occur free in this term, a bit each. */
  readonly bound: number;
}

interface Constant<N extends number> extends Node<N> {
  readonly op: "const";
  /** The value, in [0, 2^width). */
  readonly value: bigint;
}

export interface Variable<N extends number> extends Node<N> {
  readonly op: "var";
  readonly name: string;
}

/** A state component, or the step's index, inside the step of a fold. */
export interface BoundVariable<N extends number> extends Node<N> {
  readonly op: "bound";
  readonly level: number;
  /** The component's position in the fold's state; the step's index is `"index"`. */
  readonly position: number | "index";
}

interface Unary<N extends number> extends Node<N> {
  readonly op: UnaryOp;
  readonly arg: Term;
}

export interface Binary<N extends number> extends Node<N> {
  readonly op: BinaryOp;
  readonly left: Term;
  readonly right: Term;
}

interface Compare<N extends number> extends Node<N> {
  readonly op: CompareOp;
  readonly left: Term;
  readonly right: Term;
}

interface Ite<N extends number> extends Node<N> {
  readonly op: "ite";
  readonly condition: Term<1>;
  readonly ifTrue: Term;
  readonly ifFalse: Term;
}

interface Extract<N extends number> extends Node<N> {
  readonly op: "extract";
  readonly arg: Term;
  /** The lowest bit taken; the term's own width says how many. */
  readonly low: number;
}

interface Extend<N extends number> extends Node<N> {
  readonly op: "zext" | "sext";
  readonly arg: Term;
}

interface Concat<N extends number> extends Node<N> {
  readonly op: "concat";
  readonly high: Term;
  readonly low: Term;
}

/**
 * A loop of at most `count` steps over a tuple of components, starting from `init`. Before each step the loop ends if `condition`
 * is given and false. `step` and `condition` speak of the state through bound variables of `level`; `step` may also use the
 * index of the step (0, 1, …), `condition` may not: once false it stays false, so that leaving the loop and idling are the same.
 */
export interface Fold {
  readonly id: number;
  readonly bound: number;
  readonly level: number;
  readonly count: number;
  readonly init: readonly Term[];
  readonly step: readonly Term[];
  readonly condition: Term<1> | undefined;
}

/** One component of a fold's final state. */
interface Projection<N extends number> extends Node<N> {
  readonly op: "fold";
  readonly fold: Fold;
  readonly position: number;
}

/** A term of width `N`. */
export type Term<N extends number = number> =
  | Constant<N>
  | Variable<N>
  | BoundVariable<N>
  | Unary<N>
  | Binary<N>
  | Compare<N>
  | Ite<N>
  | Extract<N>
  | Extend<N>
  | Concat<N>
  | Projection<N>;

export const MAX_WIDTH = 128;
/** Division is defined to this width; nothing needs a wider one. */
export const MAX_DIVISION_WIDTH = 64;
/** Width of a fold step's index. */
export const INDEX_WIDTH = 8;

/** The terms a node is built from, in the order a reading needs them. A fold counts as its initial values only. */
export function argumentsOf(term: Term): readonly Term[] {
  switch (term.op) {
    case "const":
    case "var":
    case "bound":
      return [];
    case "not":
    case "neg":
    case "bswap":
    case "extract":
    case "zext":
    case "sext":
      return [term.arg];
    case "ite":
      return [term.condition, term.ifTrue, term.ifFalse];
    case "concat":
      return [term.high, term.low];
    case "fold":
      return term.fold.init;
    default:
      return [term.left, term.right];
  }
}

/** The innermost fold level that a term (or a fold) depends on; 0 if none. */
export const levelOf = ({ bound }: { readonly bound: number }): number =>
  bound === 0 ? 0 : 31 - Math.clz32(bound);

/** Everything that the terms are made of, operands before what they are operands of; a fold's step and condition among it. */
export function termsIn(roots: readonly Term[]): ReadonlySet<Term> {
  const visited = new Set<Term>();
  const visit = (term: Term): void => {
    if (visited.has(term)) return;
    for (const argument of argumentsOf(term)) visit(argument);
    if (term.op === "fold") {
      for (const part of term.fold.step) visit(part);
      if (term.fold.condition !== undefined) visit(term.fold.condition);
    }
    visited.add(term);
  };
  for (const root of roots) visit(root);
  return visited;
}

/** The free variables of each term that was asked about: proofs ask of the same ones again and again. */
const known = new WeakMap<Term, readonly Variable<number>[]>();

function variablesIn(root: Term): readonly Variable<number>[] {
  let variables = known.get(root);
  if (variables === undefined) {
    variables = [...termsIn([root])].filter((term) => term.op === "var");
    known.set(root, variables);
  }
  return variables;
}

/** The free variables of the terms, in the order of their first use. */
export const variablesOf = (roots: readonly Term[]): readonly Variable<number>[] => [
  ...new Set(roots.flatMap(variablesIn)),
];
