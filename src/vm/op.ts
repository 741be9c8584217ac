/**
 * Instructions prepared for the interpreter: an array of flat records, one a slot, with everything decided that does not depend on values.
 */
import { Unsupported } from "../semantics/errors.ts";
import { callingBack } from "../semantics/helpers/callbacks.ts";
import type { Instruction, Operation } from "../semantics/isa/instruction.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import { helperCall, programFacts } from "../semantics/profile/lookup.ts";
import { arenasOf } from "../semantics/program/arenas.ts";
import { isGplCompatible } from "../semantics/program/license.ts";
import type { Program } from "../semantics/program/program.ts";
import { FRAME_POINTER, OPERAND_AT, REGISTERS_AT } from "./memory.ts";
import { type Effect, processor } from "./processor.ts";

/** What the interpreter does with an op. */
export const DO = {
  alu: 0,
  aluImm: 1,
  jump: 2,
  jumpImm: 3,
  goto: 4,
  load: 5,
  store: 6,
  storeImm: 7,
  atomic: 8,
  constant: 9,
  mapFd: 10,
  mapValue: 11,
  helper: 12,
  subprogram: 13,
  exit: 14,
  packet: 15,
  packetIndirect: 16,
  mayGoto: 17,
  /** The second half of a 16-byte load. */
  hole: 18,
  framePointerWrite: 19,
  forbiddenHelper: 20,
  unsupported: 21,
  /** A helper that calls back. */
  callback: 22,
  function: 23,
  /** A function of the kernel, by name. */
  kernelFunction: 24,
  castAddress: 25,
  /** Arithmetic in a program with an arena. */
  arenaAlu: 26,
} as const;

/** What becomes of pointers in arithmetic. */
export const PROVENANCE = {
  /** The result is a number. */
  none: 0,
  /** mov: the operand's. */
  copy: 1,
  /** add: that of the one operand that is a pointer. */
  add: 2,
  /** sub: that of `dst`, unless both are pointers: their distance is a number. */
  subtract: 3,
} as const;

export interface Op {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
  readonly immHigh: number;
  /** Bytes accessed, if any. */
  readonly size: number;
  /** Where a jump or a subprogram call goes. */
  readonly target: number;
  /** Of a subprogram call the registers of arguments that are tagged `arg:untrusted`, if there are any. */
  readonly guarded?: readonly number[];
  readonly provenance: number;
  /** Whether `dst` is read. */
  readonly readsDst: boolean;
  /** Whether the access must be aligned whatever memory it is to (atomic operations). */
  readonly aligned: boolean;
  /** Whether src, or r0, receives the old value (atomic operations). */
  readonly fetch: boolean;
  readonly exchange: boolean;
  /** Indices in memory: of `dst`, and of the operand. */
  readonly dstAt: number;
  readonly operandAt: number;
  readonly effect: Effect;
  /** What arithmetic does with pointers into an arena; nothing if it only moves or turns around what is there. */
  readonly arenaEffect: Effect | undefined;
  /** Whether generated code executes it where nothing is out of the ordinary; `name` is then the row's. */
  readonly plain: boolean;
  /** What is not modelled, for `unsupported`; of a kernel function its name. */
  readonly name: string;
}

const noEffect: Effect = () => 0;

const HOLE: Op = {
  code: DO.hole,
  dst: 0,
  src: 0,
  off: 0,
  imm: 0,
  immHigh: 0,
  size: 0,
  target: 0,
  provenance: PROVENANCE.none,
  readsDst: false,
  aligned: false,
  fetch: false,
  exchange: false,
  dstAt: 0,
  operandAt: 0,
  effect: noEffect,
  arenaEffect: undefined,
  plain: false,
  name: "",
};

export function provenanceOf({ op, width, operand }: Operation & { readonly kind: "alu" }): number {
  if (width === 32) return PROVENANCE.none;
  if (op === "mov") return operand === "reg" ? PROVENANCE.copy : PROVENANCE.none;
  if (op === "add") return PROVENANCE.add;
  return op === "sub" ? PROVENANCE.subtract : PROVENANCE.none;
}

export const MOVES: ReadonlySet<string> = new Set(["mov", "movsx8", "movsx16", "movsx32"]);

/** The parts of an op that depend on what its operation is. */
function specifics(
  operation: Operation,
  instruction: Instruction,
  slot: number,
): Partial<Op> & { code: number } {
  const { off, imm } = instruction;
  const next = slot + 1;
  const operandAt = (operand: string): Partial<Op> => (operand === "reg" ? {} : { operandAt: OPERAND_AT });
  switch (operation.kind) {
    case "alu": {
      const { operand, op } = operation;
      const readsDst = !MOVES.has(op);
      const code = operand === "reg" ? DO.alu : DO.aluImm;
      return { code, provenance: provenanceOf(operation), readsDst, ...operandAt(operand) };
    }
    case "jump": {
      const code = operation.operand === "reg" ? DO.jump : DO.jumpImm;
      return { code, target: next + off, ...operandAt(operation.operand) };
    }
    case "goto":
      return { code: DO.goto, target: next + (operation.wide ? imm : off) };
    case "may_goto":
      return { code: DO.mayGoto, target: next + off };
    case "exit":
      return { code: DO.exit };
    case "load":
      return { code: DO.load, size: operation.size };
    case "load_acquire":
      return { code: DO.load, size: operation.size, aligned: true };
    case "store":
      return {
        code: operation.operand === "reg" ? DO.store : DO.storeImm,
        size: operation.size,
        ...operandAt(operation.operand),
      };
    case "store_release":
      return { code: DO.store, size: operation.size, aligned: true };
    case "atomic": {
      const { size, fetch, op } = operation;
      const exchange = op === "cmpxchg";
      return { code: DO.atomic, size, aligned: true, fetch: fetch && !exchange, exchange };
    }
    case "packet":
      return { code: operation.mode === "abs" ? DO.packet : DO.packetIndirect, size: operation.size };
    case "call":
      if (operation.callee === "helper") {
        return { code: callingBack(instruction) === undefined ? DO.helper : DO.callback };
      }
      if (operation.callee === "subprogram") return { code: DO.subprogram, target: next + imm };
      return { code: DO.unsupported, name: `kernel function ${imm}` };
    case "ld_imm64":
      if (operation.load === "const") return { code: DO.constant };
      if (operation.load === "map_fd") return { code: DO.mapFd };
      if (operation.load === "func") return { code: DO.function, target: next + imm };
      if (operation.load === "map_value") return { code: DO.mapValue };
      return { code: DO.unsupported, name: `16-byte loads of kind ${operation.load}` };
    default:
      return { code: DO.castAddress };
  }
}

/** Whether the instruction writes the register that `dst` names, or what it fetches into r10. */
function writesFramePointer({ row: { operation }, dst, src }: Instruction): boolean {
  switch (operation.kind) {
    case "alu":
    case "load":
    case "load_acquire":
    case "ld_imm64":
    case "addr_space_cast":
      return dst === FRAME_POINTER;
    case "atomic":
      return operation.source !== undefined && src === FRAME_POINTER;
    default:
      return false;
  }
}

/** The kernel's function that a call is of. */
function calleeAt({ kfuncs = [] }: Program, slot: number): Partial<Op> {
  const found = kfuncs.find(({ insn }) => insn === slot);
  return found === undefined ? {} : { code: DO.kernelFunction, name: found.name };
}

/** What the machine has none of: variables and functions of a kernel. */
function symbolAt({ ksyms = [] }: Program, slot: number): Partial<Op> {
  const symbol = ksyms.find(({ insn }) => insn === slot);
  return symbol === undefined ? {} : { code: DO.unsupported, name: `the kernel's ${symbol.name}` };
}

/** A function some of whose arguments are addresses that nobody vouches for. */
function guardedCallee(
  { row: { operation }, imm }: Instruction,
  slot: number,
  { functions }: Program,
): Partial<Op> {
  if (operation.kind !== "call" || operation.callee !== "subprogram") return {};
  const callee = functions.find(({ insn }) => insn === slot + 1 + imm);
  const guarded = (callee?.prototype?.parameters ?? []).flatMap(({ tags }, index) =>
    tags.includes("untrusted") ? [index + 1] : [],
  );
  return guarded.length === 0 ? {} : { guarded };
}

/** Whether the program may not call the helper: by its type, or by its license. */
function isForbidden({ row: { operation }, imm }: Instruction, program: Program): boolean {
  if (operation.kind !== "call" || operation.callee !== "helper") return false;
  const profile = defaultProfile();
  const facts = programFacts(profile, program);
  const permission = facts === undefined ? undefined : helperCall(profile, facts, imm)?.permission;
  return permission === "forbidden" || (permission === "gpl_only" && !isGplCompatible(program.license));
}

/** Arithmetic that gives a pointer's bytes as they are, or turned around: no pointer into an arena, but for a copy. */
const MOVING = /^(?:mov|neg|le|be|bswap)/;

/** In a program with an arena, arithmetic may be on pointers into that: it is of 32 bits then. */
function arenaArithmetic({ row: { operation, name } }: Instruction, hasArena: boolean): Partial<Op> {
  if (!hasArena || operation.kind !== "alu") return {};
  const narrow = processor().effects.get(name.replace("64", "32"));
  return { code: DO.arenaAlu, arenaEffect: MOVING.test(operation.op) ? undefined : narrow };
}

/** What generated code knows. */
const PLAIN: ReadonlySet<number> = new Set([
  DO.alu,
  DO.aluImm,
  DO.jump,
  DO.jumpImm,
  DO.goto,
  DO.load,
  DO.store,
  DO.storeImm,
  DO.constant,
]);

function prepareOne(instruction: Instruction, slot: number, program: Program, hasArena: boolean): Op {
  const { row, dst, src, off, imm, immHigh } = instruction;
  const effect = processor().effects.get(row.name) ?? noEffect;
  const op = {
    ...HOLE,
    dst,
    src,
    off,
    imm,
    immHigh,
    dstAt: REGISTERS_AT + 8 * dst,
    operandAt: REGISTERS_AT + 8 * src,
    effect,
    name: row.name,
    ...specifics(row.operation, instruction, slot),
    ...arenaArithmetic(instruction, hasArena),
    ...(writesFramePointer(instruction) ? { code: DO.framePointerWrite } : {}),
    ...calleeAt(program, slot),
    ...symbolAt(program, slot),
    ...guardedCallee(instruction, slot, program),
    ...(isForbidden(instruction, program) ? { code: DO.forbiddenHelper } : {}),
  };
  return { ...op, plain: PLAIN.has(op.code) && !op.aligned };
}

/** What has been prepared, as long as the program is there: a program is run many times. */
const PREPARED = new WeakMap<Program, readonly Op[]>();

/** The program's instructions, by slot. */
export function prepare(program: Program): readonly Op[] {
  let ops = PREPARED.get(program);
  if (ops === undefined) {
    ops = prepareAll(program);
    PREPARED.set(program, ops);
  }
  return ops;
}

function prepareAll(program: Program): readonly Op[] {
  const hasArena = arenasOf(program).length > 0;
  return program.insns.map((instruction, slot) =>
    instruction === undefined ? HOLE : prepareOne(instruction, slot, program, hasArena),
  );
}

/** Stops at something that the machine does not model. */
export function refuse(op: Op): never {
  throw new Unsupported(op.name);
}
