/**
 * Programs that show what a verifier knows: two numbers come out of a packet, comparisons and bit operations with constants pin their bounds
 * down, one instruction computes with them or compares them, and the results go back into the packet.
 *
 * Programs are made around two numbers: the path that they take reaches the instruction.
 */
import * as fc from "fast-check";
import type { Instruction, Row } from "../../src/semantics/isa/instruction.ts";
import { insn, layOut } from "../../src/semantics/isa/make.ts";
import { ROWS } from "../../src/semantics/isa/table.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { addPin, bits, CELL, type Growing, LOADS, loaded, PACKET, type Pin, pin } from "./kernel-pins.ts";
import { number } from "./scalars.ts";

/** The registers that hold the two numbers. */
export const X = 7;
export const Y = 8;

/** Bytes of the packet that the programs use. */
const CELLS = 32;
/** The machine and the kernel take no packet shorter than an Ethernet header; this is longer. */
const PACKET_BYTES = 64;

/** What r0 is at the end: left before the instruction, went on behind it, or took its jump. */
const ENDED = { early: 1, next: 2, taken: 3 } as const;

export interface BoundsProgram {
  readonly program: Program;
  /** The row of the instruction under test, and where it is. */
  readonly row: Row;
  readonly pc: number;
  /** Of a jump: where it goes to. */
  readonly target?: number;
  /** The numbers, as they are in the packet, that the program was made around. */
  readonly x: bigint;
  readonly y: bigint;
  /** Constants of comparisons: worth trying as numbers. */
  readonly constants: readonly bigint[];
  /** Random numbers by which a runner chooses what to put in for x and y. */
  readonly picks: readonly (readonly [number, number])[];
}

/** The packet with two numbers in it. */
export function packetOf(x: bigint, y: bigint): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  const view = new DataView(packet.buffer);
  view.setBigUint64(CELL.x, x, true);
  view.setBigUint64(CELL.y, y, true);
  return packet;
}

/** What a run left of the two numbers. */
export function resultsIn(packet: Uint8Array): readonly [x: bigint, y: bigint] {
  const view = new DataView(packet.buffer, packet.byteOffset, PACKET_BYTES);
  return [view.getBigUint64(CELL.xOut, true), view.getBigUint64(CELL.yOut, true)];
}

// --- The instruction

/** Rows that compute or compare. */
export const TESTED_ROWS: readonly Row[] = ROWS.filter(
  ({ operation }) => operation.kind === "alu" || operation.kind === "jump",
);

const SHIFTS = new Set(["lsh", "rsh", "arsh"]);

/** Immediates that the verifier takes: no division by zero, no shift past the width. */
function immediateFor({ operation }: Row, wanted: bigint): number {
  if (operation.kind === "alu" && SHIFTS.has(operation.op)) return Number(wanted % BigInt(operation.width));
  const imm = Number(BigInt.asIntN(32, wanted));
  return imm === 0 && operation.kind === "alu" ? 1 : imm;
}

const immediate = fc.oneof(
  number,
  fc.bigInt({ min: -20n, max: 70n }).map((x) => BigInt.asUintN(64, x)),
  bits,
);

interface Choices {
  readonly x: bigint;
  readonly y: bigint | { readonly distance: bigint };
  readonly loads: readonly [x: string, y: string];
  readonly pins: readonly [x: readonly Pin[], y: readonly Pin[]];
  readonly row: Row;
  readonly imm: bigint;
  readonly same: boolean;
  readonly picks: BoundsProgram["picks"];
}

function build(choices: Choices): BoundsProgram {
  const { x, loads, pins, row } = choices;
  const y = typeof choices.y === "bigint" ? choices.y : BigInt.asUintN(64, x + choices.y.distance);
  const growing: Growing = { code: [], exits: [], constants: [] };
  const { code, exits } = growing;
  code.push(
    insn("ldxw", { dst: PACKET, src: 1, off: 0 }),
    insn("ldxw", { dst: 2, src: 1, off: 4 }),
    insn("mov64_reg", { dst: 3, src: PACKET }),
    insn("add64_imm", { dst: 3, imm: CELLS }),
    insn("jgt64_reg", { dst: 3, src: 2 }),
  );
  exits.push(code.length - 1);
  for (const [register, cell, off, name, steps] of [
    [X, x, CELL.x, loads[0], pins[0]],
    [Y, y, CELL.y, loads[1], pins[1]],
  ] as const) {
    code.push(insn(name, { dst: register, src: PACKET, off }));
    let value = loaded(name, cell);
    for (const step of steps) value = addPin(growing, register, value, step);
  }
  const reads = row.fields.src === "any";
  const operands = {
    dst: X,
    ...(reads ? { src: choices.same ? X : Y } : {}),
    ...(row.fields.imm === "any" ? { imm: immediateFor(row, choices.imm) } : {}),
  };
  const tested = code.length;
  const end = (r0: number): Instruction[] => [
    insn("stxdw", { dst: PACKET, src: X, off: CELL.xOut }),
    insn("stxdw", { dst: PACKET, src: Y, off: CELL.yOut }),
    insn("mov64_imm", { dst: 0, imm: r0 }),
    insn("exit"),
  ];
  const jumps = row.operation.kind === "jump";
  const next = end(ENDED.next);
  code.push(insn(row.name, { ...operands, ...(jumps ? { off: next.length } : {}) }), ...next);
  if (jumps) code.push(...end(ENDED.taken));
  const early = code.length;
  code.push(insn("mov64_imm", { dst: 0, imm: ENDED.early }), insn("exit"));

  // Distances count 8-byte slots, of which a 16-byte load fills two.
  let slots = 0;
  const slotOf = code.map(({ row: { operation } }) => {
    slots += operation.kind === "ld_imm64" ? 2 : 1;
    return slots;
  });
  const at = (i: number): number => slotOf[i - 1] ?? 0;
  for (const i of exits) {
    const jump = code[i];
    if (jump !== undefined) code[i] = { ...jump, off: at(early) - at(i) - 1 };
  }
  const program: Program = {
    name: `bounds: ${row.name}`,
    type: "xdp",
    license: "GPL",
    flags: [],
    insns: layOut(code),
    maps: [],
    lines: [],
    functions: [],
  };
  return {
    program,
    row,
    pc: at(tested),
    ...(jumps ? { target: at(tested) + 1 + next.length } : {}),
    x,
    y,
    constants: growing.constants,
    picks: choices.picks,
  };
}

/** Runs of each program: the numbers that it was made around, and others. */
const RUNS = 6;

/** Three quarters of the numbers are pinned down at least once. */
const pinning = fc.oneof(
  { weight: 1, arbitrary: fc.array(pin, { maxLength: 4 }) },
  { weight: 2, arbitrary: fc.array(pin, { minLength: 1, maxLength: 6 }) },
);

/** Programs whose instruction under test is one of `rows`, all equally often. */
export const boundsPrograms = (rows: readonly Row[] = TESTED_ROWS): fc.Arbitrary<BoundsProgram> =>
  fc
    .record({
      x: number,
      y: fc.oneof<fc.MaybeWeightedArbitrary<Choices["y"]>[]>(
        { weight: 2, arbitrary: number },
        { weight: 1, arbitrary: fc.bigInt({ min: -2n, max: 2n }).map((d) => ({ distance: d })) },
      ),
      loads: fc.tuple(fc.constantFrom(...LOADS), fc.constantFrom(...LOADS)),
      pins: fc.tuple(pinning, pinning),
      row: fc.constantFrom(...rows),
      imm: immediate,
      same: fc.nat(15).map((n) => n === 0),
      picks: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: RUNS - 1, maxLength: RUNS - 1 }),
    })
    .map(build);
