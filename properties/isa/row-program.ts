/**
 * A program around one instruction that says what the instruction does: operands come in with a packet and results leave with it, so that
 * one load serves any number of operands. The verifier knows nothing of the operands and cannot compute with them.
 */
import type { Instruction, Row } from "../../src/semantics/isa/instruction.ts";
import { insn, layOut } from "../../src/semantics/isa/make.ts";
import { DST, LOADED, R0, SRC } from "../../src/semantics/isa/row.ts";
import type { Slots } from "../../src/semantics/program/program.ts";
import { evaluator } from "../../src/semantics/term/concrete.ts";

/** What the packet holds, 8 bytes each: registers, the word of memory, whether a jump was taken. */
export interface Cells {
  readonly dst: bigint;
  readonly src: bigint;
  readonly r0: bigint;
  readonly memory: bigint;
  readonly taken: bigint;
}

/** In the packet's order. */
export const CELLS = ["dst", "src", "r0", "memory", "taken"] as const;
const BYTES = 8 * CELLS.length;

export function toPacket(cells: Cells): Uint8Array {
  const packet = new Uint8Array(BYTES);
  const view = new DataView(packet.buffer);
  CELLS.forEach((name, i) => {
    view.setBigUint64(8 * i, cells[name], true);
  });
  return packet;
}

export function fromPacket(packet: Uint8Array): Cells {
  const view = new DataView(packet.buffer, packet.byteOffset, BYTES);
  const cell = (name: keyof Cells): bigint => view.getBigUint64(8 * CELLS.indexOf(name), true);
  return { dst: cell("dst"), src: cell("src"), r0: cell("r0"), memory: cell("memory"), taken: cell("taken") };
}

/** The rows whose effect is a function of the cells. */
export function hasEffect({ operation: { kind } }: Row): boolean {
  return ["alu", "jump", "load", "store", "atomic", "load_acquire", "store_release"].includes(kind);
}

const PACKET = 6;
const DST_REG = 7;
const SRC_REG = 8;
const TAKEN = 9;
const FRAME = 10;
/** The word of memory is on the stack. */
const SLOT = -8;

/** The instruction itself; memory is addressed through the frame pointer. */
function underTest(row: Row, imm: number): Instruction {
  const { kind } = row.operation;
  const any = (field: "dst" | "src" | "off" | "imm", value: number): number =>
    row.fields[field] === "any" ? value : 0;
  const loads = kind === "load" || kind === "load_acquire";
  const stores = kind === "store" || kind === "atomic" || kind === "store_release";
  return insn(row.name, {
    dst: any("dst", stores ? FRAME : DST_REG),
    src: any("src", loads ? FRAME : SRC_REG),
    off: any("off", kind === "jump" ? 1 : SLOT),
    imm: any("imm", imm),
  });
}

/** An XDP program around `row`; `imm` is its immediate, if it has one. */
export function rowProgram(row: Row, imm: number): Slots {
  const cell = (name: keyof Cells): number => 8 * CELLS.indexOf(name);
  const read = (name: keyof Cells, dst: number): Instruction =>
    insn("ldxdw", { dst, src: PACKET, off: cell(name) });
  const write = (name: keyof Cells, src: number): Instruction =>
    insn("stxdw", { dst: PACKET, src, off: cell(name) });
  const body = [
    read("memory", 2),
    insn("stxdw", { dst: FRAME, src: 2, off: SLOT }),
    read("dst", DST_REG),
    read("src", SRC_REG),
    read("r0", 0),
    insn("mov64_imm", { dst: TAKEN, imm: 1 }),
    underTest(row, imm),
    insn("mov64_imm", { dst: TAKEN, imm: 0 }),
    write("dst", DST_REG),
    write("src", SRC_REG),
    write("r0", 0),
    insn("ldxdw", { dst: 2, src: FRAME, off: SLOT }),
    write("memory", 2),
    write("taken", TAKEN),
  ];
  return layOut([
    insn("ldxw", { dst: PACKET, src: 1, off: 0 }),
    insn("ldxw", { dst: 3, src: 1, off: 4 }),
    insn("mov64_reg", { dst: 2, src: PACKET }),
    insn("add64_imm", { dst: 2, imm: BYTES }),
    insn("jgt64_reg", { dst: 2, src: 3, off: body.length }),
    ...body,
    insn("mov64_imm", { dst: 0, imm: 2 }),
    insn("exit"),
  ]);
}

/** The lower `bytes` bytes of `word` replaced by `value`. */
function replaceLow(word: bigint, value: bigint, bytes: number): bigint {
  const bits = BigInt(8 * bytes);
  return ((word >> bits) << bits) | BigInt.asUintN(8 * bytes, value);
}

/** What the row's terms say the cells become. */
export function expected(row: Row, imm: number, before: Cells): Cells {
  const { operation } = row;
  const operand =
    "operand" in operation && operation.operand === "imm" ? BigInt.asUintN(64, BigInt(imm)) : before.src;
  const value = evaluator(
    new Map([
      [DST, before.dst],
      [SRC, operand],
      [R0, before.r0],
      ...([1, 2, 4, 8] as const).map(
        (size) => [LOADED[size], BigInt.asUintN(8 * size, before.memory)] as const,
      ),
    ]),
  );
  const after = { ...before, taken: 0n };
  switch (operation.kind) {
    case "alu":
    case "load":
    case "load_acquire":
      return { ...after, dst: value(operation.result) };
    case "jump":
      return { ...after, taken: value(operation.taken) };
    case "store":
    case "store_release":
      return { ...after, memory: replaceLow(before.memory, value(operation.stored), operation.size) };
    case "atomic":
      return {
        ...after,
        memory: replaceLow(before.memory, value(operation.stored), operation.size),
        src: operation.source === undefined ? before.src : value(operation.source),
        r0: operation.r0 === undefined ? before.r0 : value(operation.r0),
      };
    default:
      throw new Error(`${row.name} has no effect on the cells`);
  }
}
