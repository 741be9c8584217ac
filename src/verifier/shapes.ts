/** Numbers for what calls are active: two states have the same number if, and only if, `sameFrames` says so. To compare two numbers is less than to compare the frames of two states. */
import { CALL_WORDS, callWords } from "../absint/inclusion.ts";
import { frameCount, MAX_FRAMES } from "../absint/state.ts";

interface Shape {
  readonly words: Int32Array;
  readonly number: number;
  /** Another one whose words come to the same hash. */
  readonly next: Shape | undefined;
}

export class Shapes {
  readonly #byHash = new Map<number, Shape>();
  readonly #draft = new Int32Array(MAX_FRAMES * CALL_WORDS);
  #count = 0;
  /** The one that was asked for last: next to always it is asked for again. */
  #last: Shape | undefined;

  /** The number of a state's shape. */
  of(state: number): number {
    const frames = frameCount(state);
    const draft = this.#draft;
    for (let f = 0; f < frames; f += 1) callWords(state, f, draft, f * CALL_WORDS);
    const length = frames * CALL_WORDS;
    if (this.#last === undefined || !isSame(this.#last.words, draft, length)) {
      this.#last = this.#find(draft, length);
    }
    return this.#last.number;
  }

  #find(draft: Int32Array, length: number): Shape {
    let hash = length;
    for (let i = 0; i < length; i += 1) hash = (Math.imul(hash, 31) + (draft[i] ?? 0)) | 0;
    const first = this.#byHash.get(hash);
    for (let shape = first; shape !== undefined; shape = shape.next) {
      if (isSame(shape.words, draft, length)) return shape;
    }
    this.#count += 1;
    const made = { words: draft.slice(0, length), number: this.#count, next: first };
    this.#byHash.set(hash, made);
    return made;
  }
}

function isSame(words: Int32Array, others: Int32Array, length: number): boolean {
  if (words.length !== length) return false;
  for (let i = 0; i < length; i += 1) if (words[i] !== others[i]) return false;
  return true;
}
