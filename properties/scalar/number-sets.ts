/**
 * Sets of numbers of a few bits, as bits of words: number x is bit x % 32 of word ⌊x / 32⌋. A part, as two words (tightest.ts), holds such a set, and
 * each set has a tightest part around it.
 */
const WORD = 32;
/** The numbers below 32 that have bit 0, 1, … 4. */
const HAVING = [0xaaaaaaaa, 0xcccccccc, 0xf0f0f0f0, 0xff00ff00, 0xffff0000];

export class NumberSets {
  /** Words of a set. */
  readonly words: number;
  readonly #width: number;
  readonly #all: number;
  readonly #sign: number;
  /** For each value and mask what the tnum holds. */
  readonly #tnums: Uint32Array;
  /** For each x the numbers up to x. */
  readonly #upTo: Uint32Array;
  readonly #scratch: Uint32Array;
  /** What `tightest` has found: the part's two words, and how many numbers the set has. */
  first = 0;
  second = 0;
  count = 0;

  /** @param width  bits of a number, 1 to 8 */
  constructor(width: number) {
    const size = 1 << width;
    this.words = Math.ceil(size / WORD);
    this.#width = width;
    this.#all = size - 1;
    this.#sign = size >> 1;
    this.#scratch = this.empty();
    this.#upTo = new Uint32Array(size * this.words);
    this.#tnums = new Uint32Array(size * size * this.words);
    for (let x = 0; x < size; x += 1) {
      for (let y = 0; y <= x; y += 1) this.add(this.#upTo, x, y);
      for (let mask = 0; mask < size; mask += 1) this.add(this.#tnums, (x & ~mask) | (mask << width), x);
    }
  }

  empty(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.words);
  }

  /** Adds x to the set at `index` in an array of sets. */
  add(sets: Uint32Array, index: number, x: number): void {
    sets[index * this.words + (x >>> 5)]! |= 1 << (x & 31);
  }

  /** The tightest part around a set that is not empty: into `first`, `second` and `count`. */
  tightest(set: Uint32Array): void {
    const sign = this.#sign;
    let [and, or, count] = [0, 0, 0];
    for (let bit = 0; bit < this.#width; bit += 1) {
      let [having, lacking] = [0, 0];
      for (let w = 0; w < this.words; w += 1) {
        const these = bit < 5 ? HAVING[bit]! : ((w >> (bit - 5)) & 1) === 1 ? -1 : 0;
        having |= set[w]! & these;
        lacking |= set[w]! & ~these;
      }
      if (having !== 0) or |= 1 << bit;
      if (lacking === 0) and |= 1 << bit;
    }
    for (let w = 0; w < this.words; w += 1) count += ones(set[w]!);
    const [low, high] = [this.#lowest(set, 0), this.#highest(set, this.#all)];
    const slow = high < sign ? low : this.#lowest(set, sign);
    const shigh = low >= sign ? high : this.#highest(set, sign - 1);
    this.first = (and | ((or & ~and) << 8) | (low << 16) | (high << 24)) >>> 0;
    this.second = slow | (shigh << 8);
    this.count = count;
  }

  /** As `tightest`, around what a part holds, which is something. */
  tightestOf(first: number, second: number): void {
    const [value, mask, low, high] = [first & 255, (first >>> 8) & 255, (first >>> 16) & 255, first >>> 24];
    const [slow, shigh] = [second & 255, second >>> 8];
    const inOrder = slow <= shigh;
    for (let w = 0; w < this.words; w += 1) {
      const above = this.#between(low, high, w);
      // In unsigned order, an interval over 0 is the numbers from its lower end on and those up to its upper end.
      const signed = inOrder
        ? this.#between(slow, shigh, w)
        : this.#between(0, shigh, w) | this.#between(slow, this.#all, w);
      this.#scratch[w] = this.#tnums[(value | (mask << this.#width)) * this.words + w]! & above & signed;
    }
    this.tightest(this.#scratch);
  }

  #between(low: number, high: number, word: number): number {
    const below = low === 0 ? 0 : this.#upTo[(low - 1) * this.words + word]!;
    return this.#upTo[high * this.words + word]! & ~below;
  }

  /** The lowest number from `from` on; there is one. */
  #lowest(set: Uint32Array, from: number): number {
    let w = from >>> 5;
    let bits = set[w]! & (-1 << (from & 31));
    while (bits === 0) {
      w += 1;
      bits = set[w]!;
    }
    return (w << 5) | (31 - Math.clz32(bits & -bits));
  }

  /** The highest number up to `to`; there is one. */
  #highest(set: Uint32Array, to: number): number {
    let w = to >>> 5;
    let bits = set[w]! & (-1 >>> (31 - (to & 31)));
    while (bits === 0) {
      w -= 1;
      bits = set[w]!;
    }
    return (w << 5) | (31 - Math.clz32(bits));
  }
}

function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
