/**
 * How much each abstract operator loses at 4 bits: `npx tsx bench/precision.ts`.
 *
 * Two tables. In the first one component of the operands is known and the others are not, all such operands: how often is the result's
 * component the best that there is for the numbers which can come out. In the second all components are known, as tight as can be
 * for the numbers they hold, a sample: how often is each component of the result the best, alone and after the components have
 * told each other everything; and how many numbers the result holds for each that can come out.
 */
import { type Concrete, imagesOf } from "../properties/scalar/exhaust.ts";
import { OPERATORS, type Operator } from "../properties/scalar/operators.ts";
import {
  bitOf,
  compiled,
  operand,
  type Parts,
  packed,
  partsBy,
  sets,
  signed,
  unpacked,
} from "../properties/scalar/small.ts";

const WIDTH = 4;
const ALL = (1 << WIDTH) - 1;
const GAMMA = sets(WIDTH);
const NUMBERS = Array.from({ length: 1 << WIDTH }, (_, x) => x);
const SAMPLE = 300_000;

/** A part as packed, taken apart. */
const field = (part: number, i: number): number => (part >> (i * WIDTH)) & ALL;
const tnumOf = (part: number): number => part & 0xff;

/** The tightest part around a set, by the set. */
const BEST = Int32Array.from({ length: 1 << (1 << WIDTH) }, (_, set) => {
  const held = NUMBERS.filter((x) => (set >> x) & 1);
  const [first = 0] = held;
  const mask = held.reduce((bits, x) => bits | (x ^ first), 0);
  const bySign = held.toSorted((a, b) => signed(a, WIDTH) - signed(b, WIDTH));
  return [first & ~mask, mask, first, held.at(-1) ?? 0, bySign[0] ?? 0, bySign.at(-1) ?? 0].reduce(
    (part, x, i) => part | (x << (i * WIDTH)),
    0,
  );
});

const held = (part: number): number =>
  GAMMA.tnum[tnumOf(part)]! &
  GAMMA.umin[field(part, 2)]! &
  GAMMA.umax[field(part, 3)]! &
  GAMMA.smin[field(part, 4)]! &
  GAMMA.smax[field(part, 5)]!;

const size = (set: number): number => NUMBERS.reduce((n, x) => n + ((set >> x) & 1), 0);
const SIZES = Uint8Array.from({ length: 1 << (1 << WIDTH) }, (_, set) => size(set));

const COMPONENTS = {
  tnum: { fields: bitOf("value") | bitOf("mask"), of: tnumOf },
  unsigned: { fields: bitOf("umin") | bitOf("umax"), of: (part: number) => (part >> 8) & 0xff },
  signed: { fields: bitOf("smin") | bitOf("smax"), of: (part: number) => part >>> 16 },
} as const;
type Name = keyof typeof COMPONENTS;
const NAMES: readonly Name[] = ["tnum", "unsigned", "signed"];

const percent = (n: number, of: number): string => `${((100 * n) / of).toFixed(1)} %`;

/** Calls `visit` with the result and the set of numbers that can come out. */
function each(
  { abstract, concrete }: { abstract: Operator["abstract"]; concrete: Concrete },
  pairs: Iterable<readonly [a: number, aSet: number, b: number, bSet: number]>,
  visit: (result: number, image: number) => void,
): void {
  const [apply] = compiled(
    [packed(abstract(unpacked(operand("a", WIDTH)), unpacked(operand("b", WIDTH))))],
    WIDTH,
  );
  const image = imagesOf(concrete, WIDTH);
  for (const [a, aSet, b, bSet] of pairs) visit(apply!(a, b), image(aSet, bSet));
}

function* allPairs(parts: Parts): Generator<readonly [number, number, number, number]> {
  for (let i = 0; i < parts.sets.length; i += 1)
    for (let j = 0; j < parts.sets.length; j += 1)
      yield [parts.packed[i]!, parts.sets[i]!, parts.packed[j]!, parts.sets[j]!];
}

/** Parts that are the tightest for what they hold, each set once: two parts that hold the same are one when synchronised. */
function tightest(): readonly number[] {
  const everything = partsBy(WIDTH, 0b111111);
  return [...new Set(everything.sets)].toSorted((a, b) => a - b);
}

function* somePairs(choice: readonly number[]): Generator<readonly [number, number, number, number]> {
  let state = 20240601;
  const pick = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return choice[Math.floor((state / 2 ** 32) * choice.length)]!;
  };
  for (let k = 0; k < SAMPLE; k += 1) {
    const [a, b] = [pick(), pick()];
    yield [BEST[a]!, a, BEST[b]!, b];
  }
}

const operators = OPERATORS.filter(({ widths }) => widths.includes(WIDTH));

console.log(`One component known, all operands of ${WIDTH} bits: best results of that component`);
console.table(
  Object.fromEntries(
    operators.map((operator) => {
      const row = NAMES.map((name) => {
        const { fields, of } = COMPONENTS[name];
        let [best, all] = [0, 0];
        each(operator, allPairs(partsBy(WIDTH, fields)), (result, image) => {
          all += 1;
          if (of(result) === of(BEST[image]!)) best += 1;
        });
        return [name, percent(best, all)] as const;
      });
      return [operator.name, Object.fromEntries(row)];
    }),
  ),
);

console.log(
  `All components known and tight, ${SAMPLE} pairs of ${WIDTH} bits: best results of each component`,
);
const choice = tightest();
console.table(
  Object.fromEntries(
    operators.map((operator) => {
      const best = { tnum: 0, unsigned: 0, signed: 0 };
      let [together, holds, needs] = [0, 0, 0];
      each(operator, somePairs(choice), (result, image) => {
        const set = held(result);
        if ((image & ~set) !== 0) throw new Error(`${operator.name} is unsound`);
        for (const name of NAMES)
          if (COMPONENTS[name].of(result) === COMPONENTS[name].of(BEST[image]!)) best[name] += 1;
        if (BEST[set] === BEST[image]) together += 1;
        holds += SIZES[set]!;
        needs += SIZES[held(BEST[image]!)]!;
      });
      const alone = NAMES.map((name) => [name, percent(best[name], SAMPLE)]);
      const rest = {
        "after exchange": percent(together, SAMPLE),
        "numbers held / needed": (holds / needs).toFixed(2),
      };
      return [operator.name, { ...Object.fromEntries(alone), ...rest }];
    }),
  ),
);
