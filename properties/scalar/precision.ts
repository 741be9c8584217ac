/**
 * How near an abstract operator comes to the best there is, at 4 to 8 bits.
 *
 * Operands are pools of parts, each with the numbers it holds. The best result for two parts is the tightest part around the numbers
 * that can come out; what an operator gives, once its components have told each other what they know, is compared with that, field by field.
 *
 * In memory a part is a record of 8 bytes: its six fields in the order of `FIELDS`, one byte each, and two that are zero.
 */
import type { Part } from "../../src/absint/scalar/part.ts";
import { variable } from "../../src/semantics/term/build.ts";
import { toText } from "../../src/semantics/term/text.ts";
import {
  type FunctionSpec,
  instantiateOnAddresses,
  type OnAddresses,
} from "../../src/semantics/term/wasm.ts";
import { exchanged } from "./exchange.ts";
import { type Abstract, chance } from "./exhaust.ts";
import { NumberSets } from "./number-sets.ts";
import type { Operator } from "./operators.ts";
import { SEED } from "./settings.ts";
import { FIELDS } from "./small.ts";
import { type Known, LISTED, pool } from "./tightest.ts";

const RECORD = 8;
/** The results' record comes first in memory, the left operands' follow. */
const FIRST = RECORD;

const symbolic = (name: string, width: number): Part<number> => {
  const [value, mask, umin, umax, smin, smax] = FIELDS.map((field) => variable(`${name}.${field}`, width));
  return { tnum: { value: value!, mask: mask! }, umin: umin!, umax: umax!, smin: smin!, smax: smax! };
};

const fields = (p: Part<number>) => [p.tnum.value, p.tnum.mask, p.umin, p.umax, p.smin, p.smax];

/** What `measure` measures, as text: a figure holds as long as this is the same. */
export function textOf(operator: Operator, width: number, exchange: boolean): string {
  const result = operator.abstract(symbolic("a", width), symbolic("b", width));
  return toText(...fields(exchange ? exchanged(result) : result));
}

function compile(memory: WebAssembly.Memory, width: number, result: Abstract): OnAddresses {
  const [a, b] = [symbolic("a", width), symbolic("b", width)];
  const place = (pointer: number, offset: number) => ({ pointer, offset, bytes: 1 }) as const;
  const spec: FunctionSpec = {
    name: "f",
    parameters: ["i32", "i32", "i32"],
    inputs: [a, b].flatMap((p, pointer) =>
      fields(p).map((term, i) => [term, { kind: "memory", ...place(pointer, i) }] as const),
    ),
    outputs: fields(result(a, b)).map((term, i) => [term, place(2, i)] as const),
  };
  return instantiateOnAddresses([spec], memory).get("f")!;
}

export interface Limits {
  /** Pairs of operands that are all gone through. */
  readonly all: number;
  /** How many are drawn where there are more. */
  readonly sample: number;
}

/** Counts of pairs of operands. */
export interface Tally {
  readonly pairs: number;
  readonly exhaustive: boolean;
  /** With the best tnum, the best unsigned and signed interval, both intervals, all of them. */
  readonly tnum: number;
  readonly unsigned: number;
  readonly signed: number;
  readonly intervals: number;
  readonly everything: number;
  /** Results whose numbers are those of the best: all fields would be the best if the components told each other all they know. */
  readonly complete: number;
  /** How many numbers the results and the best results hold, in all. */
  readonly held: number;
  readonly needed: number;
}

/** Whether the first part, of two words, says no more than the second, component by component. */
function encloses(width: number, first: number, second: number, inner0: number, inner1: number): boolean {
  const sign = 1 << (width - 1);
  const at = (word: number, byte: number): number => (word >>> (8 * byte)) & 255;
  const known = ~at(first, 1);
  return (
    (at(inner0, 1) & known) === 0 &&
    (at(inner0, 0) & known) === at(first, 0) &&
    at(first, 2) <= at(inner0, 2) &&
    at(inner0, 3) <= at(first, 3) &&
    (at(second, 0) ^ sign) <= (at(inner1, 0) ^ sign) &&
    (at(inner1, 1) ^ sign) <= (at(second, 1) ^ sign)
  );
}

/**
 * How often `operator` gives the best result for operands of which so much is known. With `exchange` the operands' components tell each other what
 * they know first, and the result's afterwards, as in the verifier; without, what an operator says by itself is measured. Throws if the operator is unsound.
 */
export function measure(
  operator: Operator,
  width: number,
  known: Known,
  limits: Limits,
  exchange = true,
): Tally {
  const operands = pool(width, known);
  const unary = operator.operands === 1;
  const { size, starts, members } = operands;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((FIRST + RECORD * size) / 65536) });
  const words = new Uint32Array(memory.buffer);
  words.set(operands.words, FIRST / 4);
  const address = (i: number): number => FIRST + RECORD * i;
  if (exchange && known !== "everything") {
    const tighten = compile(memory, width, (a) => exchanged(a));
    for (let i = 0; i < size; i += 1) tighten(address(i), address(i), address(i));
  }
  const apply = compile(memory, width, (a, b) => {
    const result = operator.abstract(a, b);
    return exchange ? exchanged(result) : result;
  });

  const sets = new NumberSets(width);
  const modulus = (1 << width) - 1;
  const table = Uint8Array.from(
    { length: 1 << (2 * width) },
    (_, at) => operator.concrete(at >> width, at & modulus, width) & modulus,
  );
  /** For each number on the right, what comes of it and of the left operand's. */
  const rows = new Uint32Array(sets.words * (modulus + 1));
  const fill = (i: number): void => {
    rows.fill(0);
    const last = unary ? 0 : modulus;
    for (let k = starts[i]!; k < starts[i + 1]!; k += 1) {
      const x = members[k]! << width;
      for (let y = 0; y <= last; y += 1) sets.add(rows, y, table[x | y]!);
    }
  };
  const tally = {
    tnum: 0,
    unsigned: 0,
    signed: 0,
    intervals: 0,
    everything: 0,
    complete: 0,
    held: 0,
    needed: 0,
  };

  const results = sets.empty();
  const compare = (i: number, j: number): void => {
    const [from, to] = unary ? [0, 1] : [starts[j]!, starts[j + 1]!];
    for (let w = 0; w < sets.words; w += 1) {
      let set = 0;
      for (let k = from; k < to; k += 1) set |= rows[(unary ? 0 : members[k]!) * sets.words + w]!;
      results[w] = set;
    }
    sets.tightest(results);
    const [best0, best1, needed] = [sets.first, sets.second, sets.count];
    apply(address(i), address(j), 0);
    const [is0, is1] = [words[0]!, words[1]!];
    const differ = is0 ^ best0;
    const signedBest = is1 === best1;
    if ((differ & 0xffff) === 0) tally.tnum += 1;
    if (differ >>> 16 === 0) tally.unsigned += 1;
    if (signedBest) tally.signed += 1;
    if (differ >>> 16 === 0 && signedBest) tally.intervals += 1;
    tally.needed += needed;
    if (differ === 0 && signedBest) {
      tally.everything += 1;
      tally.complete += 1;
      tally.held += needed;
      return;
    }
    if (!encloses(width, is0, is1, best0, best1))
      throw new Error(`${operator.name} at ${width} bits is unsound`);
    sets.tightestOf(is0, is1);
    tally.held += sets.count;
    if (sets.first === best0 && sets.second === best1) tally.complete += 1;
  };

  const rights = unary ? 1 : size;
  if (size * rights <= limits.all) {
    for (let i = 0; i < size; i += 1) {
      fill(i);
      for (let j = 0; j < rights; j += 1) compare(i, j);
    }
    return { pairs: size * rights, exhaustive: known !== "everything" || width <= LISTED, ...tally };
  }
  const below = chance(SEED);
  const beside = unary ? 1 : BESIDE;
  const lefts = Math.ceil(limits.sample / beside);
  for (let n = 0; n < lefts; n += 1) {
    const i = below(size);
    fill(i);
    for (let k = 0; k < beside; k += 1) compare(i, unary ? 0 : below(size));
  }
  return { pairs: lefts * beside, exhaustive: false, ...tally };
}

/** Each left operand that is drawn meets so many right ones: what comes of it is listed once for all. */
const BESIDE = 32;
