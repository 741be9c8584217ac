/** Forms of text. What bpf_asm takes is in Documentation/networking/filter.rst of Linux, whose examples these are; what tcpdump prints, in `properties/classic`. */
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { assembleFilter } from "./assemble.ts";
import { encodeFilter } from "./codec.ts";
import { disassembleFilter } from "./disassemble.ts";
import { readImage, writeImage } from "./image.ts";
import type { Filter } from "./instruction.ts";
import { FILTER_FORMATS, readFilter } from "./read.ts";
import { CLASSIC_ROWS } from "./table.ts";
import { writeFilter } from "./write.ts";

const bytesOf = (written: string | Uint8Array): Uint8Array =>
  typeof written === "string" ? new TextEncoder().encode(written) : written;

const numbers = (filter: Filter): readonly string[] =>
  filter.map(({ code, jt, jf, k }) => `${code.toString(16)} ${jt} ${jf} ${k.toString(16)}`);

describe("bpf_asm's notation", () => {
  test("IPv4 TCP", () => {
    const text = "ldh [12]\njne #0x800, drop\nldb [23]\njneq #6, drop\nret #-1\ndrop: ret #0\n";
    // As the kernel's documentation prints them: { 0x28, 0, 0, 0x0000000c }, …
    expect(numbers(assembleFilter(text))).toEqual([
      "28 0 0 c",
      "15 0 3 800",
      "30 0 0 17",
      "15 0 1 6",
      "6 0 0 ffffffff",
      "6 0 0 0",
    ]);
  });

  test("comments, labels of their own line, other names and numbers", () => {
    const text = `
      /* a comment
         of two lines */ ld vlan_tci   ; to the end
      ldi 0x10
      ldxi #0b101
      ldx  4*([ 014 ]&0xf)
      stx M[ 3 ]
      jlt %x, low
      jle #8, low
      jgt #9, high, low
      ja high
      low:
      ret %a
      high: other:
      ret x_is_no_operand
    `.replace("ret x_is_no_operand", "ret 7");
    expect(numbers(assembleFilter(text))).toEqual([
      "20 0 0 fffff02c",
      "0 0 0 10",
      "1 0 0 5",
      "b1 0 0 c",
      "3 0 0 3",
      "3d 0 3 0",
      "25 0 2 8",
      "25 2 1 9",
      "5 0 0 1",
      "16 0 0 0",
      "6 0 0 7",
    ]);
  });

  test("every addressing mode and extension reads as it is printed", () => {
    const operands = ["[4]", "[x + 4]", "[-4096]", "proto", "rand", "xor_x", "poff", "nlan"];
    const text = [
      "ld M[2]",
      "ldx len",
      "tax",
      "txa",
      "neg",
      ...operands.map((each) => `ld ${each}`),
      "ret a",
    ];
    const filter = assembleFilter(text.join("\n"));
    expect(assembleFilter(disassembleFilter(filter))).toEqual(filter);
    expect(readImage(writeImage(filter))).toEqual(filter);
  });

  test.each([
    ["ldq [1]", "line 1: ldq is no instruction"],
    ["ld [1]\nldh M[1]", "line 2: ldh takes no operand of this form"],
    ["ld [1", 'line 1: "[1" is no operand'],
    ["jeq #1, there\nret a", "line 1: there is no label there"],
    ["back: ld [1]\njmp back", "line 2: back lies behind, and jumps go forward alone"],
    ["l: ld [1]\nl: ret a", "line 2: label l is there already"],
    ["jeq #1", "line 1: jeq takes one or two labels"],
    ["jne #1, a, b", "line 1: jne takes a label"],
    ["ld #0x1ffffffff", "line 1: 0x1ffffffff is no number of 32 bits"],
    ["ld 08", "line 1: 08 is no number of 32 bits"],
    ["tax #1", "line 1: tax takes no operand of this form"],
    ["ld [1], x", "line 1: ld takes one operand"],
    ["ldi x", "line 1: ldi takes no operand of this form"],
    ["+", 'line 1: "+" is no instruction'],
  ])("%j", (text, message) => {
    expect(() => assembleFilter(text)).toThrow(new InputError(message));
  });

  test("a jump that is too far", () => {
    const text = ["jeq #1, end", ...Array.from({ length: 256 }, () => "tax"), "end: ret a"].join("\n");
    expect(() => assembleFilter(text)).toThrow(/end is 256 instructions away, but a jump skips 255 at most/);
  });
});

describe("what a file is", () => {
  const filter = CLASSIC_ROWS.map(({ code, k, operation }) => ({
    code,
    jt: operation.kind === "jump" ? 1 : 0,
    jf: operation.kind === "jump" ? 2 : 0,
    k: k === "none" ? 0 : 3,
  }));
  const whole = [...filter, ...Array.from({ length: 4 }, () => ({ code: 6, jt: 0, jf: 0, k: 0xffff_ffff }))];

  test.each(FILTER_FORMATS)("%s reads as it is written", (format) => {
    expect(readFilter(bytesOf(writeFilter(whole, format)))).toEqual(whole);
  });

  test("bytes are little-endian", () => {
    expect(encodeFilter([{ code: 0x15, jt: 1, jf: 2, k: 0x800 }])).toEqual(
      Uint8Array.of(0x15, 0, 1, 2, 0, 8, 0, 0),
    );
  });

  test.each([
    ["", "holds no instruction"],
    ["2\n40 0 0 12\n", "1 instructions, but the number before them is 2"],
    ["1\n40 0 300 12\n", "line 2: jf is no integer from 0 to 255"],
    ["1,40 0 0 4294967296", "line 1: k is no integer from 0 to 4294967295"],
    ["{ 0x28, 0, 0 },", "initialiser 1: 3 numbers, but an instruction has code, jt, jf and k"],
    ["{ 0x28, 0, 0, 0 }, x", '"x" is no initialiser { code, jt, jf, k }'],
    ["(000) ldh [12]\n(002) ret #0", "line 2: instruction 2, but 1 is next"],
    ["(000) ldq [12]", 'line 1: "ldq [12]" is no instruction'],
    ["(000) ja 0", "line 1: a jump from 0 to 0"],
    ["(000) jeq #1", "line 1: jt and jf are for jumps"],
    ["06000000000000", "7 bytes are not whole instructions of 8"],
    ["\u0000\u0001", "2 bytes are not whole instructions of 8"],
  ])("%j", (text, message) => {
    expect(() => readFilter(new TextEncoder().encode(text))).toThrow(new InputError(message));
  });
});
