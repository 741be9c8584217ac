/**
 * Abstract shifts: that the result holds what every possible count makes of every number. For one count it is a fact about pieces; that no
 * possible count is left out is shown by induction on the loop over them.
 *
 * The invariant: what comes of a count that has been reached is in the state; the count that was reached last is a possible one, and the loop
 * reaches a further one with each step.
 */

import { shiftedLeft, shiftsOutHalf } from "../../absint/scalar/operations.ts";
import type { Part } from "../../absint/scalar/part.ts";
import { halves, type Piece, whole } from "../../absint/scalar/piece.ts";
import { countsOf, lsh, piecesOf, SHIFTS, windowsOf } from "../../absint/scalar/shift.ts";
import {
  and,
  any,
  ashr,
  constant,
  eq,
  extract,
  ite,
  lshr,
  ne,
  not,
  or,
  sext,
  shl,
  ule,
  ult,
  zext,
} from "../../semantics/term/build.ts";
import { type Term, termsIn } from "../../semantics/term/node.ts";
import { bits, type Claim, cases, cut, type Invariant, induction, loopIn, type Method } from "../methods.ts";
import { eachOnce, inSteps, type Step } from "../steps.ts";
import type { Theorem } from "../theorem.ts";
import { aluTheorems } from "./alu.ts";
import { type OfWidth, operandsOf, resultOf } from "./operands.ts";
import {
  allOf,
  bitsTerms,
  endOf,
  greatestOf,
  halfSteps,
  hasSign,
  inBits,
  inPart,
  inPiece,
  isFormed,
  joinedSteps,
  leastOf,
  partTerms,
  type Sign,
  termsOf,
} from "./pieces.ts";
import { A, B, type Group, membership } from "./scalar.ts";
import { insteadSteps } from "./shift-counts.ts";

type ShiftOp = keyof typeof SHIFTS;

const SIGNS: readonly Sign[] = [0, 1];

/** The count and the part of a loop's state. */
function stateOf(state: readonly Term[]): { readonly count: Term; readonly part: Part<number> } {
  const [count, value, mask, umin, umax, smin, smax] = state;
  if (!count || !value || !mask || !umin || !umax || !smin || !smax)
    throw new Error("not the state of a shift");
  return { count, part: { tnum: { value, mask }, umin, umax, smin, smax } };
}

/** What the components of a loop's state say, by their position. */
const COMPONENTS = ["", "bits", "bits", "umin", "umax", "smin", "smax"] as const;

/** Whether `z` is in a part if `when` holds, component by component. */
function inPartIf(when: Term<1>, p: Part<number>, z: Term) {
  const { bits: inBits_, umin, umax, smin, smax } = inPart(p, z);
  const orNot = (holds: Term<1>): Term<1> => or(eq(when, constant(1, 0)), holds);
  return {
    bits: orNot(inBits_),
    umin: orNot(umin),
    umax: orNot(umax),
    smin: orNot(smin),
    smax: orNot(smax),
  };
}

/** What is known before the loop: x in one of the pieces, and the count among the possible ones. */
function before(a: OfWidth, b: OfWidth, sign: Sign, signOfY: Sign) {
  const [x, y] = [a.value, b.value];
  const low = constant(x.width, x.width - 1);
  const count = and(y, low);
  const own = halves(a.part)[sign];
  const piece = piecesOf(a.part)[sign];
  const [clear, set] = halves(b.part);
  const both = whole([clear, set]);
  const { from, to, range } = countsOf(b.part);
  const instead = insteadSteps(b, signOfY, count);
  const forgets = [...termsOf(halves(a.part)[0]), ...termsOf(halves(a.part)[1]), x];
  const inHalf = allOf(inPiece(own, x));
  const inBoth = inPiece(both, y);
  const steps: readonly Step[] = [
    ...a.steps,
    ...b.steps,
    ...halfSteps("number", a.part, x, sign),
    ...Object.entries(inPiece(piece, x)).map(([what, holds]) => ({
      name: `piece: ${what}`,
      holds,
      from: inHalf,
      forgets,
    })),
    ...halfSteps("count", b.part, y, signOfY),
    ...joinedSteps("counts", clear, set, y, signOfY),
    {
      name: "masked count: bits",
      holds: inBits(range.bits, count),
      from: [inBoth.bits],
      forgets: [both.bits.value, both.bits.mask, y],
    },
    {
      name: "masked count: from",
      holds: ule(from, count),
      from: allOf(inBoth),
      forgets: [...termsOf(both), y],
    },
    ...leastOf("masked count", range.bits, from, count),
    {
      name: "masked count: least is possible",
      holds: inBits(range.bits, range.least),
      from: [inBits(range.bits, count)],
      forgets: [...bitsTerms(range.bits), from, count],
    },
    {
      name: "masked count: to",
      holds: ule(count, to),
      from: allOf(inBoth),
      forgets: [...termsOf(both), y],
    },
    ...greatestOf("masked count", range.bits, to, count),
    {
      name: "masked count: greatest is possible",
      holds: inBits(range.bits, range.greatest),
      from: [inBits(range.bits, count)],
      forgets: [...bitsTerms(range.bits), to, count],
    },
    { name: "masked count: to is a count", holds: ule(to, low), from: [], forgets: termsOf(both) },
    {
      name: "masked count: greatest is a count",
      holds: ule(range.greatest, low),
      from: [ule(range.greatest, to), ule(to, low)],
      forgets: [range.greatest, to],
    },
    {
      name: "piece: sign",
      holds: endOf(piece, sign),
      from: [own.some, endOf(own, sign)],
      forgets,
    },
    ...instead.steps,
  ];
  return { steps, count, piece, range, sameAt: instead.sameAt };
}

/** What one count makes of a number in a piece is in what it makes of the piece. */
function shiftSteps(
  name: string,
  op: ShiftOp,
  p: Piece<number>,
  sign: Sign,
  x: Term,
  at: Term,
  count: Term,
): readonly Step[] {
  const z = concrete(op, x, count);
  const bound = ule(count, constant(x.width, x.width - 1));
  const given = {
    from: [...allOf(inPiece(p, x)), endOf(p, sign), bound],
    forgets: [...termsOf(p), at, count, x],
  };
  const windows = op === "lsh" ? windowSteps(name, p, at, count, z, given) : undefined;
  const last = windows ?? given;
  const parts = Object.entries(inPartIf(eq(at, count), SHIFTS[op](p, at), z));
  return [
    { name: `${name}: a count`, holds: bound, from: [], forgets: [] },
    ...(windows?.steps ?? []),
    ...parts.map(
      ([what, holds]): Step => ({
        name: `${name}: ${what}`,
        holds,
        from: last.from,
        forgets: last.forgets,
      }),
    ),
  ];
}

/** The windows in which a left shift's result is: from these alone it is in the part. */
function windowSteps(
  name: string,
  p: Piece<number>,
  at: Term,
  count: Term,
  z: Term,
  given: Pick<Step, "forgets" | "from">,
) {
  const { bits, least, greatest, one, two } = windowsOf(p, at);
  const otherwise = ne(at, count);
  const known = or(otherwise, inBits(bits, z));
  const inOne = and(ule(least, z), ule(z, greatest));
  const ofOne = any(otherwise, not(one), inOne);
  const ofTwo = any(otherwise, one, not(two), ule(least, z), ule(z, greatest));
  const steps: readonly Step[] = [
    { name: `${name}: bits in place`, holds: known, ...given },
    { name: `${name}: in one window`, holds: ofOne, ...given },
    { name: `${name}: in two windows`, holds: ofTwo, ...given },
  ];
  return {
    steps,
    from: [known, ofOne, ofTwo],
    forgets: [...bitsTerms(bits), least, greatest, one, two, z, at, count],
  };
}

const concrete = (op: ShiftOp, x: Term, count: Term): Term =>
  op === "lsh" ? shl(x, count) : op === "rsh" ? lshr(x, count) : ashr(x, count);

function shifting(op: ShiftOp, a: OfWidth, b: OfWidth): Method {
  const x = a.value;
  const pieces = piecesOf(a.part);
  const { range, next, instead } = countsOf(b.part);
  const possible = (at: Term): Term<1> => inBits(range.bits, at);
  const countBits = bitsTerms(range.bits);

  const bySigns = (sign: Sign, signOfY: Sign, wanted: ReadonlySet<string>): Method => {
    const { steps, count, piece, sameAt } = before(a, b, sign, signOfY);
    const z = concrete(op, x, count);
    const shifted = (at: Term): Part<number> => SHIFTS[op](piece, at);
    /** What the loop's new part is made of. */
    const made = (at: Term): readonly Term[] => pieces.flatMap((p) => partTerms(SHIFTS[op](p, at)));
    const atCount = (at: Term): readonly Term<1>[] => Object.values(inPartIf(eq(at, count), shifted(at), z));
    const invariant = (state: readonly Term[], index: Term): readonly Invariant[] => {
      const { count: at, part } = stateOf(state);
      return [
        { name: "possible", holds: possible(at) },
        { name: "further", holds: ule(zext(x.width, index), at) },
        ...Object.entries(inPartIf(ule(count, at), part, z))
          .filter(([name]) => wanted.has(name))
          .map(([name, holds]) => ({ name, holds })),
      ];
    };
    const first = range.least;
    const atFirst = instead(first);
    const sameFirst = sameAt(first);
    const firstSteps = shiftSteps("first", op, piece, sign, x, atFirst, count);
    const base = inSteps([...steps, sameFirst.step, ...firstSteps], {
      connecting: [ule(first, count), sameFirst.holds],
      from: [possible(first), ...atCount(atFirst)],
      forgets: [...made(atFirst), atFirst, first, count, z, ...countBits],
    });

    const step = (state: readonly Term[], index: Term): Method => {
      const { count: at, part } = stateOf(state);
      const following = next(at);
      const atFollowing = instead(following);
      const same = sameAt(following);
      const counts = [...countBits, at, range.greatest, count];
      const notPast = ult(at, range.greatest);
      const further = ult(at, following);
      const noneBetween = or(ule(count, at), ule(following, count));
      return (claim) => {
        const goesOn = claim.premises.filter((p) => termsIn([p]).has(notPast));
        const lemmas: readonly Step[] = [
          { name: "not past", holds: notPast, from: goesOn, forgets: [notPast, ...partTerms(part)] },
          { name: "next is possible", holds: possible(following), from: [possible(at)], forgets: counts },
          {
            name: "next is further",
            holds: further,
            from: [notPast, possible(at), possible(range.greatest)],
            forgets: counts,
          },
          {
            name: "none between",
            holds: noneBetween,
            from: [possible(at), possible(count)],
            forgets: counts,
          },
          same.step,
          ...shiftSteps("next", op, piece, sign, x, atFollowing, count),
        ];
        const held = invariant(state, index).map(({ holds }) => holds);
        return inSteps([...steps, ...lemmas], {
          connecting: claim.goal === possible(following) ? [] : [noneBetween, further, same.holds],
          from: [...held, possible(following), ...atCount(atFollowing)],
          forgets: [...made(atFollowing), atFollowing, following, count, z, ...countBits],
        })(claim);
      };
    };

    const exit = (state: readonly Term[], index: Term): Method => {
      const { part } = stateOf(state);
      return (claim) => {
        const held = invariant(state, index).map(({ holds }) => holds);
        const ends = claim.premises.slice(-1);
        const result = resultOf(op, a.width);
        const same: Step = {
          name: "the result",
          holds: eq(result, z),
          from: a.standsIn ?? [],
          forgets: a.standsIn === undefined ? [x, b.value] : [b.value],
        };
        const within = [ule(count, range.greatest), ule(range.greatest, constant(x.width, x.width - 1))];
        return inSteps([...steps, same], {
          connecting: [piece.some, range.some, ...ends, ...within, eq(result, z)],
          from: held,
          forgets: [
            piece.some,
            pieces[0].some,
            range.some,
            range.greatest,
            count,
            z,
            result,
            ...partTerms(part),
          ],
        })(claim);
      };
    };
    return (claim) => induction({ fold: loopIn(claim), invariant, base, step, exit })(claim);
  };

  /** The parts of the invariant that a goal is about. */
  const wantedBy = ({ goal }: Claim): ReadonlySet<string> =>
    new Set([...termsIn([goal])].map((t) => (t.op === "fold" ? (COMPONENTS[t.position] ?? "") : "")));
  const named = (what: string, sign: Sign): string =>
    sign === 0 ? `${what} not negative` : `${what} negative`;
  return eachOnce(
    cases(
      SIGNS.map((sign) => ({
        name: named("number", sign),
        when: hasSign(x, sign),
        by: cases(
          SIGNS.map((signOfY) => ({
            name: named("count", signOfY),
            when: hasSign(b.value, signOfY),
            by: (claim) => bySigns(sign, signOfY, wantedBy(claim))(claim),
          })),
        ),
      })),
    ),
  );
}

/** The bits of the state are well formed from the start, by each step, and so at the end, whatever they are joined from. */
const wellFormed =
  (op: ShiftOp, a: OfWidth, b: OfWidth): Method =>
  (claim) => {
    const pieces = piecesOf(a.part);
    const { range, next, instead } = countsOf(b.part);
    const made = (at: Term): readonly Term[] => pieces.flatMap((p) => partTerms(SHIFTS[op](p, at)));
    const invariant = (state: readonly Term[]): readonly Invariant[] => [
      { name: "form", holds: isFormed(stateOf(state).part.tnum) },
    ];
    const looking = (forgets: readonly Term[], connecting: readonly Term<1>[] = []): Method =>
      inSteps([], { connecting, from: [], forgets });
    return induction({
      fold: loopIn(claim),
      invariant,
      base: looking(made(instead(range.least))),
      step: (state) => looking(made(instead(next(stateOf(state).count)))),
      exit: (state) =>
        looking(
          [pieces[0].some, range.some],
          invariant(state).map(({ holds }) => holds),
        ),
    })(claim);
  };

/**
 * A left shift of 64 bits whose count is below 32 is also one of the low half: from both, and from it that the low half of the one result is
 * the other.
 */
function leftWithHalf(
  group: Group,
  operands: readonly [OfWidth, OfWidth],
  halfOperands: readonly [OfWidth, OfWidth],
): Method {
  const [[a, b], [c, d]] = [operands, halfOperands];
  const [part, half] = [lsh(a.part, b.part), lsh(c.part, d.part)];
  const result = resultOf("lsh", 64);
  const low = shl(c.value, and<number>(d.value, constant(32, 31)));
  const inHalf = inPart(half, low);
  const wanted: Readonly<Record<Group, readonly (keyof typeof inHalf)[]>> = {
    tnum: ["bits"],
    u64: [],
    s64: [],
    u32: ["umin", "umax"],
    s32: ["smin", "smax"],
  };
  const isLow = eq<number>(extract(32, result), low);
  return cut(
    [
      ...(group === "tnum"
        ? [{ name: "the whole", holds: inBits(part.tnum, result), by: shifting("lsh", a, b) }]
        : []),
      ...wanted[group].map((name) => ({
        name: `the half, ${name}`,
        holds: inHalf[name],
        by: shifting("lsh", c, d),
      })),
      {
        name: "the half of the whole",
        holds: or(ule<number>(constant(64, 32), b.value), isLow),
        by: (claim) => bits({ ...claim, premises: [] }),
      },
    ],
    [...bitsTerms(part.tnum), ...partTerms(half), result, low],
  );
}

/** Bits that are in both of two tnums are well formed, whatever those are. */
function bothFormed(...operands: readonly (readonly [OfWidth, OfWidth])[]): Method {
  return inSteps([], { from: [], forgets: operands.flatMap(([a, b]) => partTerms(lsh(a.part, b.part))) });
}

/** The left operand of a 64-bit shift to the left: by 32 or more, the sign extension of the low half stands in for the number. */
function leftOperand(): OfWidth {
  const instead = shiftsOutHalf(B.scalar);
  const part = shiftedLeft(A.scalar, B.scalar);
  const value = ite(instead, sext(64, extract(32, A.value)), A.value);
  const members = membership(A.scalar, A.value);
  const from = Object.values(members).flatMap((parts) => parts.map(({ holds }) => holds));
  const steps = Object.entries(inPart(part, value)).map(([what, holds]) => ({
    name: `left operand: ${what}`,
    holds,
    from,
    forgets: [instead],
  }));
  const count = membership(B.scalar, B.value).u64.map(({ holds }) => holds);
  return { width: 64, part, value, steps, standsIn: count };
}

export const shiftTheorems = (): readonly Theorem[] =>
  (["lsh", "rsh", "arsh"] as const).flatMap((op) =>
    ([64, 32] as const).flatMap((width) => {
      const [own, b] = operandsOf(width);
      const a = op === "lsh" && width === 64 ? leftOperand() : own;
      const by = shifting(op, a, b);
      const sound = { tnum: by, u64: by, s64: by, u32: by, s32: by };
      const form = wellFormed(op, a, b);
      if (op !== "lsh" || width === 32) return aluTheorems(op, width, { sound, wellFormed: { tnum: form } });
      const withHalf = (group: Group): Method => leftWithHalf(group, [a, b], operandsOf(32));
      return aluTheorems(op, width, {
        sound: { ...sound, tnum: withHalf("tnum"), u32: withHalf("u32"), s32: withHalf("s32") },
        wellFormed: { tnum: bothFormed([a, b], operandsOf(32)) },
      });
    }),
  );
