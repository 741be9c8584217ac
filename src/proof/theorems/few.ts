/**
 * Operations on few numbers (src/absint/scalar/few.ts): that the loop over pairs leaves none out, by induction, whatever the operation is.
 *
 * The invariant, for numbers x and y of the operands: the pair that the loop is at consists of members of the operands' bits, and it is not after
 * (x, y), unless what comes of x and y is in the result already.
 */
import { byPairs, pairs, sequence, successor } from "../../absint/scalar/few.ts";
import { type Part, signedMax, signedMin } from "../../absint/scalar/part.ts";
import { between, halves, joined, type Piece, ranges } from "../../absint/scalar/piece.ts";
import type { AluOp } from "../../semantics/isa/instruction.ts";
import {
  and,
  any,
  constant,
  eq,
  extract,
  ne,
  not,
  or,
  sge,
  sle,
  truth,
  uge,
  ule,
  ult,
} from "../../semantics/term/build.ts";
import type { Fold, Term } from "../../semantics/term/node.ts";
import { substitution } from "../../semantics/term/substitute.ts";
import { bits, type Claim, cases, type Invariant, induction, type Method } from "../methods.ts";
import { eachOnce, inSteps, type Step } from "../steps.ts";
import { type OfWidth, resultOf } from "./operands.ts";
import {
  allOf,
  bitsTerms,
  endOf,
  formSteps,
  halfSteps,
  hasSign,
  inBits,
  inPart,
  inPiece,
  isFormed,
  joinedSteps,
  partTerms,
  type Sign,
  termsOf,
} from "./pieces.ts";
import { disjuncts, type Group } from "./scalar.ts";

/** What a part says of a number: its bits, or one end of an interval. */
export type Bound = keyof ReturnType<typeof inPart>;
const BOUNDS: readonly Bound[] = ["bits", "umin", "umax", "smin", "smax"];

/** An operation on two numbers of operands. */
export interface Operation {
  readonly a: OfWidth;
  readonly b: OfWidth;
  readonly apply: (x: Term, y: Term) => Term;
}

const SIGNS: readonly Sign[] = [0, 1];
export const implies = (condition: Term<1>, holds: Term<1>): Term<1> => or(not(condition), holds);

/** That the ends of a half, if it has any, are of its sign, and that the least is in its bits. */
export function endSteps(name: string, p: Part<number>, x: Term, sign: Sign): readonly Step[] {
  const { bits, from, to, may } = ranges(p)[sign];
  const half = halves(p)[sign];
  const inside = between(bits, from, to);
  const { width } = x;
  const end = sign === 0 ? ule(to, signedMax(width)) : ule(signedMin(width), from);
  const insideLeast = implies(inside.some, inBits(inside.bits, inside.least));
  return [
    { name: `${name}: sign of the end`, holds: end, from: [], forgets: partTerms(p) },
    {
      name: `${name}: signs of the ends`,
      holds: signsOf(half, sign),
      from: [end],
      forgets: [may, from, to, ...bitsTerms(inside.bits), inside.least, inside.greatest],
    },
    ...formSteps(name, p, bits, x),
    {
      name: `${name}: least is possible`,
      holds: inBits(bits, inside.least),
      from: [isFormed(bits)],
      forgets: [...bitsTerms(bits), from],
    },
    {
      name: `${name}: least is between the ends`,
      holds: insideLeast,
      from: [inBits(bits, inside.least)],
      forgets: [...bitsTerms(bits), inside.least, inside.greatest, from, to],
    },
    {
      name: `${name}: least is in the half`,
      holds: hasLeast(half),
      from: [insideLeast],
      forgets: [may, ...termsOf(inside)],
    },
  ];
}

/** That the ends of a half, if there is any number in it, have its sign. */
export function signsOf(half: Piece<number>, sign: Sign): Term<1> {
  const inHalf = (end: Term): Term<1> => hasSign(end, sign);
  return implies(half.some, and(inHalf(half.least), inHalf(half.greatest)));
}

const hasLeast = ({ some, bits, least }: Piece<number>): Term<1> => implies(some, inBits(bits, least));

/** The numbers of an operand in their order, x among them. */
function orderOf(name: string, { part: p, value: x, steps: before }: OfWidth, sign: Sign) {
  const [clear, set] = halves(p);
  const numbers = sequence([clear, set]);
  const { bits } = joined(clear, set);
  const own = halves(p)[sign];
  const member = inBits(bits, x);
  const both = [...termsOf(clear), ...termsOf(set)];
  const ends = [clear, set].flatMap(({ some, least, greatest }) => [some, least, greatest]);
  const place = [
    ...allOf(inPiece(own, x)).filter((fact) => fact !== inBits(own.bits, x)),
    endOf(own, sign),
    signsOf(clear, 0),
    signsOf(set, 1),
  ];
  const notBefore = ule(numbers.first, x);
  const notAfter = ule(x, numbers.last);
  const turns = implies(and(clear.some, set.some), inBits(bits, set.least));
  const firstIsMember = inBits(bits, numbers.first);
  const steps: readonly Step[] = [
    ...before,
    ...halfSteps(name, p, x, sign),
    ...SIGNS.flatMap((s) => endSteps(`${name}, ${s === 0 ? "not negative" : "negative"}`, p, x, s)),
    ...joinedSteps(name, clear, set, x, sign),
    { name: `${name}: not before the first`, holds: notBefore, from: place, forgets: [...ends, x] },
    { name: `${name}: not after the last`, holds: notAfter, from: place, forgets: [...ends, x] },
    {
      name: `${name}: the negative ones begin with a member`,
      holds: turns,
      from: [hasLeast(set)],
      forgets: both,
    },
    {
      name: `${name}: the first is a member`,
      holds: firstIsMember,
      from: [own.some, hasLeast(clear), hasLeast(set)],
      forgets: both,
    },
  ];
  /** What is known of the number after `at`. */
  const after = (at: Term) => {
    const next = numbers.next(at);
    const following = successor(bits, at);
    const notPast = any(not(inBits(bits, at)), uge(at, x), ule(following, x));
    const reaches = any(not(inBits(bits, at)), uge(at, x), ule(next, x));
    const staysMember = any(not(inBits(bits, at)), eq(at, numbers.last), inBits(bits, next));
    const nextSteps: readonly Step[] = [
      {
        name: `${name}: successor`,
        holds: notPast,
        from: [member],
        forgets: [...bitsTerms(bits), at, x],
      },
      {
        name: `${name}: next`,
        holds: reaches,
        from: [notPast, ...place],
        forgets: [...ends, ...bitsTerms(bits), following, at, x],
      },
      {
        name: `${name}: next is a member`,
        holds: staysMember,
        from: [member, turns],
        forgets: [...ends, ...bitsTerms(bits), at, x],
      },
    ];
    return { next, reaches, staysMember, steps: nextSteps };
  };
  return { numbers, bits, x, steps, notBefore, notAfter, firstIsMember, after };
}

/** The state of the loop over pairs. */
function stateOf(state: readonly Term[]) {
  const [x, y, going, all_, any_, umin, umax, least, greatest] = state;
  if (!x || !y || !going || !all_ || !any_ || !umin || !umax || !least || !greatest)
    throw new Error("not the state of a loop over pairs");
  return { x, y, going: truth(going), all: all_, any: any_, umin, umax, least, greatest };
}

/** That z is in what the loop has gathered. */
function gathered(state: readonly Term[], z: Term, bound: Bound): Term<1> {
  const s = stateOf(state);
  const none = constant(z.width, 0);
  switch (bound) {
    case "bits":
      return and(eq(and(s.all, not(z)), none), eq(and(z, not(s.any)), none));
    case "umin":
      return ule(s.umin, z);
    case "umax":
      return ule(z, s.umax);
    case "smin":
      return sle(s.least, z);
    case "smax":
      return sge(s.greatest, z);
  }
}

function loopOf({ exact }: { readonly exact: Part<number> }): Fold {
  if (exact.umin.op !== "fold") throw new Error("no loop over pairs");
  return exact.umin.fold;
}

/** Whatever comes of two numbers of the operands is in what comes of all pairs, if the loop has been through them. */
function overPairs({ a, b, apply }: Operation, bound: Bound): Method {
  const made = pairs(a.part, b.part, apply);
  const { few } = made;
  const fold = loopOf(made);
  const z = apply(a.value, b.value);

  const bySigns = (s: Sign, t: Sign): Method => {
    const [first, second] = [orderOf("first", a, s), orderOf("second", b, t)];
    const before = [...first.steps, ...second.steps];
    const [x, y] = [first.x, second.x];
    const invariant = (state: readonly Term[]): readonly Invariant[] => {
      const at = stateOf(state);
      const notAfter = or(ult(at.x, x), and(eq(at.x, x), ule(at.y, y)));
      return [
        { name: "first is a member", holds: implies(at.going, inBits(first.bits, at.x)) },
        { name: "second is a member", holds: implies(at.going, inBits(second.bits, at.y)) },
        {
          name: "none is left out",
          holds: any(not(few), gathered(state, z, bound), and(at.going, notAfter)),
        },
      ];
    };
    const known = [few, ...bitsTerms(first.bits), ...bitsTerms(second.bits), x, y, z];
    const ends = [first.numbers.first, first.numbers.last, second.numbers.first, second.numbers.last];
    const base = inSteps(before, {
      from: [first.notBefore, second.notBefore, first.firstIsMember, second.firstIsMember],
      forgets: [...known, ...ends],
    });
    const step = (state: readonly Term[]): Method => {
      const at = stateOf(state);
      const [afterX, afterY] = [first.after(at.x), second.after(at.y)];
      const now = apply(at.x, at.y);
      const same = any(ne(at.x, x), ne(at.y, y), eq(now, z));
      const held = invariant(state).map(({ holds }) => holds);
      const steps: readonly Step[] = [
        ...before,
        ...afterX.steps,
        ...afterY.steps,
        { name: "the pair itself", holds: same, from: [], forgets: [at.x, at.y, x, y], by: byExchange },
      ];
      return inSteps(steps, {
        connecting: [at.going, ...held],
        from: [
          afterX.reaches,
          afterX.staysMember,
          afterY.reaches,
          afterY.staysMember,
          first.notAfter,
          second.notAfter,
          second.notBefore,
          second.firstIsMember,
          same,
        ],
        forgets: [...known, ...ends, afterX.next, afterY.next, now],
      });
    };
    const exit = (state: readonly Term[]): Method =>
      inSteps([], { connecting: invariant(state).map(({ holds }) => holds), from: [], forgets: known });
    return induction({ fold, invariant, base, step, exit });
  };

  const named = (what: string, sign: Sign): string => `${what} ${sign === 0 ? "not negative" : "negative"}`;
  return cases(
    SIGNS.map((s) => ({
      name: named("first", s),
      when: hasSign(a.value, s),
      by: cases(
        SIGNS.map((t) => ({ name: named("second", t), when: hasSign(b.value, t), by: bySigns(s, t) })),
      ),
    })),
  );
}

/**
 * For a claim that if some terms are equal, the last of its disjuncts holds: equal terms may be exchanged, so that it holds if it does with the
 * ones in the place of the others. A solver may not see that, where the terms are operands of a product.
 */
const byExchange: Method = (claim) => {
  const parts = disjuncts(claim.goal);
  const equal = new Map<Term, Term>();
  for (const part of parts.slice(0, -1))
    if (part.op === "not" && part.arg.op === "eq") equal.set(part.arg.left, part.arg.right);
  const exchanged = substitution(equal)(parts.at(-1) ?? claim.goal);
  return bits({ ...claim, goal: any(...parts.slice(0, -1), exchanged) });
};

/**
 * For a claim that what comes of two numbers of the operands is in one component of `byPairs` of them: it follows from the claim that it is in
 * that component of `otherwise`, which `by` proves.
 */
function inPairs(operation: Operation, otherwise: Part<number>, bound: Bound, by: Method): Method {
  const { a, b, apply } = operation;
  const { few, going, exact } = pairs(a.part, b.part, apply);
  const z = apply(a.value, b.value);
  const used = and(few, not(going));
  const [inOther, inExact] = [inPart(otherwise, z)[bound], implies(used, inPart(exact, z)[bound])];
  return (claim) =>
    eachOnce(
      inSteps(
        [
          { name: "many", holds: inOther, from: claim.premises, by },
          { name: "few", holds: inExact, from: claim.premises, by: overPairs(operation, bound) },
        ],
        {
          from: [inOther, inExact],
          forgets: [used, ...partTerms(exact), ...partTerms(otherwise), z],
        },
      ),
    )(claim);
}

/** What an operator does at one width: `byPairs`, and what it says of many pairs with the proof of each bound of that. */
export interface ByPairs extends Operation {
  readonly otherwise: Part<number>;
  readonly by: (bound: Bound) => Method;
}

/**
 * The proofs for an instruction whose result is made of what `byPairs` gives at one or two widths: that of the instruction's own width first.
 */
export function proofsThroughPairs(
  op: AluOp,
  width: 32 | 64,
  ...made: readonly ByPairs[]
): { readonly sound: Readonly<Record<Group, Method>>; readonly wellFormed: { readonly tnum: Method } } {
  const result = resultOf(op, width);
  const parts = made.map((through) => {
    const { a, b, apply, otherwise, by } = through;
    const part = byPairs(a.part, b.part, apply, otherwise);
    const z = apply(a.value, b.value);
    const low = extract(z.width, result);
    const inResult = inPart(part, z);
    const link = low === z ? [] : [eq(low, z)];
    const steps = (claim: Claim): readonly Step[] => [
      ...BOUNDS.map((bound) => ({
        name: `${bound}, ${z.width} bits`,
        holds: inResult[bound],
        from: claim.premises,
        by: inPairs(through, otherwise, bound, by(bound)),
      })),
      ...link.map((holds) => ({ name: `the result, ${z.width} bits`, holds, from: [] })),
    ];
    return { link, inResult, steps, forgets: [...partTerms(part), z, result] };
  });
  const steps = (claim: Claim): readonly Step[] => parts.flatMap((part) => part.steps(claim));
  const link = parts.flatMap((part) => part.link);
  const forgets = parts.flatMap((part) => part.forgets);
  const from = parts.flatMap(({ inResult }) => allOf(inResult));
  const sound: Method = (claim) => inSteps(steps(claim), { connecting: link, from, forgets })(claim);
  // What holds a number is well formed.
  const known = [...link, ...parts.map(({ inResult }) => inResult.bits)];
  const formed: Method = (claim) => inSteps(steps(claim), { connecting: known, from: [], forgets })(claim);
  return {
    sound: { tnum: sound, u64: sound, s64: sound, u32: sound, s32: sound },
    wellFormed: { tnum: formed },
  };
}
