/**
 * Terms as text for people: infix, with what is large and used more than once named by a `let` line before its use.
 *
 * Comparisons, division and right shift carry `u` or `s` where it matters whether numbers are unsigned or signed; `x[7:0]` are bits,
 * `++` joins bits (the higher ones first), `x ? y : z` chooses. A fold is a `repeat` block, its results are `f.0`, `f.1`, …
 */
import { argumentsOf, type Fold, levelOf, type Term, termsIn } from "./node.ts";

const INFIX = {
  add: "+",
  sub: "-",
  mul: "*",
  udiv: "/u",
  urem: "%u",
  sdiv: "/s",
  srem: "%s",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  lshr: ">>u",
  ashr: ">>s",
  eq: "==",
  ult: "<u",
  ule: "<=u",
  slt: "<s",
  sle: "<=s",
} as const;

/** Written without parentheses on the left: `a + b + c`. */
const CHAINED: ReadonlySet<string> = new Set(["add", "mul", "and", "or", "xor", "concat"]);

/** Their arguments stand in brackets, or in parentheses if they need them. */
const BRACKETED: ReadonlySet<string> = new Set(["neg", "bswap", "zext", "sext", "extract"]);

const isSmall = (term: Term): boolean =>
  term.op === "const" || term.op === "var" || term.op === "bound" || term.op === "fold";

/** The terms' text: `let` lines, if any, then a line for each term. */
export function toText(...roots: readonly Term[]): string {
  const printer = new Printer(roots);
  const last = roots.map((root) => printer.text(root));
  return [...printer.lines, ...last].join("\n");
}

class Printer {
  /** Of the block being written, by the level of its fold; 0 is outside all folds. */
  readonly #blocks: string[][] = [[]];
  readonly #names: Map<Term | Fold, string>[] = [];
  readonly #uses = new Map<Term, number>();
  #named = 0;

  constructor(roots: readonly Term[]) {
    const use = (term: Term): void => void this.#uses.set(term, (this.#uses.get(term) ?? 0) + 1);
    for (const root of roots) use(root);
    const folds = new Set<Fold>();
    for (const term of termsIn(roots)) {
      if (term.op !== "fold") for (const argument of argumentsOf(term)) use(argument);
      else if (!folds.has(term.fold)) {
        folds.add(term.fold);
        const { init, step, condition } = term.fold;
        for (const part of [...init, ...step, ...(condition ? [condition] : [])]) use(part);
      }
    }
  }

  get lines(): readonly string[] {
    return this.#blocks[0] ?? [];
  }

  /** The term itself, or its name if it has one or deserves one. */
  text(term: Term): string {
    if (isSmall(term) || (this.#uses.get(term) ?? 0) < 2) return this.#express(term);
    return this.#name(term, "t", () => [this.#express(term)]);
  }

  /** The key's name; at the first use its definition is written, the name and what follows from it on the first line. */
  #name(key: Term | Fold, prefix: string, define: () => readonly string[]): string {
    const level = levelOf(key);
    const names = (this.#names[level] ??= new Map());
    let name = names.get(key);
    if (name === undefined) {
      const [first, ...rest] = define();
      this.#named += 1;
      name = `${prefix}${this.#named}`;
      names.set(key, name);
      (this.#blocks[level] ??= []).push(`let ${name} = ${first}`, ...rest);
    }
    return name;
  }

  /** An operand: in parentheses where it needs them. */
  #operand(term: Term): string {
    const text = this.text(term);
    const stands = !text.includes(" ") || BRACKETED.has(term.op) || text.startsWith("~");
    return stands ? text : `(${text})`;
  }

  #express(term: Term): string {
    switch (term.op) {
      case "const":
        return term.value < 1024n ? `${term.value}` : `0x${term.value.toString(16)}`;
      case "var":
        return term.name;
      case "bound":
        return term.position === "index" ? `i${term.level}` : stateName(term.level, term.position);
      case "fold":
        return `${this.#name(term.fold, "f", () => this.#repeat(term.fold))}.${term.position}`;
      case "not":
        if (term.arg.op === "eq" && (this.#uses.get(term.arg) ?? 0) < 2)
          return this.#infix("ne", "!=", term.arg.left, term.arg.right);
        return `~${this.#operand(term.arg)}`;
      case "neg":
        return `-${this.#operand(term.arg)}`;
      case "bswap":
        return `bswap(${this.text(term.arg)})`;
      case "zext":
      case "sext":
        return `${term.op}${term.width}(${this.text(term.arg)})`;
      case "extract": {
        const { low, width } = term;
        return `${this.#operand(term.arg)}[${width === 1 ? low : `${low + width - 1}:${low}`}]`;
      }
      case "ite":
        return `${this.#operand(term.condition)} ? ${this.#operand(term.ifTrue)} : ${this.#operand(term.ifFalse)}`;
      case "concat":
        return this.#infix(term.op, "++", term.high, term.low);
      default:
        return this.#infix(term.op, INFIX[term.op], term.left, term.right);
    }
  }

  #infix(op: string, sign: string, left: Term, right: Term): string {
    const inChain = CHAINED.has(op) && left.op === op && (this.#uses.get(left) ?? 0) < 2;
    return `${inChain ? this.text(left) : this.#operand(left)} ${sign} ${this.#operand(right)}`;
  }

  #repeat({ level, count, init, step, condition }: Fold): readonly string[] {
    const state = init.map((_, i) => stateName(level, i)).join(", ");
    const first = init.map((term) => this.text(term)).join(", ");
    const [block, names] = [this.#blocks[level], this.#names[level]];
    const body: string[] = [];
    this.#blocks[level] = body;
    this.#names[level] = new Map();
    if (condition !== undefined) body.push(`while ${this.text(condition)}`);
    body.push(`next (${step.map((term) => this.text(term)).join(", ")})`);
    this.#blocks[level] = block ?? [];
    this.#names[level] = names ?? new Map();
    return [`repeat ${count} for i${level} from (${state}) = (${first})`, ...body.map((line) => `  ${line}`)];
  }
}

const stateName = (level: number, position: number): string => `s${level}.${position}`;
