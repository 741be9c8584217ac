/** A line of assembly taken apart: what stands before the instruction (labels, number, opcode), and the instruction's tokens. */
import { InputError } from "../errors.ts";

/** A word, a number or a sign. Columns count from 1. */
export interface Token {
  readonly text: string;
  readonly column: number;
}

export interface Line {
  readonly labels: readonly Token[];
  /** The slot's number, where the line begins with one. */
  readonly number: Token | undefined;
  readonly opcode: Token | undefined;
  readonly tokens: readonly Token[];
  /** Where an instruction that goes on would go on. */
  readonly end: number;
}

/** A comment is `;` or `//` to the end of the line, and `#` where a space or nothing precedes it. */
const COMMENT = /;|\/\/|(?<=^|\s)#/;
const LABEL = /\s*([A-Za-z_.$][\w.$]*)\s*:/y;
const NUMBER = /\s*(\d+)\s*:/y;
const OPCODE = /\s*\(([0-9a-fA-F]{2})\)/y;
/** Signed comparisons and operations start with a letter, so they come before words. */
const TOKEN =
  /\s*(s(?:>>=|[/%<>]=|[<>])|0[xX][0-9a-fA-F]+|\d+|[A-Za-z_.$][\w.$]*|>>=|<<=|[-+*/%&|^]=|[<>=!]=|[-+*&<>=(),[\]#@])/y;

const RESERVED = /^(?:[rw]\d+|pc|if|goto|gotol|may_goto|call|exit|lock|ll)$/;

/** Whether a name may stand for a place in the program. */
export function canBeLabel(name: string): boolean {
  return /^[A-Za-z_.$][\w.$]*$/.test(name) && !RESERVED.test(name);
}

/** @throws InputError naming the line (from 1) and the column of what is no token */
export function tokenize(source: string, line: number): Line {
  const text = source.slice(0, COMMENT.exec(source)?.index ?? source.length).trimEnd();
  let position = 0;
  const take = (pattern: RegExp): Token | undefined => {
    pattern.lastIndex = position;
    const found = pattern.exec(text)?.[1];
    if (found === undefined) return undefined;
    const column = text.indexOf(found, position) + 1;
    position = pattern.lastIndex;
    return { text: found, column };
  };
  const takeAll = (pattern: RegExp): Token[] => {
    const taken: Token[] = [];
    for (let token = take(pattern); token !== undefined; token = take(pattern)) taken.push(token);
    return taken;
  };
  const labels = takeAll(LABEL);
  const number = take(NUMBER);
  const opcode = take(OPCODE);
  const tokens = takeAll(TOKEN);
  if (position < text.length) {
    const column = position + 1 + (text.slice(position).length - text.slice(position).trimStart().length);
    throw new InputError(
      `line ${line}, column ${column}: ${JSON.stringify(text[column - 1])} is not understood`,
    );
  }
  return { labels, number, opcode, tokens, end: text.length + 1 };
}

/** The tokens of text that is known to consist of them. */
export function tokensOf(text: string): readonly string[] {
  return tokenize(text, 0).tokens.map((token) => token.text);
}
