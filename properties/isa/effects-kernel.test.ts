/**
 * Claim: what the instruction table says an instruction does is what the running kernel does, bit for bit, on edge operands, random operands
 * and shift counts at and past the width. Each row is loaded in a program of its own (each immediate in one of its own) and test-run.
 */
import { afterAll, describe, expect, test } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadRaw } from "../../src/oracle/linux/load.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { encode } from "../../src/semantics/isa/codec.ts";
import type { Row } from "../../src/semantics/isa/instruction.ts";
import { insn, layOut } from "../../src/semantics/isa/make.ts";
import { LOADED } from "../../src/semantics/isa/row.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import { evaluate } from "../../src/semantics/term/concrete.ts";
import { edges32, edges64, randomWords } from "./operands.ts";
import { CELLS, type Cells, expected, fromPacket, hasEffect, rowProgram, toPacket } from "./row-program.ts";

const kernel = kernelAvailable();
const because = kernel.ok ? "" : ` (skipped: ${kernel.reason})`;
if (!kernel.ok) console.log(`properties/isa/effects-kernel skipped: ${kernel.reason}`);

const SEED = 20240711n;
const RANDOM_PAIRS = 500;
const RANDOM_IMMEDIATES = 20;

let rowsChecked = 0;
let tuplesChecked = 0;

/** What the packet's cells hold beside the operands under test. */
const OTHER = { r0: 0x1122334455667788n, memory: 0xfedcba9876543210n, taken: 0xffffn };

/** Every edge with every edge, then random pairs. */
function* registerPairs(random: () => bigint): Generator<readonly [bigint, bigint]> {
  const edges = edges64();
  for (const a of edges) for (const b of edges) yield [a, b];
  for (let i = 0; i < RANDOM_PAIRS; i++) yield [random(), random()];
}

/** The cells to try: the two operands where the row has two, memory and r0 where they count. */
function* cellsOf(row: Row, random: () => bigint): Generator<Cells> {
  const { kind } = row.operation;
  if (kind === "atomic") {
    // cmpxchg compares r0 with memory: equal, equal in the lower half alone, and different.
    const differences = row.name.startsWith("atomic_cmpxchg") ? [0n, 1n << 40n, 1n] : [OTHER.r0];
    for (const [memory, src] of registerPairs(random)) {
      for (const difference of differences) yield { ...OTHER, dst: 0n, src, memory, r0: memory ^ difference };
    }
  } else if (kind === "load" || kind === "load_acquire") {
    for (const memory of [...edges64(), random(), random()])
      yield { ...OTHER, dst: random(), src: 0n, memory };
  } else if (row.fields.src === "any") {
    for (const [dst, src] of registerPairs(random)) yield { ...OTHER, dst, src };
  } else {
    for (const dst of [...edges64(), random(), random()]) yield { ...OTHER, dst, src: random() };
  }
}

/** Loads the row with an immediate and runs it; false if the verifier refuses the immediate. */
function check(row: Row, imm: number, random: () => bigint): boolean {
  const loaded = loadRaw({ type: "xdp", insns: encode(rowProgram(row, imm)) }, { logLevel: 1 });
  if (loaded.verdict === "reject") {
    // What the verifier forbids although the instruction would be defined: constant divisors of 0 and shift counts past the width.
    expect(loaded.message, row.name).toMatch(/^(div by zero|invalid shift -?\d+)$/);
    return false;
  }
  try {
    for (const before of cellsOf(row, random)) {
      const run = testRun(loaded.fd, { packet: toPacket(before) });
      if (!run.ran) throw new Error(run.message);
      const wanted = expected(row, imm, before);
      const got = fromPacket(run.packet);
      const agrees = CELLS.every((cell) => got[cell] === wanted[cell]);
      if (!agrees)
        expect({ row: row.name, imm, before, ...got }).toEqual({ row: row.name, imm, before, ...wanted });
      tuplesChecked += 1;
    }
  } finally {
    loaded.close();
  }
  return true;
}

describe.skipIf(!kernel.ok)(`effects agree with the kernel${because}`, () => {
  test.each(ROWS.filter(hasEffect).map((row) => [row.name, row] as const))("%s", (_, row) => {
    const random = randomWords(SEED);
    const immediates =
      row.fields.imm === "any"
        ? [
            ...edges32(),
            ...Array.from({ length: RANDOM_IMMEDIATES }, () => Number(BigInt.asIntN(32, random()))),
          ]
        : [0];
    const loaded = immediates.filter((imm) => check(row, imm, random));
    // Shifts load with counts below the width alone.
    expect(loaded.length).toBeGreaterThanOrEqual(Math.min(immediates.length, 8));
    rowsChecked += 1;
  });

  test.each(ROWS.filter((row) => row.operation.kind === "packet").map((row) => [row.name, row] as const))(
    "%s",
    (_, row) => {
      const { operation } = row;
      if (operation.kind !== "packet") throw new Error(row.name);
      const random = randomWords(SEED);
      for (let at = 0; at < 16; at++) {
        const indirect = operation.mode === "ind";
        // Half of the distance in the register, half in the immediate.
        const index = indirect ? Math.floor(at / 2) : 0;
        const slots = layOut([
          insn("mov64_reg", { dst: 6, src: 1 }),
          insn("mov64_imm", { dst: 7, imm: index }),
          insn(row.name, { src: indirect ? 7 : 0, imm: at - index }),
          insn("exit"),
        ]);
        const loaded = loadRaw({ type: "socket_filter", insns: encode(slots) }, { logLevel: 1 });
        if (loaded.verdict === "reject") throw new Error(loaded.log);
        const packet = new Uint8Array(64);
        const view = new DataView(packet.buffer);
        for (let i = 0; i < 64; i += 8) view.setBigUint64(i, random(), true);
        const run = testRun(loaded.fd, { packet });
        loaded.close();
        if (!run.ran) throw new Error(run.message);
        // A socket filter sees the packet from behind the Ethernet header.
        const bytes = [...packet.subarray(14 + at, 14 + at + operation.size)];
        const memory = bytes.reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
        const r0 = evaluate(operation.result, new Map([[LOADED[operation.size], memory]]));
        expect(BigInt(run.retval)).toBe(r0);
        tuplesChecked += 1;
      }
      rowsChecked += 1;
    },
  );

  afterAll(() => {
    console.log(`effects: ${rowsChecked} rows, ${tuplesChecked} operand tuples agree with the kernel`);
  });
});
