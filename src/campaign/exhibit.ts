/**
 * A counterexample to a theorem as a program: it reads the numbers from its packet, leaves with 0 unless they are in the abstract
 * operands, does what the theorem is about, and returns 1 if the result is outside of the bound that was claimed, or if it gets to where nothing
 * was said to get. The program is safe whatever is claimed; a verifier that believes the claim takes the return of 1 for dead code.
 */
import { NEGATION } from "../absint/scalar/branch.ts";
import type { Numbers } from "../absint/scalar/text.ts";
import { readBundle } from "../object/bundle.ts";
import type { Check, Shown, ShownOperand } from "../proof/counterexample.ts";
import type { ShownInstruction } from "../proof/theorem.ts";
import type { Row } from "../semantics/isa/instruction.ts";
import { ROWS } from "../semantics/isa/table.ts";
import { Machine } from "../vm/machine.ts";

export interface Exhibit {
  readonly asm: readonly string[];
  readonly packet: Uint8Array;
  /** A program bundle, as a file's text. */
  readonly bundle: string;
  /** Whether the machine returns 1. */
  readonly confirmed: boolean;
}

/** Bytes of a packet with both numbers: no less than an Ethernet header, which test runs want. */
const PACKET = 16;

/** The registers of the numbers, and of the result. */
const NUMBERS = ["6", "7"] as const;
const RESULT = "8";
/** What a constant is put in that no instruction has room for, and what bits are masked in. */
const SCRATCH = ["1", "2"] as const;

const OUT = "out";
const ESCAPED = "escaped";

/** @param name  of the bundle */
export function exhibit(name: string, shown: Shown): Exhibit {
  const asm = programOf(shown);
  const packet = packetOf(shown.operands);
  const run = { packet: Buffer.from(packet).toString("hex"), retval: 1 };
  const file = { name, type: "xdp", license: "GPL", asm, expect: { verdict: "accept", runs: [run] } };
  const bundle = `${JSON.stringify(file, undefined, 2)}\n`;
  const result = new Machine(readBundle(bundle).program).run({ packet });
  return { asm, packet, bundle, confirmed: result.outcome === "exit" && result.r0 === 1n };
}

function packetOf(operands: readonly ShownOperand[]): Uint8Array {
  const packet = new Uint8Array(PACKET);
  const view = new DataView(packet.buffer);
  for (const [i, { value }] of operands.entries()) view.setBigUint64(8 * i, value, true);
  return packet;
}

function programOf({ instruction, operands, escapes }: Shown): readonly string[] {
  const row = instruction === undefined ? undefined : rowOf(instruction);
  const reads = (i: number): boolean => {
    const checked = (operands[i]?.checks.length ?? 0) > 0 || (escapes !== "reached" && escapes.of === i);
    return checked || (row !== undefined && readsOperand(row, i));
  };
  const used = NUMBERS.flatMap((register, i) => {
    const operand = operands[i];
    return operand !== undefined && reads(i) ? [{ register, i, operand }] : [];
  });
  return [
    "r2 = *(u32 *)(r1 +0)",
    "r3 = *(u32 *)(r1 +4)",
    "r4 = r2",
    `r4 += ${PACKET}`,
    `if r4 > r3 goto ${OUT}`,
    ...used.map(({ register, i }) => `r${register} = *(u64 *)(r2 +${8 * i})`),
    ...used.flatMap(({ register, operand: { numbers, checks } }) =>
      checks.flatMap((check) => outside(register, check, numbers, OUT)),
    ),
    ...(instruction === undefined || row === undefined ? [] : execute(instruction, row)),
    ...escape(escapes),
    `${OUT}:`,
    "r0 = 0",
    "exit",
    `${ESCAPED}:`,
    "r0 = 1",
    "exit",
  ];
}

function escape(escapes: Shown["escapes"]): readonly string[] {
  if (escapes === "reached") return [`goto ${ESCAPED}`];
  const of = escapes.of === "result" ? RESULT : (NUMBERS[escapes.of] ?? RESULT);
  return outside(of, escapes.component, escapes.from, ESCAPED);
}

/** The row of a load, of an operation, or of a jump that compares registers or one with an immediate. */
function rowOf(instruction: ShownInstruction<bigint>): Row {
  const row = ROWS.find(({ operation }) => isOf(instruction, operation));
  if (row === undefined) throw new Error(`no instruction for ${JSON.stringify(instruction)}`);
  return row;
}

function isOf(instruction: ShownInstruction<bigint>, operation: Row["operation"]): boolean {
  if (instruction.kind === "load")
    return (
      operation.kind === "load" &&
      operation.size === instruction.size &&
      operation.signed === instruction.signed
    );
  if (operation.kind !== "alu" && operation.kind !== "jump") return false;
  const op =
    instruction.kind === "alu"
      ? instruction.op
      : isJumpThatHolds(instruction)
        ? "jset"
        : NEGATION[instruction.condition];
  return (
    operation.kind === instruction.kind &&
    operation.op === op &&
    operation.width === instruction.width &&
    (operation.operand === "imm") === (instruction.immediate !== undefined)
  );
}

/** No instruction jumps where two numbers share no bit: there the edge that is wanted is the one that is jumped. */
const isJumpThatHolds = (instruction: ShownInstruction<bigint>): boolean =>
  instruction.kind === "jump" && instruction.condition === "jset";

const readsOperand = ({ operation, syntax }: Row, i: number): boolean =>
  operation.kind !== "load" &&
  (i === 0 ? !/^\{w?dst\} = (?!.*\{w?dst\})/.test(syntax) : /\{w?src\}/.test(syntax));

/** The row's text with registers, an immediate and a label. */
const written = (
  { syntax }: Row,
  dst: string,
  src: string,
  { immediate = 0n, target = "" }: { readonly immediate?: bigint | undefined; readonly target?: string },
): string =>
  syntax
    .replaceAll("{dst}", `r${dst}`)
    .replaceAll("{wdst}", `w${dst}`)
    .replaceAll("{src}", `r${src}`)
    .replaceAll("{wsrc}", `w${src}`)
    .replaceAll("{offset}", "+0")
    .replaceAll("{target}", target)
    .replace(/\{(imm|bits)\}/, `${BigInt.asIntN(32, immediate)}`)
    .replaceAll("{hex}", hex(BigInt.asUintN(32, immediate)));

/** The operation on a copy, a load of the packet's first bytes, or the jump away from the edge on which the condition holds. */
function execute(instruction: ShownInstruction<bigint>, row: Row): readonly string[] {
  const [x, y] = NUMBERS;
  if (instruction.kind === "load") return [written(row, RESULT, "2", {})];
  const { immediate } = instruction;
  if (instruction.kind === "alu") {
    const operation = written(row, RESULT, y, { immediate });
    return readsOperand(row, 0) ? [`r${RESULT} = r${x}`, operation] : [operation];
  }
  if (!isJumpThatHolds(instruction)) return [written(row, x, y, { immediate, target: OUT })];
  return [written(row, x, y, { immediate, target: "shared" }), `goto ${OUT}`, "shared:"];
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** How each bound is left: by a number less or greater. */
const SIGNS = {
  umin: "<",
  umax: ">",
  smin: "s<",
  smax: "s>",
  umin32: "<",
  umax32: ">",
  smin32: "s<",
  smax32: "s>",
} as const;

/** Jumps to `target` if the number in the register is outside of a component. */
function outside(register: string, check: Check, numbers: Numbers, target: string): readonly string[] {
  if (check === "value") return outsideBits(register, numbers, target);
  const bound = numbers[check];
  if (check.endsWith("32")) return [`if w${register} ${SIGNS[check]} ${hex(bound)} goto ${target}`];
  const [setup, text] = operand(bound, SCRATCH[0]);
  return [...setup, `if r${register} ${SIGNS[check]} ${text} goto ${target}`];
}

function outsideBits(register: string, { value, mask }: Numbers, target: string): readonly string[] {
  const [setup, text] = operand(value, SCRATCH[0]);
  const compare = `goto ${target}`;
  if (mask === 0n) return [...setup, `if r${register} != ${text} ${compare}`];
  const [, bits] = SCRATCH;
  return [
    `r${bits} = ${hex(BigInt.asUintN(64, ~mask))} ll`,
    `r${bits} &= r${register}`,
    ...setup,
    `if r${bits} != ${text} ${compare}`,
  ];
}

/** A constant as a jump compares with it: the immediate that is extended to it, or a register. */
function operand(value: bigint, scratch: string): readonly [setup: readonly string[], text: string] {
  const low = BigInt.asUintN(32, value);
  if (BigInt.asUintN(64, BigInt.asIntN(32, low)) === value) return [[], hex(low)];
  return [[`r${scratch} = ${hex(value)} ll`], `r${scratch}`];
}
