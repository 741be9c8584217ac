/**
 * Terms as SMT-LIB 2.6 text over integers: the reading in which facts about products and quotients are proved.
 *
 * A term of width n is the integer in [0, 2^n) that it stands for as an unsigned number, and each operator is what SMT-LIB's theory of
 * bit-vectors defines it to be: addition modulo 2^n, division of natural numbers, and so on. A sum or product is reduced modulo 2^n
 * only where it could leave the range, which the largest value that each term can have tells; quotients and parts of a number are
 * new integers with the equation that determines them (n = q·d + r, 0 ≤ r < d). Those equations have exactly one solution for
 * all values of the variables, so asserting them neither adds nor removes a model.
 *
 * Bitwise operators on numbers (as opposed to truth values), shifts by what is not constant, byte swaps and folds are not in this
 * reading: `TermError`. A mask of low bits is.
 */
import { constant, ite, neg, slt, TermError, udiv, urem } from "./build.ts";
import type { Term } from "./node.ts";
import { symbolOf, variablesToDeclare } from "./symbols.ts";

const power = (bits: number): bigint => 1n << BigInt(bits);

/** An integer expression with the largest value that it can have, or a formula. */
type Text =
  | { readonly kind: "integer"; readonly text: string; readonly most: bigint }
  | { readonly kind: "formula"; readonly text: string };

const integer = (text: string, most: bigint): Text => ({ kind: "integer", text, most });
const formula = (text: string): Text => ({ kind: "formula", text });
const literal = (value: bigint): Text => integer(String(value), value);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const greatest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const asFormula = (t: Text): string => (t.kind === "formula" ? t.text : `(= ${t.text} 1)`);

/** Declares the assertions' variables with their ranges, defines their terms and asserts that each is 1. */
export function toIntegers(assertions: readonly Term<1>[]): string {
  const variables = variablesToDeclare(assertions);
  const writer = new Writer();
  const asserted = assertions.map((term) => `(assert ${asFormula(writer.text(term))})`);
  const declared = variables.flatMap((v) => declaration(symbolOf(v), power(v.width)));
  return `${[...declared, ...writer.lines, ...asserted].join("\n")}\n`;
}

const declaration = (name: string, limit: bigint): readonly string[] => [
  `(declare-const ${name} Int)`,
  `(assert (and (<= 0 ${name}) (< ${name} ${limit})))`,
];

class Writer {
  readonly lines: string[] = [];
  readonly #known = new Map<Term, Text>();
  readonly #parts = new Map<string, readonly [quotient: string, remainder: string]>();
  #names = 0;

  text(term: Term): Text {
    let found = this.#known.get(term);
    if (found === undefined) {
      found = this.#define(this.#express(term));
      this.#known.set(term, found);
    }
    return found;
  }

  #name(): string {
    this.#names += 1;
    return `$${this.#names}`;
  }

  #define(t: Text): Text {
    if (!t.text.startsWith("(")) return t;
    const name = this.#name();
    this.lines.push(`(define-fun ${name} () ${t.kind === "formula" ? "Bool" : "Int"} ${t.text})`);
    return { ...t, text: name };
  }

  /** The term as an integer; a truth value is 0 or 1. */
  #integer(term: Term): { readonly text: string; readonly most: bigint } {
    const t = this.text(term);
    return t.kind === "integer" ? t : { text: `(ite ${t.text} 1 0)`, most: 1n };
  }

  #formula(term: Term): string {
    return asFormula(this.text(term));
  }

  /**
   * The quotient and remainder of natural numbers for a divisor that is not zero: new integers with the equation that determines them.
   * For divisor zero the equation is left out, and what is asked for does not depend on them.
   */
  #divide(dividend: { text: string; most: bigint }, divisor: { text: string; most: bigint }) {
    const key = `${dividend.text} ${divisor.text}`;
    let found = this.#parts.get(key);
    if (found === undefined) {
      const [q, r] = [this.#name(), this.#name()];
      this.lines.push(...declaration(q, dividend.most + 1n), ...declaration(r, divisor.most + 1n));
      const equation = `(and (= ${dividend.text} (+ (* ${q} ${divisor.text}) ${r})) (< ${r} ${divisor.text}))`;
      // Some value is needed where there is no divisor: 0, so that there too it is determined.
      this.lines.push(`(assert (ite (= ${divisor.text} 0) (and (= ${q} 0) (= ${r} 0)) ${equation}))`);
      found = [q, r];
      this.#parts.set(key, found);
    }
    return found;
  }

  /** `text` modulo 2^width. */
  #wrap(text: string, most: bigint, width: number): Text {
    const limit = power(width);
    if (most < limit) return integer(text, most);
    if (most < 2n * limit) {
      const named = this.#define(integer(text, most)).text;
      return integer(`(ite (< ${named} ${limit}) ${named} (- ${named} ${limit}))`, limit - 1n);
    }
    const named = this.#define(integer(text, most)).text;
    const [, r] = this.#divide({ text: named, most }, { text: String(limit), most: limit });
    return integer(r, limit - 1n);
  }

  /** The number as a signed one. */
  #signed(term: Term): string {
    const { text } = this.#integer(term);
    const limit = power(term.width);
    return `(ite (< ${text} ${limit / 2n}) ${text} (- ${text} ${limit}))`;
  }

  #express(term: Term): Text {
    const { width } = term;
    switch (term.op) {
      case "const":
        return width === 1 ? formula(term.value === 1n ? "true" : "false") : literal(term.value);
      case "var":
        return integer(symbolOf(term), power(width) - 1n);
      case "not":
        if (width === 1) return formula(`(not ${this.#formula(term.arg)})`);
        return integer(`(- ${power(width) - 1n} ${this.#integer(term.arg).text})`, power(width) - 1n);
      case "neg": {
        const { text } = this.#integer(term.arg);
        return integer(`(ite (= ${text} 0) 0 (- ${power(width)} ${text}))`, power(width) - 1n);
      }
      case "add": {
        const [a, b] = [this.#integer(term.left), this.#integer(term.right)];
        return this.#wrap(`(+ ${a.text} ${b.text})`, a.most + b.most, width);
      }
      case "sub": {
        const [a, b] = [this.#integer(term.left), this.#integer(term.right)];
        const [x, y] = [a.text, b.text];
        return integer(
          `(ite (<= ${y} ${x}) (- ${x} ${y}) (+ ${power(width)} (- ${x} ${y})))`,
          power(width) - 1n,
        );
      }
      case "mul": {
        const [a, b] = [this.#integer(term.left), this.#integer(term.right)];
        return this.#wrap(`(* ${a.text} ${b.text})`, a.most * b.most, width);
      }
      case "udiv":
      case "urem": {
        const [a, b] = [this.#integer(term.left), this.#integer(term.right)];
        const [q, r] = this.#divide(a, b);
        const ones = power(width) - 1n;
        if (term.op === "udiv") return integer(`(ite (= ${b.text} 0) ${ones} ${q})`, ones);
        return integer(`(ite (= ${b.text} 0) ${a.text} ${r})`, greatest(a.most, b.most));
      }
      case "sdiv":
      case "srem":
        return this.text(byMagnitudes(term.op, term.left, term.right));
      case "and":
      case "or":
      case "xor":
        return this.#bitwise(term.op, term.left, term.right);
      case "shl":
        return this.#shiftLeft(term.left, term.right);
      case "lshr": {
        const count = constantOf(term.right, "lshr");
        if (count >= width) return literal(0n);
        const arg = this.#integer(term.left);
        const divisor = power(Number(count));
        return integer(this.#divide(arg, { text: String(divisor), most: divisor })[0], arg.most / divisor);
      }
      case "eq":
        if (term.left.width === 1)
          return formula(`(= ${this.#formula(term.left)} ${this.#formula(term.right)})`);
        return formula(`(= ${this.#integer(term.left).text} ${this.#integer(term.right).text})`);
      case "ult":
        return formula(`(< ${this.#integer(term.left).text} ${this.#integer(term.right).text})`);
      case "ule":
        return formula(`(<= ${this.#integer(term.left).text} ${this.#integer(term.right).text})`);
      case "slt":
        return formula(`(< ${this.#signed(term.left)} ${this.#signed(term.right)})`);
      case "sle":
        return formula(`(<= ${this.#signed(term.left)} ${this.#signed(term.right)})`);
      case "ite":
        return this.#choice(term.condition, term.ifTrue, term.ifFalse);
      case "zext": {
        const { text, most } = this.#integer(term.arg);
        return integer(text, most);
      }
      case "sext": {
        const { text } = this.#integer(term.arg);
        const [from, to] = [power(term.arg.width), power(width)];
        return integer(`(ite (< ${text} ${from / 2n}) ${text} (+ ${text} ${to - from}))`, to - 1n);
      }
      case "extract":
        return this.#extract(term.arg, term.low, width);
      case "concat": {
        const [high, low] = [this.#integer(term.high), this.#integer(term.low)];
        const factor = power(term.low.width);
        return integer(`(+ (* ${high.text} ${factor}) ${low.text})`, high.most * factor + low.most);
      }
      default:
        throw new TermError(`no reading of ${term.op} as integers`);
    }
  }

  #choice(condition: Term<1>, yes: Term, no: Term): Text {
    const c = this.#formula(condition);
    if (yes.width === 1) return formula(`(ite ${c} ${this.#formula(yes)} ${this.#formula(no)})`);
    const [a, b] = [this.#integer(yes), this.#integer(no)];
    return integer(`(ite ${c} ${a.text} ${b.text})`, greatest(a.most, b.most));
  }

  /** On truth values, or a mask that keeps low bits. */
  #bitwise(op: "and" | "or" | "xor", left: Term, right: Term): Text {
    if (left.width === 1) return formula(`(${op} ${this.#formula(left)} ${this.#formula(right)})`);
    const [value, mask] = isLowMask(left) ? [right, left] : [left, right];
    if (op === "and" && isLowMask(mask)) {
      const arg = this.#integer(value);
      const [, r] = this.#divide(arg, { text: String(mask.value + 1n), most: mask.value + 1n });
      return integer(r, least(arg.most, mask.value));
    }
    throw new TermError(`no reading of ${op} as integers`);
  }

  #shiftLeft(arg: Term, by: Term): Text {
    const count = constantOf(by, "shl");
    if (count >= arg.width) return literal(0n);
    const factor = power(Number(count));
    const { text, most } = this.#integer(arg);
    return this.#wrap(`(* ${text} ${factor})`, most * factor, arg.width);
  }

  #extract(arg: Term, low: number, width: number): Text {
    const whole = this.#integer(arg);
    const [below, size] = [power(low), power(width)];
    const shifted =
      low === 0
        ? whole
        : {
            text: this.#divide(whole, { text: String(below), most: below })[0],
            most: whole.most / below,
          };
    if (shifted.most < size) return integer(shifted.text, shifted.most);
    const [, r] = this.#divide(shifted, { text: String(size), most: size });
    return integer(r, size - 1n);
  }
}

/** Signed quotient and remainder as SMT-LIB defines them: by those of magnitudes, case by case of the signs. */
function byMagnitudes(op: "sdiv" | "srem", x: Term, y: Term): Term {
  const isNegative = (t: Term): Term<1> => slt(t, constant(t.width, 0));
  const choose = (whenClear: Term, whenSet: Term): Term => ite(isNegative(y), whenSet, whenClear);
  if (op === "sdiv")
    return ite(
      isNegative(x),
      choose(neg(udiv(neg(x), y)), udiv(neg(x), neg(y))),
      choose(udiv(x, y), neg(udiv(x, neg(y)))),
    );
  return ite(
    isNegative(x),
    choose(neg(urem(neg(x), y)), neg(urem(neg(x), neg(y)))),
    choose(urem(x, y), urem(x, neg(y))),
  );
}

/** A constant whose low bits are 1 and the rest 0. */
const isLowMask = (term: Term): term is Extract<Term, { op: "const" }> =>
  term.op === "const" && (term.value & (term.value + 1n)) === 0n;

function constantOf(term: Term, op: string): bigint {
  if (term.op !== "const") throw new TermError(`no reading of ${op} by what is not constant as integers`);
  return term.value;
}
