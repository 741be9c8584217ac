/**
 * One harness for every abstract operator at full width: random scalars around random numbers, in memory as the verifier has them,
 * against the effects of the instruction table on numbers.
 */
import * as fc from "fast-check";
import { allocate } from "../../src/absint/arena.ts";
import {
  type aluOperator,
  type BranchOperators,
  copyScalar,
  SCALAR_BYTES,
  synchronise,
} from "../../src/absint/scalar/operators.ts";
import { DST, SRC } from "../../src/semantics/isa/row.ts";
import { evaluate } from "../../src/semantics/term/concrete.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import {
  contains,
  members,
  number,
  type Plain,
  read,
  type Shape,
  scalarAround,
  shape,
  show,
  write,
} from "./scalars.ts";

const block = (): number => allocate(SCALAR_BYTES);
const [A, B, OUT, COPY] = [block(), block(), block(), block()] as const;

/** A scalar and numbers in it. */
interface Sample {
  readonly scalar: Plain;
  readonly held: readonly bigint[];
}

/** As many numbers of a scalar as are tried, each with each of the other operand's. */
const HELD = 4;

function sampleAt(at: number, x: bigint, form: Shape): Sample {
  const loose = scalarAround(x, form);
  write(at, loose);
  if (form.synchronised) tighten(at, loose, [x]);
  const scalar = read(at);
  return { scalar, held: members(scalar, x, form.picks, HELD) };
}

function requireHeld(s: Plain, x: bigint, what: () => string): void {
  if (!contains(s, x)) throw new Error(`${x} (0x${x.toString(16)}) is not in ${show(s)}: ${what()}`);
}

/** Synchronises in place; the numbers in it stay. */
function tighten(at: number, before: Plain, held: readonly bigint[]): void {
  const empty = synchronise(at);
  const after = read(at);
  for (const x of held) requireHeld(after, x, () => `synchronised from ${show(before)}`);
  if (empty !== 0 && held.length > 0) throw new Error(`holds nothing once synchronised: ${show(before)}`);
}

/** Two operands; the second is often near the first, which is where comparisons change. */
export const operands = fc
  .record({
    x: number,
    y: fc.oneof(
      { weight: 2, arbitrary: number.map((value) => ({ value, relative: false })) },
      { weight: 1, arbitrary: fc.bigInt({ min: -2n, max: 2n }).map((value) => ({ value, relative: true })) },
    ),
    a: shape,
    b: shape,
  })
  .map(({ x, y, a, b }) => ({ x, y: y.relative ? BigInt.asUintN(64, x + y.value) : y.value, a, b }));

/** The result holds what `effect`, a term over `dst` and `src`, makes of the numbers in the operands; synchronised, too. */
export const aluHolds = (effect: Term, operator: ReturnType<typeof aluOperator>) =>
  fc.property(operands, ({ x, y, a, b }) => {
    const [left, right] = [sampleAt(A, x, a), sampleAt(B, y, b)];
    operator(A, B, OUT);
    const result = read(OUT);
    const images = left.held.flatMap((p) =>
      right.held.map((q) => {
        const image = evaluate(effect, new Map([[DST, p] as const, [SRC, q] as const]));
        requireHeld(
          result,
          image,
          () => `from ${p} in ${show(left.scalar)} and ${q} in ${show(right.scalar)}`,
        );
        return image;
      }),
    );
    tighten(OUT, result, images);
  });

/** Decisions are right and no pair of numbers is lost on the edge it takes; `taken` is a term over `dst` and `src`. */
export const branchHolds = (taken: Term, operators: BranchOperators) =>
  fc.property(operands, ({ x, y, a, b }) => {
    const [left, right] = [sampleAt(A, x, a), sampleAt(B, y, b)];
    const decision = operators.decide(A, B);
    const pairs = left.held.flatMap((p) => right.held.map((q) => [p, q] as const));
    const where = (): string => `${show(left.scalar)} and ${show(right.scalar)}`;
    for (const edge of [1n, 0n]) {
      const going = pairs.filter(
        ([p, q]) => evaluate(taken, new Map([[DST, p] as const, [SRC, q] as const])) === edge,
      );
      if (going.length === 0) continue;
      if (decision !== 2 && BigInt(decision) !== edge)
        throw new Error(`decides ${decision}, but not for ${going[0]!.join(" and ")} in ${where()}`);
      narrowed(edge === 1n ? operators.taken : operators.notTaken, going, where);
    }
  });

function narrowed(
  refine: BranchOperators["taken"],
  pairs: readonly (readonly [bigint, bigint])[],
  where: () => string,
): void {
  const [a, b] = [OUT, COPY];
  copyScalar(A, a);
  copyScalar(B, b);
  refine(a, b);
  const [left, right] = [read(a), read(b)];
  for (const [p, q] of pairs) {
    requireHeld(left, p, () => `beside ${q}, from ${where()}`);
    requireHeld(right, q, () => `beside ${p}, from ${where()}`);
  }
  tighten(
    a,
    left,
    pairs.map(([p]) => p),
  );
  tighten(
    b,
    right,
    pairs.map(([, q]) => q),
  );
}
