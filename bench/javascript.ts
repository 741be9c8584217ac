/**
 * Terms as JavaScript on `bigint`, generated: what a program that keeps abstract values in bigints would run. For comparison in benchmarks alone;
 * the reading that things are held against is the evaluator.
 */
import { type BinaryOp, type CompareOp, type Fold, levelOf, type Term } from "../src/semantics/term/node.ts";

const BINARY: Readonly<Record<BinaryOp, (a: string, b: string, w: number) => string>> = {
  add: (a, b, w) => wrap(`${a} + ${b}`, w),
  sub: (a, b, w) => wrap(`${a} - ${b}`, w),
  mul: (a, b, w) => wrap(`${a} * ${b}`, w),
  and: (a, b) => `${a} & ${b}`,
  or: (a, b) => `${a} | ${b}`,
  xor: (a, b) => `${a} ^ ${b}`,
  udiv: (a, b, w) => `${b} === 0n ? ${ones(w)} : ${a} / ${b}`,
  urem: (a, b) => `${b} === 0n ? ${a} : ${a} % ${b}`,
  sdiv: (a, b, w) =>
    `${b} === 0n ? (${signed(a, w)} < 0n ? 1n : ${ones(w)}) : ${wrap(`${signed(a, w)} / ${signed(b, w)}`, w)}`,
  srem: (a, b, w) => `${b} === 0n ? ${a} : ${wrap(`${signed(a, w)} % ${signed(b, w)}`, w)}`,
  shl: (a, b, w) => `${b} >= ${w}n ? 0n : ${wrap(`${a} << ${b}`, w)}`,
  lshr: (a, b, w) => `${b} >= ${w}n ? 0n : ${a} >> ${b}`,
  ashr: (a, b, w) => wrap(`${signed(a, w)} >> (${b} >= ${w}n ? ${w}n : ${b})`, w),
};
const COMPARE: Readonly<Record<CompareOp, (a: string, b: string, w: number) => string>> = {
  eq: (a, b) => `${a} === ${b}`,
  ult: (a, b) => `${a} < ${b}`,
  ule: (a, b) => `${a} <= ${b}`,
  slt: (a, b, w) => `${signed(a, w)} < ${signed(b, w)}`,
  sle: (a, b, w) => `${signed(a, w)} <= ${signed(b, w)}`,
};

const wrap = (x: string, w: number): string => `BigInt.asUintN(${w}, ${x})`;
const signed = (x: string, w: number): string => `BigInt.asIntN(${w}, ${x})`;
const ones = (w: number): string => `${2n ** BigInt(w) - 1n}n`;

/** The source of a module whose default export gives the terms' values for those of the variables, both in order, unsigned. */
export function javascriptOf(variables: readonly Term[], terms: readonly Term[]): string {
  const lines: string[] = [];
  /** Names by the level of the innermost fold that a term depends on, as in the other readings. */
  const names: Map<Term | Fold, string>[] = [new Map(variables.map((v, i) => [v, `v[${i}]`]))];
  let next = 0;
  const define = (expression: string): string => {
    const name = `t${next++}`;
    lines.push(`const ${name} = ${expression};`);
    return name;
  };

  const nameOf = (term: Term): string => {
    const known = (names[levelOf(term)] ??= new Map());
    let name = known.get(term);
    if (name === undefined) {
      name = write(term);
      known.set(term, name);
    }
    return name;
  };

  const write = (term: Term): string => {
    const { width } = term;
    switch (term.op) {
      case "const":
        return `${term.value}n`;
      case "var":
        throw new Error(`no value for ${term.name}`);
      case "bound":
        return term.position === "index" ? `BigInt(i${term.level})` : `s${term.level}[${term.position}]`;
      case "fold":
        return `${loop(term.fold)}[${term.position}]`;
      case "not":
        return define(wrap(`~${nameOf(term.arg)}`, width));
      case "neg":
        return define(wrap(`-${nameOf(term.arg)}`, width));
      case "bswap": {
        const arg = nameOf(term.arg);
        const byte = (i: number): string => `((${arg} >> ${8 * i}n) & 255n) << ${width - 8 - 8 * i}n`;
        return define(Array.from({ length: width / 8 }, (_, i) => byte(i)).join(" | "));
      }
      case "ite": {
        const [condition, yes, no] = [term.condition, term.ifTrue, term.ifFalse].map(nameOf);
        return define(`${condition} === 1n ? ${yes} : ${no}`);
      }
      case "extract":
        return define(wrap(`${nameOf(term.arg)} >> ${term.low}n`, width));
      case "zext":
        return nameOf(term.arg);
      case "sext":
        return define(wrap(signed(nameOf(term.arg), term.arg.width), width));
      case "concat":
        return define(`(${nameOf(term.high)} << ${term.low.width}n) | ${nameOf(term.low)}`);
      case "eq":
      case "ult":
      case "ule":
      case "slt":
      case "sle":
        return define(
          `${COMPARE[term.op](nameOf(term.left), nameOf(term.right), term.left.width)} ? 1n : 0n`,
        );
      default:
        return define(BINARY[term.op](nameOf(term.left), nameOf(term.right), width));
    }
  };

  const loop = (fold: Fold): string => {
    const known = (names[levelOf(fold)] ??= new Map());
    let result = known.get(fold);
    if (result === undefined) {
      result = `r${next++}`;
      known.set(fold, result);
      const { level, count, init, step, condition } = fold;
      const start = init.map(nameOf).join(", ");
      // What the steps share is written where the loop begins or inside it; outside of the loop no name from inside is known.
      const outer = names[level];
      names[level] = new Map();
      lines.push(`let ${result} = [${start}];`);
      lines.push(
        `for (let i${level} = 0; i${level} < ${count}; i${level}++) {`,
        `const s${level} = ${result};`,
      );
      const outside = names.map((map) => new Map(map));
      if (condition !== undefined) lines.push(`if (${nameOf(condition)} === 0n) break;`);
      lines.push(`${result} = [${step.map(nameOf).join(", ")}];`, "}");
      outside.forEach((map, i) => {
        names[i] = map;
      });
      names[level] = outer ?? new Map();
    }
    return result;
  };

  const results = terms.map(nameOf).join(", ");
  return ["export default (v) => {", ...lines, `return [${results}];`, "};"].join("\n");
}

/** The function of a module that `javascriptOf` wrote. */
export async function imported(source: string): Promise<(values: readonly bigint[]) => readonly bigint[]> {
  const module: { default: (values: readonly bigint[]) => readonly bigint[] } = await import(
    `data:text/javascript,${encodeURIComponent(source)}`
  );
  return module.default;
}
