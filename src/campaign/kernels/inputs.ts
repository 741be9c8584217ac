/** Packets for programs under test: numbers that programs compare with, ends of types, and any numbers, in cells of 8 bytes. */
import type { Program } from "../../semantics/program/program.ts";
import { generator } from "../random.ts";
import { PACKET_BYTES, VALUE } from "./probe.ts";

/** What a run is given. */
export interface Input {
  readonly packet: Uint8Array;
  /** Of the first map's first value. */
  readonly value: Uint8Array;
  /** Of maps' contents where programs have others, and of chance. */
  readonly seed: number;
}

const ENDS = [
  0n,
  1n,
  2n,
  7n,
  31n,
  64n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n - 8n,
] as const;

/** Constants of the program's comparisons and operations, in both widths, and their neighbours. */
function constantsOf({ insns }: Program): readonly bigint[] {
  const found = new Set<bigint>();
  for (const insn of insns) {
    const kind = insn?.row.operation.kind;
    if (insn === undefined || (kind !== "jump" && kind !== "alu") || insn.imm === 0) continue;
    for (const near of [insn.imm, insn.imm + 1, insn.imm - 1, -insn.imm]) {
      found.add(BigInt.asUintN(64, BigInt(near)));
      found.add(BigInt.asUintN(32, BigInt(near)));
    }
  }
  return [...found];
}

/** Inputs of a program; equal seeds give equal ones. */
export function inputsOf(program: Program, seed: number, count: number): readonly Input[] {
  const random = generator(seed ^ 0x5bd1e995);
  for (let i = 0; i < 8; i += 1) random.below(2);
  const constants = constantsOf(program);
  const any = (): bigint => (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  const cell = (): bigint => {
    switch (random.below(6)) {
      case 0:
        return any();
      case 1:
        return ENDS[random.below(ENDS.length)] ?? 0n;
      case 2:
        return BigInt(random.below(64));
      case 3:
        // Small, below bits that a narrow look does not see.
        return (any() & ~0xffffffffn) | BigInt(random.below(64));
      default:
        return constants[random.below(constants.length)] ?? BigInt(random.below(256));
    }
  };
  const bytes = (length: number): Uint8Array => {
    const words = BigUint64Array.from({ length: length / 8 }, cell);
    return new Uint8Array(words.buffer);
  };
  return Array.from({ length: count }, () => ({
    packet: bytes(PACKET_BYTES),
    value: bytes(VALUE),
    seed: random.below(0x7fffffff),
  }));
}
