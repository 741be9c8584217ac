/**
 * Questions without division, which is too hard for a solver of bits and which nobody here needs to compute: two definitions that divide the same numbers give the same. Each
 * quotient and remainder becomes a number of which only that is known, and what division by 1 and -1 gives. So what has no solution then has none with division either.
 */
import {
  all,
  and,
  constant,
  eq,
  ne,
  neg,
  not,
  or,
  rebuild,
  sdiv,
  udiv,
  variable,
} from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";

const DIVISIONS: ReadonlySet<string> = new Set(["udiv", "urem", "sdiv", "srem"]);

interface Division {
  readonly op: string;
  readonly left: Term;
  readonly right: Term;
  readonly result: Term;
}

/** A condition that the numbers fulfil which fulfil `question`, and perhaps others. */
export function withoutDivision(question: Term<1>): Term<1> {
  const divisions: Division[] = [];
  const known = new Map<Term, Term>();
  const replace = (term: Term): Term => {
    let made = known.get(term);
    if (made === undefined) {
      made = rebuild(term, replace);
      if (DIVISIONS.has(made.op) && "left" in made) {
        const { op, left, right, width } = made;
        made = variable(`division${divisions.length}`, width);
        divisions.push({ op, left, right, result: made });
      }
      known.set(term, made);
    }
    return made;
  };
  const rest = replace(question);
  const facts = divisions.flatMap((a, i) => [
    ...divisions.slice(i + 1).flatMap((b) => congruent(a, b)),
    ...byOnes(a),
  ]);
  return all(eq(rest, constant(1, 1)), ...facts);
}

const implies = (a: Term<1>, b: Term<1>): Term<1> => or(not(a), b);

function congruent(a: Division, b: Division): readonly Term<1>[] {
  if (a.op !== b.op || a.result.width !== b.result.width) return [];
  return [implies(and(eq(a.left, b.left), eq(a.right, b.right)), eq(a.result, b.result))];
}

/** Quotients that are known whatever is divided. */
export const KNOWN_QUOTIENTS = [
  { op: "udiv", divisor: 1, quotient: (left) => left },
  { op: "sdiv", divisor: 1, quotient: (left) => left },
  { op: "sdiv", divisor: -1, quotient: (left) => neg(left) },
] as const satisfies readonly {
  readonly op: "udiv" | "sdiv";
  readonly divisor: number;
  readonly quotient: (left: Term) => Term;
}[];

function byOnes({ op, left, right, result }: Division): readonly Term<1>[] {
  return KNOWN_QUOTIENTS.filter((known) => known.op === op).map(({ divisor, quotient }) =>
    implies(eq(right, constant(right.width, divisor)), eq(result, quotient(left))),
  );
}

/** That a quotient is another than is said above, at a width. */
export function wrongQuotient(
  { op, divisor, quotient }: (typeof KNOWN_QUOTIENTS)[number],
  width: 32 | 64,
): Term<1> {
  const number: Term = variable("number", width);
  const divide = op === "udiv" ? udiv : sdiv;
  return ne(divide(number, constant(width, divisor)), quotient(number));
}
