/** JSON with errors that say where. */
import { InputError } from "../semantics/errors.ts";

/** @throws InputError with line and column (both from 1) of the first character that does not belong. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Engines word the position differently, and not all tell it: look for it.
    const { offset, wanted } = new Scanner(text).firstError();
    const before = text.slice(0, offset).split("\n");
    const found =
      offset >= text.length ? "the end" : JSON.stringify(String.fromCodePoint(text.codePointAt(offset) ?? 0));
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw new InputError(`line ${before.length}, column ${column}: expected ${wanted}, found ${found}`);
  }
}

const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const STRING = /"(?:[^"\\\p{Cc}]+|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/uy;
const SPACE = /[ \t\n\r]*/y;

interface Problem {
  readonly offset: number;
  readonly wanted: string;
}

/** Walks a text that is known to be wrong, with a stack of its own: the nesting is the input's choice. */
class Scanner {
  readonly #text: string;
  #at = 0;
  #problem: Problem | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  firstError(): Problem {
    const open: ("}" | "]")[] = [];
    this.#value(open);
    while (this.#problem === undefined && open.length > 0) {
      const close = open.at(-1) ?? "}";
      if (this.#take(close)) open.pop();
      else if (!this.#take(",")) this.#fail(`"," or "${close}"`);
      else this.#member(close, open);
    }
    this.#match(SPACE);
    this.#fail("the end");
    return this.#problem ?? { offset: this.#at, wanted: "JSON" };
  }

  #fail(wanted: string): void {
    this.#problem ??= { offset: this.#at, wanted };
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  /** Takes one character after white space. */
  #take(character: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #string(wanted: string): void {
    this.#match(SPACE);
    if (!this.#match(STRING)) this.#fail(wanted);
    else if (this.#text[this.#at] === '"') this.#at++;
    else this.#fail("the end of the string");
  }

  /** One element of what `close` ends. */
  #member(close: "}" | "]", open: ("}" | "]")[]): void {
    if (close === "}") {
      this.#string("a key");
      if (this.#problem === undefined && !this.#take(":")) this.#fail('":"');
    }
    if (this.#problem === undefined) this.#value(open);
  }

  /** A scalar, or the start of an object or array, up to the end of its first element. */
  #value(open: ("}" | "]")[]): void {
    for (;;) {
      const close = this.#take("{") ? "}" : this.#take("[") ? "]" : undefined;
      if (close === undefined) break;
      if (this.#take(close)) return;
      open.push(close);
      if (close === "}") {
        this.#string("a key");
        if (this.#problem === undefined && !this.#take(":")) this.#fail('":"');
        if (this.#problem !== undefined) return;
      }
    }
    if (this.#text[this.#at] === '"') this.#string("a string");
    else if (!this.#match(SCALAR)) this.#fail("a value");
  }
}
