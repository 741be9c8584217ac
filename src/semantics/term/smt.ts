/**
 * Terms as SMT-LIB 2.6 text in the logic QF_BV, for any solver.
 *
 * Every term has a name, so that what is shared is written once and the text grows with the number of terms. The names are bound by `let`, around one
 * assertion: Z3 does not eliminate a variable that a `define-fun` mentions, which costs it the easiest of proofs. A fold is unrolled:
 * its step is written out for each of its turns. What is true or false by its operator (a comparison, and what `and`, `or`, `xor`,
 * `not` and `ite` make of such terms) is a Bool, any other term a bit-vector, also of width 1; each is converted where the other is wanted.
 */
import { TermError } from "./build.ts";
import { type Fold, INDEX_WIDTH, levelOf, type Term } from "./node.ts";
import { symbolOf, variablesToDeclare } from "./symbols.ts";

const OPERATOR = {
  not: "bvnot",
  neg: "bvneg",
  add: "bvadd",
  sub: "bvsub",
  mul: "bvmul",
  udiv: "bvudiv",
  urem: "bvurem",
  sdiv: "bvsdiv",
  srem: "bvsrem",
  and: "bvand",
  or: "bvor",
  xor: "bvxor",
  shl: "bvshl",
  lshr: "bvlshr",
  ashr: "bvashr",
  eq: "=",
  ult: "bvult",
  ule: "bvule",
  slt: "bvslt",
  sle: "bvsle",
} as const;

const CONNECTIVE = { and: "and", or: "or", xor: "xor" } as const;

/** An expression with its sort. */
interface Text {
  readonly text: string;
  readonly isBool: boolean;
}

const bits = (text: string): Text => ({ text, isBool: false });
const bool = (text: string): Text => ({ text, isBool: true });
const asBits = ({ text, isBool }: Text): string => (isBool ? `(ite ${text} #b1 #b0)` : text);
const asBool = ({ text, isBool }: Text): string => (isBool ? text : `(= ${text} #b1)`);
const sort = (width: number): string => `(_ BitVec ${width})`;
const literal = (width: number, value: bigint): Text => bits(`(_ bv${value} ${width})`);

/** Declares the assertions' variables, names their terms and asserts that each is 1. */
export function toSmtLib(assertions: readonly Term<1>[]): string {
  const variables = variablesToDeclare(assertions);
  const writer = new Writer();
  const asserted = assertions.map((term) => asBool(writer.text(term)));
  const declared = variables.map((v) => `(declare-const ${symbolOf(v)} ${sort(v.width)})`);
  const { bindings } = writer;
  const [first = "true", ...others] = asserted;
  const all = others.length === 0 ? first : `(and ${asserted.join(" ")})`;
  const end = ")".repeat(bindings.length + 1);
  return `${[...declared, "(assert", ...bindings, all + end].join("\n")}\n`;
}

class Writer {
  /** The beginnings of `let` expressions, each inside the one before. */
  readonly bindings: string[] = [];
  /** What is written, by the level of the innermost fold it depends on: each turn of a fold forgets its own. */
  readonly #known: Map<Term, Text>[] = [];
  readonly #folds: Map<Fold, readonly Text[]>[] = [];
  readonly #states: ({ readonly state: readonly Text[]; readonly index: number } | undefined)[] = [];

  text(term: Term): Text {
    const memo = (this.#known[levelOf(term)] ??= new Map());
    let found = memo.get(term);
    if (found === undefined) {
      found = this.#name(this.#express(term));
      memo.set(term, found);
    }
    return found;
  }

  #name({ text, isBool }: Text): Text {
    if (!text.startsWith("(") || text.startsWith("(_ bv")) return { text, isBool };
    const name = `$${this.bindings.length}`;
    this.bindings.push(`(let ((${name} ${text}))`);
    return { text: name, isBool };
  }

  #bits(term: Term): string {
    return asBits(this.text(term));
  }

  #express(term: Term): Text {
    switch (term.op) {
      case "const":
        return literal(term.width, term.value);
      case "var":
        return bits(symbolOf(term));
      case "bound":
        return this.#bound(term.level, term.position);
      case "fold":
        return this.#component(this.#fold(term.fold), term.position);
      case "not": {
        const arg = this.text(term.arg);
        return arg.isBool ? bool(`(not ${arg.text})`) : bits(`(bvnot ${arg.text})`);
      }
      case "neg":
        return bits(`(bvneg ${this.#bits(term.arg)})`);
      case "bswap": {
        const arg = this.#bits(term.arg);
        const bytes = Array.from(
          { length: term.width / 8 },
          (_, i) => `((_ extract ${8 * i + 7} ${8 * i}) ${arg})`,
        );
        return bits(bytes.length === 1 ? arg : `(concat ${bytes.join(" ")})`);
      }
      case "extract":
        return bits(`((_ extract ${term.low + term.width - 1} ${term.low}) ${this.#bits(term.arg)})`);
      case "zext":
      case "sext": {
        const name = term.op === "zext" ? "zero_extend" : "sign_extend";
        return bits(`((_ ${name} ${term.width - term.arg.width}) ${this.#bits(term.arg)})`);
      }
      case "concat":
        return bits(`(concat ${this.#bits(term.high)} ${this.#bits(term.low)})`);
      case "ite": {
        const [yes, no] = [this.text(term.ifTrue), this.text(term.ifFalse)];
        return choice(asBool(this.text(term.condition)), yes, no);
      }
      case "and":
      case "or":
      case "xor": {
        const [a, b] = [this.text(term.left), this.text(term.right)];
        if (a.isBool || b.isBool) return bool(`(${CONNECTIVE[term.op]} ${asBool(a)} ${asBool(b)})`);
        return bits(`(${OPERATOR[term.op]} ${a.text} ${b.text})`);
      }
      case "eq":
      case "ult":
      case "ule":
      case "slt":
      case "sle":
        return bool(`(${OPERATOR[term.op]} ${this.#bits(term.left)} ${this.#bits(term.right)})`);
      default:
        return bits(`(${OPERATOR[term.op]} ${this.#bits(term.left)} ${this.#bits(term.right)})`);
    }
  }

  #bound(level: number, position: number | "index"): Text {
    const at = this.#states[level];
    if (at === undefined) throw new TermError("a bound variable outside its fold");
    return position === "index"
      ? literal(INDEX_WIDTH, BigInt(at.index))
      : this.#component(at.state, position);
  }

  #component(state: readonly Text[], position: number): Text {
    const found = state[position];
    if (found === undefined) throw new TermError(`a fold has no component ${position}`);
    return found;
  }

  #fold(fold: Fold): readonly Text[] {
    const memo = (this.#folds[levelOf(fold)] ??= new Map());
    let found = memo.get(fold);
    if (found === undefined) {
      found = this.#unroll(fold);
      memo.set(fold, found);
    }
    return found;
  }

  #unroll({ level, count, init, step, condition }: Fold): readonly Text[] {
    const outer = [this.#known[level], this.#folds[level], this.#states[level]] as const;
    let state = init.map((term) => this.text(term));
    for (let index = 0; index < count; index++) {
      this.#known[level] = new Map();
      this.#folds[level] = new Map();
      this.#states[level] = { state, index };
      const next = step.map((term) => this.text(term));
      if (condition === undefined) state = next;
      else {
        const goesOn = asBool(this.text(condition));
        state = next.map((text, i) => this.#name(choice(goesOn, text, this.#component(state, i))));
      }
    }
    this.#known[level] = outer[0] ?? new Map();
    this.#folds[level] = outer[1] ?? new Map();
    this.#states[level] = outer[2];
    return state;
  }
}

function choice(condition: string, yes: Text, no: Text): Text {
  if (yes.isBool || no.isBool) return bool(`(ite ${condition} ${asBool(yes)} ${asBool(no)})`);
  return bits(`(ite ${condition} ${yes.text} ${no.text})`);
}
