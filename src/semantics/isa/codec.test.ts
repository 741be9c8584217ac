import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { programs } from "./arbitrary.ts";
import { decode, encode } from "./codec.ts";
import type { Fields, Row } from "./instruction.ts";
import { insn, layOut } from "./make.ts";
import { ROWS, rowByName } from "./table.ts";

/** Raw slots, independent of the encoder. */
function raw(...slots: [opcode: number, dst: number, src: number, off: number, imm: number][]): Uint8Array {
  const bytes = new Uint8Array(slots.length * 8);
  const view = new DataView(bytes.buffer);
  slots.forEach(([opcode, dst, src, off, imm], i) => {
    view.setUint8(8 * i, opcode);
    view.setUint8(8 * i + 1, dst | (src << 4));
    view.setInt16(8 * i + 2, off, true);
    view.setInt32(8 * i + 4, imm, true);
  });
  return bytes;
}

describe("round trips", () => {
  test.each(["little", "big"] as const)("decode(encode(p)) = p, %s-endian", (byteOrder) => {
    fc.assert(
      fc.property(programs(), (slots) => {
        expect(decode(encode(slots, { byteOrder }), { byteOrder })).toEqual(slots);
      }),
    );
  });

  test("encode(decode(b)) = b for whatever bytes decode", () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
    let decoded = 0;
    fc.assert(
      fc.property(bytes, fc.nat(ROWS.length - 1), fc.boolean(), (b, i, tidy) => {
        const row = ROWS[i]!;
        b[0] = row.opcode;
        if (tidy) b.set(encode(layOut([insn(row.name)])).subarray(2, 8), 2);
        try {
          expect(encode(decode(b))).toEqual(b);
          decoded += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 2000 },
    );
    expect(decoded).toBeGreaterThan(100);
  });
});

describe("the layout of RFC 9669 section 3", () => {
  // Bytes as in the RFC's figure: opcode, src and dst nibbles, offset, immediate.
  test("little-endian puts dst in the low nibble", () => {
    const slots = layOut([insn("stxdw", { dst: 10, src: 1, off: -8 })]);
    expect(Buffer.from(encode(slots)).toString("hex")).toBe("7b1af8ff00000000");
  });
  test("big-endian puts dst in the high nibble", () => {
    const slots = layOut([insn("stxdw", { dst: 10, src: 1, off: -8 })]);
    expect(Buffer.from(encode(slots, { byteOrder: "big" })).toString("hex")).toBe("7ba1fff800000000");
  });
  test("a 16-byte load", () => {
    const slots = layOut([insn("ld_imm64", { dst: 1, imm: 0x55667788, immHigh: 0x11223344 })]);
    expect(Buffer.from(encode(slots)).toString("hex")).toBe("18010000887766550000000044332211");
  });
});

describe("errors name the instruction and the field", () => {
  const cases: [string, Uint8Array, string][] = [
    [
      "unknown opcode",
      raw([0xb7, 0, 0, 0, 0], [0x8f, 0, 0, 0, 0]),
      "instruction 1: opcode 0x8f is no instruction",
    ],
    ["no register", raw([0xbf, 11, 0, 0, 0]), "instruction 0: dst_reg is 11, which is no register"],
    ["no register", raw([0xbf, 0, 15, 0, 0]), "instruction 0: src_reg is 15, which is no register"],
    ["reserved", raw([0x07, 1, 2, 0, 0]), "instruction 0: src_reg is 2, reserved for add64_imm"],
    [
      "atomic",
      raw([0xdb, 1, 2, 0, 2]),
      "instruction 0: imm is 2, which selects no instruction of opcode 0xdb",
    ],
    [
      "atomic size",
      raw([0xd3, 1, 2, 0, 0]),
      "instruction 0: imm is 0, which selects no instruction of opcode 0xd3",
    ],
    [
      "pseudo",
      raw([0x18, 1, 7, 0, 0], [0, 0, 0, 0, 0]),
      "instruction 0: src_reg is 7, which selects no instruction of opcode 0x18",
    ],
    ["truncated load", raw([0x18, 1, 0, 0, 0]), "instruction 0: ld_imm64 is cut off before its second slot"],
    [
      "second slot",
      raw([0x18, 1, 0, 0, 0], [0x95, 0, 0, 0, 0]),
      "instruction 0: ld_imm64: opcode of the second slot is 149, reserved",
    ],
    [
      "second slot",
      raw([0x18, 1, 0, 0, 0], [0, 0, 1, 0, 0]),
      "instruction 0: ld_imm64: register byte of the second slot is 16, reserved",
    ],
    [
      "second slot",
      raw([0x18, 1, 0, 0, 0], [0, 0, 0, -1, 0]),
      "instruction 0: ld_imm64: off of the second slot is -1, reserved",
    ],
    ["part of a slot", new Uint8Array(11), "instruction 1: cut off after 3 bytes"],
  ];
  test.each(cases)("%s: %#", (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(InputError);
    expect(() => decode(bytes)).toThrow(new RegExp(`^${message}$`));
  });

  const reserved = ROWS.flatMap((row) =>
    (["dst", "src", "off", "imm"] as const)
      .filter((field) => row.fields[field] !== "any")
      .map((field): [string, Row, keyof Fields] => [`${row.name}: ${field}`, row, field]),
  );
  test.each(reserved)("%s must have the row's value", (_, row, field) => {
    const bytes = encode(layOut([insn(row.name)]));
    // 13 selects no row by any field, and 2 is the first value that no `off` selects.
    const view = new DataView(bytes.buffer);
    if (field === "dst") bytes[1] = (bytes[1]! & 0xf0) | 13;
    else if (field === "src") bytes[1] = (bytes[1]! & 0x0f) | (13 << 4);
    else if (field === "off") view.setInt16(2, 2, true);
    else view.setInt32(4, 13, true);
    const name = { dst: "dst_reg", src: "src_reg", off: "off", imm: "imm", immHigh: "" }[field];
    expect(() => decode(bytes)).toThrow(
      new RegExp(`^instruction 0: ${name} is (13|2), (reserved for ${row.name}$|which selects)`),
    );
  });
});

test("encoding refuses what cannot be encoded", () => {
  expect(() => encode([insn("mov64_imm", { dst: 11 })])).toThrow(
    "slot 0: an operand of mov64_imm is out of range",
  );
  expect(() => encode([insn("goto", { off: 0x8000 })])).toThrow("out of range");
  expect(() => encode([insn("mov64_imm", { imm: 2 ** 31 })])).toThrow("out of range");
  expect(() => encode([undefined])).toThrow("slot 0 is empty");
  expect(() => encode([insn("ld_imm64")])).toThrow("has no second slot");
  expect(() => encode([insn("ld_imm64"), insn("exit")])).toThrow(
    "slot 1 belongs to the 16-byte load before it",
  );
});

test("a name that no row has is the caller's mistake", () => {
  expect(() => rowByName("nop")).toThrow("no instruction is called nop");
});
