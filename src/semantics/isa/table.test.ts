import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Term } from "../term/node.ts";
import { assemble } from "./assemble.ts";
import { encode } from "./codec.ts";
import type { ConformanceGroup, Field, Row } from "./instruction.ts";
import { DST, LOADED, R0, SRC } from "./row.ts";
import { OPERANDS, syntaxOf } from "./syntax.ts";
import { ROWS } from "./table.ts";

/**
 * RFC 9669's instructions: opcodes in hexadecimal by conformance group and by what the fields src, off and imm may hold (`*` for anything).
 * Typed from the RFC's tables, not from ours. What Linux alone has is last.
 */
const OPCODES: readonly [group: ConformanceGroup, src: string, off: string, imm: string, opcodes: string][] =
  [
    // Arithmetic, with an immediate and with a register.
    ["base32", "0", "0", "*", "04 14 44 54 64 74 a4 b4 c4"],
    ["base32", "*", "0", "0", "0c 1c 4c 5c 6c 7c ac bc cc"],
    ["base64", "0", "0", "*", "07 17 47 57 67 77 a7 b7 c7"],
    ["base64", "*", "0", "0", "0f 1f 4f 5f 6f 7f af bf cf"],
    ["divmul32", "0", "0", "*", "24 34 94"],
    ["divmul32", "*", "0", "0", "2c 3c 9c"],
    ["divmul64", "0", "0", "*", "27 37 97"],
    ["divmul64", "*", "0", "0", "2f 3f 9f"],
    // Signed division and modulo, and sign-extending moves.
    ["divmul32", "0", "1", "*", "34 94"],
    ["divmul32", "*", "1", "0", "3c 9c"],
    ["divmul64", "0", "1", "*", "37 97"],
    ["divmul64", "*", "1", "0", "3f 9f"],
    ["base32", "*", "8", "0", "bc"],
    ["base32", "*", "16", "0", "bc"],
    ["base64", "*", "8", "0", "bf"],
    ["base64", "*", "16", "0", "bf"],
    ["base64", "*", "32", "0", "bf"],
    // Negation and byte swaps.
    ["base32", "0", "0", "0", "84"],
    ["base64", "0", "0", "0", "87"],
    ["base32", "0", "0", "16", "d4 dc d7"],
    ["base32", "0", "0", "32", "d4 dc d7"],
    ["base64", "0", "0", "64", "d4 dc d7"],
    // Conditional jumps.
    ["base64", "0", "*", "*", "15 25 35 45 55 65 75 a5 b5 c5 d5"],
    ["base64", "*", "*", "0", "1d 2d 3d 4d 5d 6d 7d ad bd cd dd"],
    ["base32", "0", "*", "*", "16 26 36 46 56 66 76 a6 b6 c6 d6"],
    ["base32", "*", "*", "0", "1e 2e 3e 4e 5e 6e 7e ae be ce de"],
    // Jumps, calls (by helper, by distance, by BTF id, where Linux uses off), exit.
    ["base32", "0", "*", "0", "05"],
    ["base32", "0", "0", "*", "06"],
    ["base32", "0", "0", "*", "85"],
    ["base32", "1", "0", "*", "85"],
    ["base32", "2", "*", "*", "85"],
    ["base32", "0", "0", "0", "95"],
    // Loads, sign-extending loads, stores.
    ["base32", "*", "*", "0", "61 69 71"],
    ["base64", "*", "*", "0", "79"],
    ["base64", "*", "*", "0", "81 89 91"],
    ["base32", "0", "*", "*", "62 6a 72"],
    ["base64", "0", "*", "*", "7a"],
    ["base32", "*", "*", "0", "63 6b 73"],
    ["base64", "*", "*", "0", "7b"],
    // 16-byte loads by src, and packet access.
    ...["0", "1", "2", "3", "4", "5", "6"].map((src): (typeof OPCODES)[number] => [
      "base64",
      src,
      "0",
      "*",
      "18",
    ]),
    ["packet", "0", "0", "*", "20 28 30"],
    ["packet", "*", "0", "*", "40 48 50"],
    // Atomic operations by imm: add, or, and, xor, each without and with fetch; exchange, compare and exchange.
    ...[0x00, 0x40, 0x50, 0xa0, 0x01, 0x41, 0x51, 0xa1, 0xe1, 0xf1].flatMap(
      (imm): (typeof OPCODES)[number][] => [
        ["atomic32", "*", "*", `${imm}`, "c3"],
        ["atomic64", "*", "*", `${imm}`, "db"],
      ],
    ),
    // Linux: address-space casts, may_goto, load-acquire (imm 0x100) and store-release (0x110) of 4, 2, 1 and 8 bytes.
    ["linux", "*", "1", "*", "bf"],
    ["linux", "0", "*", "0", "e5"],
    ["linux", "*", "*", "256", "c3 cb d3 db"],
    ["linux", "*", "*", "272", "c3 cb d3 db"],
  ];

const written = (field: Field): string => (field === "any" ? "*" : `${field}`);

test("the opcodes, fields and groups are those of RFC 9669", () => {
  const wanted = OPCODES.flatMap(([group, src, off, imm, opcodes]) =>
    opcodes.split(" ").map((opcode) => `${opcode} ${src} ${off} ${imm} ${group}`),
  );
  const got = ROWS.map(({ opcode, fields: { src, off, imm }, group }) =>
    [opcode.toString(16).padStart(2, "0"), written(src), written(off), written(imm), group].join(" "),
  );
  expect(got.sort()).toEqual(wanted.sort());
});

/** The terms of a row's effect, with the widths they must have. */
function effects({ operation }: Row): [Term, number][] {
  switch (operation.kind) {
    case "alu":
    case "load":
    case "load_acquire":
    case "packet":
      return [[operation.result, 64]];
    case "jump":
      return [[operation.taken, 1]];
    case "store":
    case "store_release":
      return [[operation.stored, 8 * operation.size]];
    case "atomic": {
      const registers = [operation.source, operation.r0].filter((t) => t !== undefined);
      return [[operation.stored, 8 * operation.size], ...registers.map((t): [Term, number] => [t, 64])];
    }
    default:
      return [];
  }
}

function variables(term: Term, seen = new Set<Term>()): Set<Term> {
  if (term.op === "var") seen.add(term);
  for (const value of Object.values(term)) {
    if (typeof value === "object" && value !== null && "op" in value) variables(value, seen);
  }
  return seen;
}

describe("every row has every column", () => {
  test("names are unique", () => {
    expect(new Set(ROWS.map((row) => row.name)).size).toBe(ROWS.length);
  });

  const known = new Set<Term>([DST, SRC, R0, ...Object.values(LOADED)]);
  test.each(ROWS.map((row) => [row.name, row] as const))("%s", (name, row) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(row.opcode).toBeLessThan(256);
    expect([1, 2, 3, 4]).toContain(row.version);
    for (const [term, width] of effects(row)) {
      expect(term.width).toBe(width);
      for (const variable of variables(term)) expect(known).toContain(variable);
    }
    // A text that leaves out an operand could not be read back.
    const placeholders = syntaxOf(row).flatMap((part) => ("operand" in part ? [part.operand] : []));
    const said = placeholders.map((placeholder) => OPERANDS[placeholder]).join("; ");
    const words = {
      dst: /\bdst\b/,
      src: /\bsrc\b/,
      off: /\boff\b/,
      imm: /\bimm\b|both imm/,
      immHigh: /second|both imm/,
    };
    for (const [field, word] of Object.entries(words)) {
      const value = Object.entries(row.fields).find(([f]) => f === field)?.[1];
      if (value === "any") expect(said).toMatch(word);
    }
  });
});

describe("LLVM's assembler encodes the same", () => {
  const { encodings }: { encodings: [string, string][] } = JSON.parse(
    readFileSync(new URL("./llvm-encodings.json", import.meta.url), "utf8"),
  );
  test.each(encodings)("%s", (text, hex) => {
    expect(Buffer.from(encode(assemble(text))).toString("hex")).toBe(hex);
  });
  test("all rows but those that LLVM 19 cannot write are there", () => {
    const covered = new Set(encodings.map(([text]) => assemble(text)[0]?.row.name));
    const missing = ROWS.map((row) => row.name).filter((name) => !covered.has(name));
    expect(
      missing.filter((name) => !/^(load_acquire|store_release|ld_imm64_|call_(kfunc|subprogram))/.test(name)),
    ).toEqual([]);
  });
});
