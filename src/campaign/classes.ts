/**
 * What the ids of an abstract state stand for in one state of the machine: found from the first member of a class, and the same for all others. Numbers are in halves, as int32: these are
 * asked at each step of each run.
 */

/** Which pointers are null, by their ids. */
export class Meanings {
  readonly #ids: number[] = [];
  readonly #null: boolean[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** Pointers that share an id are null together. */
  agrees(id: number, isNull: boolean): boolean {
    if (id === 0) return true;
    for (let i = 0; i < this.#count; i += 1) if (this.#ids[i] === id) return this.#null[i] === isNull;
    this.#ids[this.#count] = id;
    this.#null[this.#count] = isNull;
    this.#count += 1;
    return true;
  }
}

/** Whether two numbers are the same in their lowest `bits`. */
function same(low: number, high: number, otherLow: number, otherHigh: number, bits: number): boolean {
  if (bits < 32) return ((low ^ otherLow) & ((1 << bits) - 1)) === 0;
  if (low !== otherLow) return false;
  // Of 64 bits all, since a shift by 32 is none.
  return bits === 64 ? high === otherHigh : ((high ^ otherHigh) & ((1 << (bits - 32)) - 1)) === 0;
}

/** The numbers that linked ones count from, as far as they are known: their lowest bits. */
export class Bases {
  readonly #ids: number[] = [];
  readonly #low: number[] = [];
  readonly #high: number[] = [];
  readonly #bits: number[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  /** Whether the class counts from a number whose lowest `bits` (1 … 64) are those of the given one. */
  agrees(id: number, low: number, high: number, bits: number): boolean {
    let i = 0;
    while (i < this.#count && this.#ids[i] !== id) i += 1;
    if (i === this.#count) {
      this.#count += 1;
      this.#ids[i] = id;
      this.#set(i, low, high, bits);
      return true;
    }
    const known = this.#bits[i] ?? 0;
    const agree = same(low, high, this.#low[i] ?? 0, this.#high[i] ?? 0, Math.min(bits, known));
    if (known < bits) this.#set(i, low, high, bits);
    return agree;
  }

  #set(i: number, low: number, high: number, bits: number): void {
    this.#low[i] = low;
    this.#high[i] = high;
    this.#bits[i] = bits;
  }

  /**
   * Whether a number of the class goes with the others.
   *
   * @param form  that of its link, and `delta` its distance, as int32 (absint/register.ts)
   */
  agreesNumber(id: number, low: number, high: number, delta: number, form: number): boolean {
    const shift = form < 0 ? -form : 0;
    const from = shiftedRight(low, high, shift);
    const to = (from >>> 0) - (delta >>> 0);
    // A delta of 32 bits, extended by its sign, and what is borrowed.
    const upper = (shift < 32 ? high >>> shift : 0) - (delta < 0 ? -1 : 0) - (to < 0 ? 1 : 0);
    return this.agrees(id, to | 0, upper | 0, form < 0 ? 64 - shift : form);
  }
}

/** The lower half of a number that is shifted to the right, by 0 … 63. */
function shiftedRight(low: number, high: number, shift: number): number {
  if (shift === 0) return low;
  if (shift >= 32) return (high >>> (shift - 32)) | 0;
  return (low >>> shift) | (high << (32 - shift));
}
