import { describe, expect, test } from "vitest";
import { type Btf, readBtf } from "./btf.ts";
import { essentialName } from "./btf-types.ts";

/** BTF from words of types and from names, in little-endian order; names are at 1 plus the lengths of those before them and their NULs. */
function btf(types: readonly number[], names: readonly string[], firstEmpty = true): Uint8Array {
  const strings = new TextEncoder().encode(
    `${firstEmpty ? "\0" : ""}${names.map((name) => `${name}\0`).join("")}`,
  );
  const bytes = new Uint8Array(24 + types.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  view.setUint32(4, 24, true);
  view.setUint32(12, types.length * 4, true);
  view.setUint32(16, types.length * 4, true);
  view.setUint32(20, strings.length, true);
  types.forEach((word, index) => view.setUint32(24 + index * 4, word, true));
  bytes.set(strings, 24 + types.length * 4);
  return bytes;
}

// Kinds by number, as in Documentation/bpf/btf.rst.
const info = (kind: number, count = 0): number => kind * 2 ** 24 + count;
const INT = info(1);
const PTR = info(2);
const ARRAY = info(3);
const TYPEDEF = info(8);
const CONST = info(10);

/** int, int[3], and a typedef of const int[3]. */
const small = btf(
  [1, INT, 4, 0x01000020, 0, ARRAY, 0, 1, 1, 3, 0, CONST, 2, 5, TYPEDEF, 3],
  ["int", "three"],
);

describe("types", () => {
  test("by id and by name", () => {
    const types = readBtf(small);
    expect(types.count).toBe(5);
    expect(types.type(1)).toMatchObject({ kind: "int", name: "int", size: 4, bits: 32, signed: true });
    expect(types.type(2)).toEqual({ kind: "array", type: 1, indexType: 1, length: 3 });
    expect(types.find("three")).toEqual([4]);
    expect(types.find("thr")).toEqual([]);
    expect(types.resolve(4).id).toBe(2);
    expect(types.size(4)).toBe(12);
  });

  test("split BTF goes on where its base ends", () => {
    const base = readBtf(small);
    // Its names begin after the base's 11 bytes of strings.
    const module = readBtf(btf([11, TYPEDEF, 4, 0, PTR, 5], ["more"], false), "module", base);
    expect(module.count).toBe(7);
    expect(module.type(5)).toEqual({ kind: "typedef", name: "more", type: 4 });
    expect(module.type(1)).toMatchObject({ name: "int" });
    expect(module.size(5)).toBe(12);
    expect(module.find("three")).toEqual([4]);
  });

  test("flavors are found with what they are flavors of", () => {
    const types = readBtf(
      btf([1, info(4), 0, 6, info(4), 0, 17, info(4), 0], ["task", "task___old", "task_other"]),
    );
    expect(types.find("task")).toEqual([1]);
    expect(types.find("task", true)).toEqual([1, 2]);
    expect(["task___old", "task", "___x", "a___"].map(essentialName)).toEqual([
      "task",
      "task",
      "___x",
      "a___",
    ]);
  });
});

const malformed: [name: string, bytes: Uint8Array, message: string][] = [
  ["nothing", new Uint8Array(0), "section .BTF, offset 0x0: needs 2 bytes, but only 0 are there"],
  ["another magic", new Uint8Array(24), "section .BTF, offset 0x0: not BTF (the magic is 0x0)"],
  ["an unknown kind", btf([0, info(31), 0], []), "section .BTF types, offset 0x4: unknown kind 31"],
  [
    "a structure that is cut off",
    btf([0, info(4, 2), 8, 0, 0, 0], []),
    "section .BTF types, offset 0x0: needs 36 bytes, but only 24 are there",
  ],
  [
    "a type that does not exist",
    btf([0, PTR, 7], []),
    "section .BTF types, offset 0x8: type 7 does not exist (there are 2)",
  ],
  [
    "a name outside",
    btf([99, INT, 4, 32], []),
    "section .BTF types, offset 0x0: the name 0x63 lies outside the strings",
  ],
];

describe("malformed BTF", () => {
  test.each(malformed)("%s", (_, bytes, message) => {
    expect(() => readBtf(bytes)).toThrow(message);
  });

  test("types that go in circles end", () => {
    const circle: Btf = readBtf(btf([1, TYPEDEF, 2, 1, TYPEDEF, 1, 0, ARRAY, 0, 3, 1, 2], ["loop"]));
    expect(() => circle.resolve(1)).toThrow("BTF type 1: a chain of more than 64 typedefs and qualifiers");
    expect(() => circle.size(3)).toThrow("BTF type 3: arrays nested more than 64 deep");
  });
});
