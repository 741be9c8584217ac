/** Values that make terms 1, found by trying: premises that can hold mostly do for simple numbers, and to compute them costs less than a solver's question. */
import { type Environment, evaluator } from "../semantics/term/concrete.ts";
import { type Term, variablesOf } from "../semantics/term/node.ts";

/** What variables are tried at, in two's complement: the ends of both orders and their neighbours. */
const SIMPLE: readonly ((width: number) => bigint)[] = [
  () => 0n,
  () => 1n,
  () => -1n,
  (width) => 1n << BigInt(width - 1),
  (width) => (1n << BigInt(width - 1)) - 1n,
];
/** How many mixtures are tried after those in which all variables have the same. */
const MIXTURES = 300;

/** The next of a fixed sequence of numbers below 2^32 without a pattern. */
const following = (state: number): number => (Math.imul(state, 1664525) + 1013904223) >>> 0;

/** Values of the terms' variables for which all terms are 1; nothing if none were found, which says nothing. The same for the same terms. */
export function someValues(terms: readonly Term<1>[]): Environment | undefined {
  const variables = variablesOf(terms);
  let state = 1;
  const mixed = (): number => {
    state = following(state);
    // The low bits of such a sequence repeat soon.
    return (state >>> 16) % SIMPLE.length;
  };
  for (let round = 0; round < SIMPLE.length + MIXTURES; round += 1) {
    const values = new Map<Term, bigint>(
      variables.map((v) => {
        const simple = SIMPLE[round < SIMPLE.length ? round : mixed()];
        return [v, BigInt.asUintN(v.width, simple?.(v.width) ?? 0n)];
      }),
    );
    const value = evaluator(values);
    if (terms.every((term) => value(term) === 1n)) return values;
  }
  return undefined;
}
