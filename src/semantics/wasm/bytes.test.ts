/** LEB128 as the DWARF standard, appendix C, and the WebAssembly specification, section 5.2.2, give it. */
import { expect, test } from "vitest";
import { Bytes } from "./bytes.ts";

const written = (write: (bytes: Bytes) => void): number[] => {
  const bytes = new Bytes();
  write(bytes);
  return [...bytes.finish()];
};

test.each([
  [2, [0x02]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [12857, [0xb9, 0x64]],
  [0xffffffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
])("unsigned %d", (value, expected) => {
  expect(written((b) => b.unsigned(value))).toEqual(expected);
});

test.each([
  [2, [0x02]],
  [-2, [0x7e]],
  [127, [0xff, 0x00]],
  [-127, [0x81, 0x7f]],
  [128, [0x80, 0x01]],
  [-128, [0x80, 0x7f]],
  [-129, [0xff, 0x7e]],
  [-0x80000000, [0x80, 0x80, 0x80, 0x80, 0x78]],
])("signed %d", (value, expected) => {
  expect(written((b) => b.signed(value))).toEqual(expected);
  expect(written((b) => b.signedLong(BigInt(value)))).toEqual(expected);
});

test("signed of 64 bits", () => {
  const [ones, seven] = [Array<number>(9).fill(0xff), Array<number>(9).fill(0x80)];
  expect(written((b) => b.signedLong((1n << 63n) - 1n))).toEqual([...ones, 0x00]);
  expect(written((b) => b.signedLong(1n << 63n))).toEqual([...seven, 0x7f]);
});

test("the buffer grows", () => {
  const all = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);
  expect(written((b) => b.vector(all))).toEqual([0xe8, 0x07, ...all]);
});
