/** The instructions of a path, of which the end is cut off again and again. (An array whose length is set gives its memory away, and takes new when it grows.) */
export class Path {
  #pcs = new Int32Array(128);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(pc: number): void {
    if (this.#length === this.#pcs.length) {
      const longer = new Int32Array(2 * this.#length);
      longer.set(this.#pcs);
      this.#pcs = longer;
    }
    this.#pcs[this.#length] = pc;
    this.#length += 1;
  }

  /** Forgets all but the first `length` instructions. */
  cut(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** The instruction at a position, which is one of the path's. */
  at(position: number): number {
    return this.#pcs[position] ?? 0;
  }

  /** The last instruction; undefined of an empty path. */
  last(): number | undefined {
    return this.#length === 0 ? undefined : this.#pcs[this.#length - 1];
  }

  /** The instructions from a position on. */
  from(position: number): number[] {
    return [...this.#pcs.subarray(position, this.#length)];
  }
}
