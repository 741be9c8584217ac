import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { csvText, parseCsv } from "./csv.ts";

/** RFC 4180, section 2: quotes around commas, quotes and line breaks; a quote is doubled. */
test("what needs quotes has them", () => {
  expect(csvText([["a", 'say "b"', "c,d", "e\nf", ""]])).toBe('a,"say ""b""","c,d","e\nf",\n');
});

test("records end in a line feed, with or without a carriage return, or with the text", () => {
  expect(parseCsv("a,b\r\nc,d\n\ne,")).toEqual([
    ["a", "b"],
    ["c", "d"],
    ["e", ""],
  ]);
});

test("what is broken is named with its line", () => {
  expect(() => parseCsv('a\n"b')).toThrow("line 2: a quote is not closed");
  expect(() => parseCsv('a\nb"c')).toThrow("line 2: a quote inside a value");
  expect(() => parseCsv('"a"b')).toThrow("line 1: text after a closing quote");
});

// A record of one empty value is an empty line.
const records = fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 4 }), { maxLength: 4 });

property.prop([records])("what is written is read again", (written) => {
  expect(parseCsv(csvText(written))).toEqual(written);
});
