/**
 * Arrays of the compiler. Most functions are small, and to make a typed array takes longer than what is then done with it. So what has an element for each slot of a program lies in
 * arrays that all compilations use: compiling never waits for anything, so that there is one at a time. They hold whatever was left in them. What has an element for each block
 * is a plain array of small numbers.
 */

/** An array that grows with what is asked for. */
class Scratch<T extends Uint8Array | Int32Array> {
  readonly #make: (length: number) => T;
  #array: T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#array = make(1024);
  }

  /** At least `count` elements, of which each is 0 or what was last written to it; the same ones every time, unless there have to be more. */
  take(count: number): T {
    if (this.#array.length < count) this.#array = this.#make(Math.max(count, 2 * this.#array.length));
    return this.#array;
  }
}

export const scratchBytes = (): Scratch<Uint8Array> => new Scratch((length) => new Uint8Array(length));
export const scratchWords = (): Scratch<Int32Array> => new Scratch((length) => new Int32Array(length));

/** A plain array of as many times the same number. */
export function filled(count: number, value: number): number[] {
  const all: number[] = [];
  for (let i = 0; i < count; i += 1) all.push(value);
  return all;
}
