/** Which rows a table has and in which order: filters by name and by value, and sorting. */
import { InputError } from "../../semantics/errors.ts";
import { type Entry, type Selector, selectorNamed, type Value, valueOf } from "./entry.ts";
import { verdictNamed } from "./figures.ts";

type Test = (entry: Entry) => boolean;

interface Filter {
  /** Of those that allow, one has to hold, if there are any; none of those that deny may; all that compare must. */
  readonly kind: "allow" | "deny" | "compare";
  readonly holds: Test;
}

const OPERATORS: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ["=", (order) => order === 0],
  ["==", (order) => order === 0],
  ["!=", (order) => order !== 0],
  ["<>", (order) => order !== 0],
  ["<", (order) => order < 0],
  ["<=", (order) => order <= 0],
  [">", (order) => order > 0],
  [">=", (order) => order >= 0],
]);

function globTest(glob: string): (name: string) => boolean {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const pattern = new RegExp(`^${source}$`, "s");
  return (name) => glob === "" || pattern.test(name);
}

/** `GLOB` is either name, `FILE/PROGRAM` both; an empty one is any. */
function nameTest(text: string): Test {
  const slash = text.lastIndexOf("/");
  const [file, program] = [globTest(text.slice(0, Math.max(slash, 0))), globTest(text.slice(slash + 1))];
  return ({ a, b }) => {
    const { file_name: fileName = "", prog_name: programName = "" } = b ?? a ?? {};
    if (slash >= 0) return file(fileName) && program(programName);
    return program(fileName) || program(programName);
  };
}

function wanted({ column, variant }: Selector, text: string, whole: string): number | string {
  if (column === "file_name" || column === "prog_name") return text;
  if (column === "verdict") {
    const word = text.toLowerCase();
    const found =
      variant === "diff" ? ["match", "mismatch"].find((each) => each === word) : verdictNamed(word);
    if (found === undefined) throw new InputError(`filter ${whole}: no verdict ${text}`);
    return found;
  }
  const number = Number(text.replace(/%$/, ""));
  if (text === "" || !Number.isFinite(number)) throw new InputError(`filter ${whole}: ${text} is no number`);
  return number;
}

const compare = (left: number | string, right: number | string): number =>
  typeof left === "number" && typeof right === "number"
    ? left - right
    : String(left) < String(right)
      ? -1
      : Number(String(left) > String(right));

/**
 * The filter of a text: `[!]GLOB`, `[!]FILE_GLOB/PROGRAM_GLOB`, or a column, one of = != < <= > >= and a value.
 *
 * @throws InputError  if it is a comparison with an unknown column, or with what is no value of it
 */
function filterOf(text: string): Filter {
  const [, name = "", operator = "", value = ""] =
    /^\s*(\w+)\s*(<>|[=!<>]=|[=<>])\s*(.*?)\s*$/.exec(text) ?? [];
  const matches = OPERATORS.get(operator);
  if (matches !== undefined) {
    const selector = selectorNamed(name);
    if (selector === undefined) throw new InputError(`filter ${text}: no column ${name}`);
    const other = wanted(selector, value, text);
    return {
      kind: "compare",
      holds: (entry) => {
        const own = valueOf(entry, selector);
        return own !== undefined && matches(compare(own, other));
      },
    };
  }
  return text.startsWith("!")
    ? { kind: "deny", holds: nameTest(text.slice(1)) }
    : { kind: "allow", holds: nameTest(text) };
}

/** What all filters together let through. */
export function filterAll(texts: readonly string[]): Test {
  const filters = texts.map(filterOf);
  const of = (kind: Filter["kind"]): readonly Filter[] => filters.filter((each) => each.kind === kind);
  const [allowing, denying, comparing] = [of("allow"), of("deny"), of("compare")];
  return (entry) =>
    (allowing.length === 0 || allowing.some(({ holds }) => holds(entry))) &&
    !denying.some(({ holds }) => holds(entry)) &&
    comparing.every(({ holds }) => holds(entry));
}

interface Key {
  readonly selector: Selector;
  readonly sign: 1 | -1;
}

function keyOf(text: string): Key {
  const [, name = "", direction = ""] = /^\s*(.*?)([v^]?)\s*$/.exec(text) ?? [];
  // A name may end in a v of its own.
  const plain = selectorNamed(text.trim());
  const selector = plain ?? selectorNamed(name);
  if (selector === undefined) throw new InputError(`no column ${text.trim()} to sort by`);
  return { selector, sign: plain === undefined && direction === "v" ? -1 : 1 };
}

const order = (left: Value, right: Value): number => {
  // What is not there comes first.
  if (left === undefined || right === undefined)
    return Number(left !== undefined) - Number(right !== undefined);
  return compare(left, right);
};

/**
 * A comparison of entries by columns separated by commas; each may end in `^` (ascending, as without) or `v` (descending).
 *
 * @throws InputError  for an unknown column
 */
export function orderBy(text: string): (left: Entry, right: Entry) => number {
  const keys = text.split(",").map(keyOf);
  return (left, right) => {
    for (const { selector, sign } of keys) {
      const found = order(valueOf(left, selector), valueOf(right, selector));
      if (found !== 0) return sign * found;
    }
    return 0;
  };
}
