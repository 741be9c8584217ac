/**
 * Translation validation: the WebAssembly that runs for a row of the instruction table is read back, instruction by instruction, and proved to do what the row's terms say, for all
 * numbers in registers and memory.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type DecodedFunction,
  decodeBody,
  decodeModule,
  type WasmInstruction,
} from "../../src/proof/translation/decode.ts";
import { KNOWN_QUOTIENTS, wrongQuotient } from "../../src/proof/translation/divisions.ts";
import type { Row } from "../../src/semantics/isa/instruction.ts";
import { ROWS, rowByName } from "../../src/semantics/isa/table.ts";
import { any } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { encodeModule } from "../../src/semantics/term/wasm.ts";
import { startZ3, type Z3 } from "../../src/semantics/term/z3.ts";
import { HANDLERS, onOwnStack } from "../../src/vm/dispatch/handlers.ts";
import { dispatchModule } from "../../src/vm/dispatch/module.ts";
import { Code } from "../../src/vm/jit/code.ts";
import { fill, templateOf } from "../../src/vm/jit/row-code.ts";
import { EFFECTS } from "../../src/vm/processor.ts";
import { handlerPaths, PIECE, wrongEffect, wrongHandler, wrongPiece } from "./translation.ts";

let z3: Z3;
beforeAll(async () => {
  z3 = await startZ3();
});
afterAll(async () => {
  await z3.stop();
});

const MINUTE = 60_000;

async function isProved(claim: Term<1>): Promise<boolean> {
  const { result } = await z3.solve([claim], MINUTE);
  if (result === "unknown") throw new Error("Z3 does not know");
  return result === "unsat";
}

const QUOTIENTS = KNOWN_QUOTIENTS.flatMap((known) => ([32, 64] as const).map((width) => ({ known, width })));
it.each(QUOTIENTS)("$known.op of $width bits by $known.divisor is what it is taken to give", async (one) => {
  expect(await isProved(wrongQuotient(one.known, one.width))).toBe(true);
});

describe("functions of effects", () => {
  const code = decodeModule(encodeModule(EFFECTS));
  it.each(EFFECTS.map(({ name }, i) => [name, i] as const))("%s", async (name, i) => {
    expect(await isProved(wrongEffect(rowByName(name), code[i]!))).toBe(true);
  });
});

const DISPATCH = decodeModule(dispatchModule())[0]!;

/** That the handler of a name is wrong in code that may not be ours. */
function claimOf(name: string, code: DecodedFunction): Term<1> {
  const rowName = name.replace(" of r10", "");
  const position = HANDLERS.findIndex((handler) => handler.name === name) + 1;
  return wrongHandler(rowByName(rowName), name === onOwnStack(rowName), handlerPaths(code, position));
}

describe("the interpreter's handlers", () => {
  it.each(HANDLERS.map(({ name }) => name))("%s", async (name) => {
    expect(await isProved(claimOf(name, DISPATCH))).toBe(true);
  });
});

const PIECES = ROWS.filter(({ operation: { kind } }) =>
  ["alu", "jump", "load", "load_acquire", "store", "store_release", "atomic"].includes(kind),
);
const IMMEDIATES = [0, 1, -1, 63, -(2 ** 31)];

/** The code that the JIT makes of an instruction. */
function pieceOf(row: Row, imm: number | undefined): DecodedFunction {
  const code = new Code();
  const template = templateOf(row, imm ?? 0);
  fill(code, template, { ...PIECE, imm }, (_, n) => PIECE.temporaries + n);
  return { locals: template.temporaries, code: decodeBody(code.finish()) };
}

describe("the JIT's pieces", () => {
  it.each(PIECES.map((row) => [row.name, row] as const))("%s", async (_, row) => {
    const takesImmediate = "operand" in row.operation && row.operation.operand === "imm";
    const immediates = takesImmediate ? IMMEDIATES : [undefined];
    const claims = immediates.map((imm) => wrongPiece(row, imm, pieceOf(row, imm)));
    expect(await isProved(any(...claims))).toBe(true);
  });
});

// --- Wrong code

/** The code in which the first instruction of a handler that the seed picks is changed. */
function seeded(name: string, [pick, change]: Seed): DecodedFunction {
  const position = HANDLERS.findIndex((handler) => handler.name === name);
  const table = DISPATCH.code.findIndex(({ kind }) => kind === "br_table");
  // A handler begins behind the end of its block: of those that are open before the table, the innermost is the first's.
  let open = 0;
  let start = table + 1;
  for (let ends = 0; ends <= position; start += 1) {
    const { kind } = DISPATCH.code[start]!;
    if (kind === "block" || kind === "if" || kind === "loop") open += 1;
    else if (kind === "end" && open > 0) open -= 1;
    else if (kind === "end") ends += 1;
  }
  const at = DISPATCH.code.findIndex((one, i) => i >= start && pick(one));
  return { ...DISPATCH, code: DISPATCH.code.with(at, change()) };
}

type Seed = readonly [pick: (one: WasmInstruction) => boolean, change: () => WasmInstruction];

/** The `n`-th instruction on numbers with an opcode becomes one of the same type with another. */
function numeric(from: number, to: number, n = 1): Seed {
  let found = 0;
  return [
    (one) => one.kind === "numeric" && one.opcode === from && (found += 1) === n,
    () => ({ kind: "numeric", opcode: to }),
  ];
}

/** A load or store at an offset becomes another. */
function access(opcode: number, offset: number, to: { opcode?: number; offset?: number }): Seed {
  let kind: "load" | "store" = "load";
  return [
    (one) => {
      if (one.kind !== "load" && one.kind !== "store") return false;
      ({ kind } = one);
      return one.opcode === opcode && one.offset === offset;
    },
    () => ({ kind, opcode, offset, ...to }),
  ];
}

describe("wrong code is refuted", () => {
  it.each([
    ["an addition that subtracts", "add64_reg", numeric(0x7c, 0x7d)],
    ["32 bits that are widened with their sign", "add32_imm", numeric(0xad, 0xac)],
    ["a signed comparison", "jgt64_imm", numeric(0x54, 0x53)],
    ["a bound that is one too far", "ldxb", numeric(0x54, 0x58)],
    ["the end of a stack that is one too far", "stxw", numeric(0x5a, 0x56)],
    ["a register that nobody wrote", "mov64_reg", numeric(0x45, 0xc0)],
    ["the limits of another size", "ldxdw", access(0x35, 20, { offset: 16 })],
    ["one byte stored as two", "stb", access(0x3a, 0, { opcode: 0x3b })],
    ["a pointer into another stack that is not noted", "stxdw", numeric(0x71, 0x49, 2)],
    ["marks of the bytes beside", "ldxw of r10", access(0x28, 512, { offset: 516 })],
  ] as const)("%s", async (_, name, seed) => {
    expect(await isProved(claimOf(name, seeded(name, seed)))).toBe(false);
  });

  it("a piece whose registers are exchanged", async () => {
    const row = rowByName("sub64_reg");
    const template = templateOf(row, 0);
    const code = new Code();
    const exchanged = { ...PIECE, src: PIECE.dst, dst: PIECE.src, imm: undefined };
    fill(code, template, exchanged, (_, n) => PIECE.temporaries + n);
    const piece = { locals: template.temporaries, code: decodeBody(code.finish()) };
    expect(await isProved(wrongPiece(row, undefined, piece))).toBe(false);
  });

  it("instructions that are not counted", async () => {
    expect(await isProved(claimOf("goto", uncounted()))).toBe(false);
  });
});

/** The whole loop without its count of instructions. */
function uncounted(): DecodedFunction {
  const at = DISPATCH.code.findIndex((one) => one.kind === "constant" && one.value === -1n);
  return { ...DISPATCH, code: DISPATCH.code.with(at, { kind: "constant", type: "i32", value: 0n }) };
}
