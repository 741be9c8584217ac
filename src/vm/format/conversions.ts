/**
 * The format language of trace_printk, snprintf and their kin: a part of the kernel's printf, with a few conversions of its own. A format is refused as a
 * whole; here it is taken apart. Characters are bytes, by the kernel's table of them, which is that of Latin-1.
 *
 * Learnt from Documentation/core-api/printk-formats.rst and by experiment; `properties/machine/formats-kernel` compares.
 */

export type Conversion =
  /** A text, with who vouches for its address: nobody (`s`), or whose memory it is in. */
  | { readonly kind: "string"; readonly memory: "any" | "kernel" | "user"; readonly padded: boolean }
  /** `hashed` ones do not show where anything is. */
  | { readonly kind: "pointer"; readonly hashed: boolean }
  /** The function at an address: its name, with an offset and its size, or that of a return address. */
  | { readonly kind: "symbol"; readonly form: "name" | "offset" | "return" }
  | { readonly kind: "ip"; readonly version: 4 | 6; readonly zeros: boolean }
  | { readonly kind: "character" }
  | {
      readonly kind: "integer";
      readonly bits: 32 | 64;
      readonly base: 10 | 16;
      readonly signed: boolean;
      readonly upper: boolean;
    };

/** A stretch of text as it is, or a conversion of the next argument. */
export type Piece =
  | string
  | { readonly flags: string; readonly width: number | undefined; readonly conversion: Conversion };

const SEPARATOR = "[\\t-\\r -/:-@[-`{-~\\xa0-\\xbf\\xd7\\xf7]";
const ALPHANUMERIC = /[0-9A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]*/y;
const END = `(?=$|${SEPARATOR})`;
const DIRECTIVE = new RegExp(
  `%(?:%|([0+\\- ]*)([1-9][0-9]*)?((?:s|p[ku]s)${END}|p(?!%$)${END}|p[KxsSB]|p[iI][46]|c|l{0,2}[diuxX]))`,
  "y",
);
// oxlint-disable-next-line eslint/no-control-regex -- control characters are what is refused
const REFUSED = /[\0-\x08\x0e-\x1f\x7f]/;

function conversionOf(text: string): Conversion {
  switch (text) {
    case "s":
      return { kind: "string", memory: "any", padded: true };
    case "pks":
      return { kind: "string", memory: "kernel", padded: false };
    case "pus":
      return { kind: "string", memory: "user", padded: false };
    case "p":
    case "pK":
      return { kind: "pointer", hashed: true };
    case "px":
      return { kind: "pointer", hashed: false };
    case "ps":
      return { kind: "symbol", form: "name" };
    case "pS":
      return { kind: "symbol", form: "offset" };
    case "pB":
      return { kind: "symbol", form: "return" };
    case "c":
      return { kind: "character" };
    default:
      return text.startsWith("p") ? address(text) : integer(text);
  }
}

/** `pi4`, `pI4`, `pi6`, `pI6`. */
const address = (text: string): Conversion => ({
  kind: "ip",
  version: text.endsWith("4") ? 4 : 6,
  zeros: text[1] === "i",
});

function integer(text: string): Conversion {
  const letter = text.at(-1) ?? "d";
  return {
    kind: "integer",
    bits: text.startsWith("l") ? 64 : 32,
    base: letter === "x" || letter === "X" ? 16 : 10,
    signed: letter === "d" || letter === "i",
    upper: letter === "X",
  };
}

/**
 * The pieces of a format (a character a byte, without its final NUL), in order; `undefined` where Linux stops and refuses it, whatever the
 * arguments.
 */
export function* piecesOf(format: string): Generator<Piece | undefined> {
  for (let at = 0; at < format.length; ) {
    const next = format.indexOf("%", at);
    const text = format.slice(at, next === -1 ? format.length : next);
    if (REFUSED.test(text)) return yield undefined;
    if (text !== "") yield text;
    if (next === -1) return;
    DIRECTIVE.lastIndex = next;
    const match = DIRECTIVE.exec(format);
    if (match === null) return yield undefined;
    const [whole, flags = "", width, conversion] = match;
    at = next + whole.length;
    if (conversion === undefined) {
      yield "%";
      continue;
    }
    const digits = width === undefined ? undefined : widthOf(width);
    yield { flags, width: digits, conversion: conversionOf(conversion) };
    // What looks as if it belonged to a conversion of a pointer is passed over.
    if (conversion.startsWith("p")) {
      ALPHANUMERIC.lastIndex = at;
      at += ALPHANUMERIC.exec(format)?.[0].length ?? 0;
    }
  }
}

/** The widest field (FIELD_WIDTH_MAX in lib/vsprintf.c). */
const WIDTH_MAX = 2 ** 23 - 1;

/** Linux reads the digits into 32 bits with a sign. */
function widthOf(digits: string): number {
  let width = 0;
  for (const digit of digits) width = (Math.imul(width, 10) + Number(digit)) | 0;
  return Math.max(-WIDTH_MAX, Math.min(WIDTH_MAX, width));
}
