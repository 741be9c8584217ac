/**
 * Instructions prepared for the interpreter: an array of flat records, one a slot, with everything decided that does not depend on values.
 */
import { Unsupported } from "../semantics/errors.ts";
import { callingBack } from "../semantics/helpers/callbacks.ts";
import type { Instruction, Operation } from "../semantics/isa/instruction.ts";
import { defaultProfile } from "../semantics/profile/default.ts";
import { helperCall, programFacts } from "../semantics/profile/lookup.ts";
import { isGplCompatible } from "../semantics/program/license.ts";
import { mapsOfType } from "../semantics/program/maps-of-type.ts";
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
  /** The address of a variable or function of the kernel, by name; `imm` is 1 if the kernel's BTF tells its type. */
  symbol: 27,
  /** A load with acquire in a program with an arena. */
  arenaAcquire: 28,
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
  readonly guarded: readonly number[] | undefined;
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
  /** What is not modelled, for `unsupported`; of a kernel function or variable its name. */
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
  guarded: undefined,
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

/**
 * An op while it is prepared. All have one shape, whatever they do, and none is made of parts: the interpreter reads them at each step, and shapes that differ cost it a search for
 * each property.
 */
type Draft = { -readonly [K in keyof Op]: Op[K] };

/** Fills in what depends on what the operation is. */
function specialise(draft: Draft, operation: Operation, instruction: Instruction, slot: number): void {
  const { off, imm } = instruction;
  const next = slot + 1;
  switch (operation.kind) {
    case "alu": {
      const { operand, op } = operation;
      draft.code = operand === "reg" ? DO.alu : DO.aluImm;
      draft.provenance = provenanceOf(operation);
      draft.readsDst = !MOVES.has(op);
      if (operand !== "reg") draft.operandAt = OPERAND_AT;
      return;
    }
    case "jump":
      draft.code = operation.operand === "reg" ? DO.jump : DO.jumpImm;
      draft.target = next + off;
      if (operation.operand !== "reg") draft.operandAt = OPERAND_AT;
      return;
    case "goto":
      draft.code = DO.goto;
      draft.target = next + (operation.wide ? imm : off);
      return;
    case "may_goto":
      draft.code = DO.mayGoto;
      draft.target = next + off;
      return;
    case "exit":
      draft.code = DO.exit;
      return;
    case "load":
      draft.code = DO.load;
      draft.size = operation.size;
      return;
    case "load_acquire":
      draft.code = DO.load;
      draft.size = operation.size;
      draft.aligned = true;
      return;
    case "store":
      draft.code = operation.operand === "reg" ? DO.store : DO.storeImm;
      draft.size = operation.size;
      if (operation.operand !== "reg") draft.operandAt = OPERAND_AT;
      return;
    case "store_release":
      draft.code = DO.store;
      draft.size = operation.size;
      draft.aligned = true;
      return;
    case "atomic":
      draft.code = DO.atomic;
      draft.size = operation.size;
      draft.aligned = true;
      draft.exchange = operation.op === "cmpxchg";
      draft.fetch = operation.fetch && !draft.exchange;
      return;
    case "packet":
      draft.code = operation.mode === "abs" ? DO.packet : DO.packetIndirect;
      draft.size = operation.size;
      return;
    case "call":
      specialiseCall(draft, operation.callee, instruction, next);
      return;
    case "ld_imm64":
      specialiseWideLoad(draft, operation.load, next + imm);
      return;
    default:
      draft.code = DO.castAddress;
  }
}

function specialiseCall(draft: Draft, callee: string, instruction: Instruction, next: number): void {
  if (callee === "helper") draft.code = callingBack(instruction) === undefined ? DO.helper : DO.callback;
  else if (callee === "subprogram") {
    draft.code = DO.subprogram;
    draft.target = next + instruction.imm;
  } else {
    draft.code = DO.unsupported;
    draft.name = `kernel function ${instruction.imm}`;
  }
}

function specialiseWideLoad(draft: Draft, load: string, target: number): void {
  if (load === "const") draft.code = DO.constant;
  else if (load === "map_fd") draft.code = DO.mapFd;
  else if (load === "func") {
    draft.code = DO.function;
    draft.target = target;
  } else if (load === "map_value") draft.code = DO.mapValue;
  else {
    draft.code = DO.unsupported;
    draft.name = `16-byte loads of kind ${load}`;
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

/** Functions, and variables, of the kernel. */
function specialiseSymbols(draft: Draft, { kfuncs, ksyms }: Program, slot: number): void {
  const callee = kfuncs?.find(({ insn }) => insn === slot);
  if (callee !== undefined) {
    draft.code = DO.kernelFunction;
    draft.name = callee.name;
  }
  const symbol = ksyms?.find(({ insn }) => insn === slot);
  if (symbol === undefined) return;
  draft.code = DO.symbol;
  draft.name = symbol.name;
  draft.imm = symbol.typed ? 1 : 0;
}

/** Of a call of a function the registers of arguments that are addresses which nobody vouches for, if there are any. */
function guardedArguments(
  { row: { operation }, imm }: Instruction,
  slot: number,
  { functions }: Program,
): readonly number[] | undefined {
  if (operation.kind !== "call" || operation.callee !== "subprogram") return undefined;
  const callee = functions.find(({ insn }) => insn === slot + 1 + imm);
  const guarded = (callee?.prototype?.parameters ?? []).flatMap(({ tags }, index) =>
    tags.includes("untrusted") ? [index + 1] : [],
  );
  return guarded.length === 0 ? undefined : guarded;
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
function specialiseForArena(draft: Draft, { row: { operation, name } }: Instruction): void {
  // The register may stay as it was.
  if (operation.kind === "load_acquire") draft.code = DO.arenaAcquire;
  if (operation.kind !== "alu") return;
  draft.code = DO.arenaAlu;
  if (!MOVING.test(operation.op)) draft.arenaEffect = processor().effects.get(name.replace("64", "32"));
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
  const draft: Draft = {
    code: DO.unsupported,
    dst,
    src,
    off,
    imm,
    immHigh,
    size: 0,
    target: 0,
    guarded: guardedArguments(instruction, slot, program),
    provenance: PROVENANCE.none,
    readsDst: false,
    aligned: false,
    fetch: false,
    exchange: false,
    dstAt: REGISTERS_AT + 8 * dst,
    operandAt: REGISTERS_AT + 8 * src,
    effect: processor().effects.get(row.name) ?? noEffect,
    arenaEffect: undefined,
    plain: false,
    name: row.name,
  };
  specialise(draft, row.operation, instruction, slot);
  if (hasArena) specialiseForArena(draft, instruction);
  if (writesFramePointer(instruction)) draft.code = DO.framePointerWrite;
  const { kind } = row.operation;
  if (kind === "call" || kind === "ld_imm64") specialiseSymbols(draft, program, slot);
  if (kind === "call" && isForbidden(instruction, program)) draft.code = DO.forbiddenHelper;
  draft.plain = PLAIN.has(draft.code) && !draft.aligned;
  return draft;
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
  const hasArena = mapsOfType(program, "arena").length > 0;
  return program.insns.map((instruction, slot) =>
    instruction === undefined ? HOLE : prepareOne(instruction, slot, program, hasArena),
  );
}

/** Stops at something that the machine does not model. */
export function refuse(op: Op): never {
  throw new Unsupported(op.name);
}
