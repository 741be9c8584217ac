/**
 * What the interpreter's generated code does for each plain instruction: a handler for each row of the instruction table that has one, and others for loads and stores relative to
 * r10, whose memory is known. A handler looks at what could be out of the ordinary first, and leaves the instruction to others (`execute.ts`) before it has changed anything; the
 * arithmetic is that of the row's terms.
 */
import type { Operation, Row, Size } from "../../semantics/isa/instruction.ts";
import { DST, LOADED, SRC } from "../../semantics/isa/row.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import type { Term } from "../../semantics/term/node.ts";
import { emitComputation, type Sink, type Source } from "../../semantics/term/wasm.ts";
import type { FunctionBuilder } from "../../semantics/wasm/function.ts";
import {
  type BinaryName,
  binaryInstruction,
  type LoadName,
  type StoreName,
  type UnaryName,
  unaryInstruction,
} from "../../semantics/wasm/instructions.ts";
import { REGISTERS_AT, SCALAR_RECORD, TAGS_AT } from "../memory.ts";
import { MOVES, PROVENANCE, provenanceOf } from "../op.ts";
import { MARK, MARKS, RECORD, RECORD_KIND, TAGS } from "../region-record.ts";
import { OP, OP_SIZE } from "./record.ts";

/** The locals of the generated function, by what they hold. */
export interface Locals {
  /** The current instruction's record. */
  readonly op: number;
  /** Offsets in the register file. */
  readonly dst: number;
  readonly src: number;
  /** The index of the memory accessed. */
  readonly at: number;
  /** Records of regions: of the address, and of the value stored. */
  readonly region: number;
  readonly tag: number;
  /** i64: an address, and how far it is behind the region's first byte. */
  readonly address: number;
  readonly distance: number;
}

/** What a handler is written with. */
export class Writer {
  readonly code: FunctionBuilder;
  readonly locals: Locals;
  /** Blocks that the handler has open. */
  #open = 0;
  /** From outside these: how deep the loop over instructions is, and the block behind which an instruction is left to others. */
  readonly #loop: number;
  readonly #leave: number;

  constructor(
    code: FunctionBuilder,
    locals: Locals,
    depths: { readonly loop: number; readonly leave: number },
  ) {
    this.code = code;
    this.locals = locals;
    this.#loop = depths.loop;
    this.#leave = depths.leave;
  }

  // --- Instructions on the stack

  get(local: keyof Locals): void {
    this.code.get(this.locals[local]);
  }
  set(local: keyof Locals): void {
    this.code.set(this.locals[local]);
  }
  i32(value: number): void {
    this.code.constant("i32", BigInt(value));
  }
  unary(name: UnaryName): void {
    this.code.numeric(unaryInstruction(name));
  }
  binary(name: BinaryName): void {
    this.code.numeric(binaryInstruction(name));
  }
  /** The value behind an index in a local. */
  load(local: keyof Locals, name: LoadName, offset: number): void {
    this.get(local);
    this.code.load(name, offset);
  }
  block(body: (leaveIf: () => void) => void): void {
    this.code.block();
    this.#open += 1;
    const depth = this.#open;
    body(() => {
      this.code.brIf(this.#open - depth);
    });
    this.#open -= 1;
    this.code.end();
  }

  // --- Ends of the handler

  /** Takes a condition: if it is not zero, the instruction is left to others. */
  leaveIf(): void {
    this.code.brIf(this.#open + this.#leave);
  }
  /** Goes on at the next instruction, `slots` further. */
  next(slots = 1): void {
    this.get("op");
    this.i32(OP_SIZE * slots);
    this.goOn();
  }
  /** Goes on as many bytes further as the stack's top says above the current record. */
  goOn(): void {
    this.binary("i32.add");
    this.set("op");
    this.code.br(this.#open + this.#loop);
  }

  // --- Registers

  /** Takes which registers the instruction names from its record. */
  take(...names: readonly ("dst" | "src")[]): void {
    for (const name of names) {
      this.load("op", "i32.load8_u", OP[name]);
      this.set(name);
    }
  }
  /** Leaves the instruction if the register was never written. */
  requireInitialised(register: "dst" | "src"): void {
    this.load(register, "i32.load", TAGS_AT);
    this.unary("i32.eqz");
    this.leaveIf();
  }
  /** Leaves the instruction if the register holds no number. */
  requireNumber(register: "dst" | "src"): void {
    this.load(register, "i32.load", TAGS_AT);
    this.i32(SCALAR_RECORD);
    this.binary("i32.ne");
    this.leaveIf();
  }
  tagAsNumber(register: "dst" | "src"): void {
    this.get(register);
    this.i32(SCALAR_RECORD);
    this.code.store("i32.store", TAGS_AT);
  }

  // --- Terms

  /** The source of a register's value. */
  register(register: "dst" | "src"): Source {
    return { kind: "memory", pointer: this.locals[register], offset: REGISTERS_AT, bytes: 8 };
  }
  /** Where a register's value goes. */
  intoRegister(register: "dst" | "src"): Sink {
    return { pointer: this.locals[register], offset: REGISTERS_AT, bytes: 8 };
  }
  get immediate(): Source {
    return { kind: "memory", pointer: this.locals.op, offset: OP.immediate, bytes: 8 };
  }
  operand(operand: "reg" | "imm" | "none"): Source {
    return operand === "reg" ? this.register("src") : this.immediate;
  }
}

export interface Handler {
  readonly name: string;
  readonly write: (w: Writer) => void;
}

/** Of operations whose operand may be a register: the registers that they name. */
const named = (operand: "reg" | "imm" | "none"): readonly ("dst" | "src")[] =>
  operand === "reg" ? ["dst", "src"] : ["dst"];

// --- Arithmetic and jumps

function alu(w: Writer, operation: Operation & { readonly kind: "alu" }): void {
  const { operand, op, result } = operation;
  const provenance = provenanceOf(operation);
  w.take(...named(operand));
  const moves = provenance === PROVENANCE.add || provenance === PROVENANCE.subtract;
  if (operand === "reg") {
    // That a number is added to a pointer is plain; that a pointer is added to a number is not.
    if (moves) w.requireNumber("src");
    else {
      w.load("src", "i32.load", TAGS_AT);
      w.code.tee(w.locals.tag);
      w.unary("i32.eqz");
      w.leaveIf();
    }
  }
  if (!MOVES.has(op)) w.requireInitialised("dst");
  const inputs = [
    [DST, w.register("dst")],
    [SRC, w.operand(operand)],
  ] as const;
  emitComputation(w.code, { inputs, outputs: [[result, w.intoRegister("dst")]] });
  if (provenance === PROVENANCE.copy) {
    w.get("dst");
    w.get("tag");
    w.code.store("i32.store", TAGS_AT);
  } else if (!moves) w.tagAsNumber("dst");
  w.next();
}

function jump(w: Writer, { operand, taken }: Operation & { readonly kind: "jump" }): void {
  w.take(...named(operand));
  w.requireInitialised("dst");
  if (operand === "reg") w.requireInitialised("src");
  const inputs = [
    [DST, w.register("dst")],
    [SRC, w.operand(operand)],
  ] as const;
  w.get("op");
  w.load("op", "i32.load", OP.displacement);
  w.i32(OP_SIZE);
  emitComputation(w.code, { inputs, outputs: [], result: taken });
  w.code.select();
  w.goOn();
}

function goto(w: Writer): void {
  w.get("op");
  w.load("op", "i32.load", OP.displacement);
  w.goOn();
}

function constant(w: Writer): void {
  w.take("dst");
  w.get("dst");
  w.load("op", "i64.load", OP.immediate);
  w.code.store("i64.store", REGISTERS_AT);
  w.tagAsNumber("dst");
  w.next(2);
}

// --- Memory

const EXPONENT = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;
const MARK_LOADS = { 1: "i32.load8_u", 2: "i32.load16_u", 4: "i32.load" } as const satisfies Record<
  number,
  LoadName
>;
const MARK_STORES = {
  1: "i32.store8",
  2: "i32.store16",
  4: "i32.store",
  8: "i64.store",
} as const satisfies Record<Size, StoreName>;

/** A mark in each of `size` bytes, as a number. */
const marks = (mark: number, size: Size): bigint => {
  let all = 0n;
  for (let i = 0; i < size; i += 1) all = (all << 8n) | BigInt(mark);
  return all;
};

/** The address in a register, moved by the instruction's displacement, and its region. */
function address(w: Writer, register: "dst" | "src"): void {
  w.load(register, "i64.load", REGISTERS_AT);
  w.load("op", "i32.load", OP.displacement);
  w.unary("i64.extend_i32_s");
  w.binary("i64.add");
  w.code.tee(w.locals.address);
  w.unary("i32.wrap_i64");
  w.set("at");
  w.load(register, "i32.load", TAGS_AT);
  w.set("region");
  w.get("address");
  w.load("region", "i64.load", RECORD.first);
  w.binary("i64.sub");
  w.set("distance");
}

/** A condition on the stack: that the access is plain. */
function isPlain(w: Writer, limits: number, size: Size): void {
  w.get("distance");
  w.load("region", "i64.load32_u", limits + 4 * EXPONENT[size]);
  w.binary("i64.lt_u");
}

/** Leaves the instruction unless it is an aligned access of a stack. */
function requireStack(w: Writer, size: Size): void {
  w.get("distance");
  w.load("region", "i64.load32_u", RECORD.stack);
  w.binary("i64.ge_u");
  w.leaveIf();
  if (size === 1) return;
  w.get("at");
  w.i32(size - 1);
  w.binary("i32.and");
  w.leaveIf();
}

/** The index of an aligned access relative to r10, which needs no check of bounds. */
function ownStack(w: Writer, register: "dst" | "src"): void {
  w.load(register, "i32.load", REGISTERS_AT);
  w.load("op", "i32.load", OP.displacement);
  w.binary("i32.add");
  w.set("at");
}

/** Leaves the instruction unless the stack's bytes are data; a pointer that fills its slot is loaded here and now. */
function requireData(w: Writer, size: Size): void {
  if (size !== 8) {
    w.load("at", MARK_LOADS[size], MARKS);
    w.code.constant("i32", marks(MARK.data, size));
    w.binary("i32.ne");
    w.leaveIf();
    return;
  }
  w.block((leaveIf) => {
    w.load("at", "i64.load", MARKS);
    w.code.tee(w.locals.distance);
    w.code.constant("i64", marks(MARK.data, 8));
    w.binary("i64.eq");
    leaveIf();
    w.get("distance");
    w.code.constant("i64", marks(MARK.pointer, 8));
    w.binary("i64.ne");
    w.leaveIf();
    w.get("dst");
    w.load("at", "i64.load", 0);
    w.code.store("i64.store", REGISTERS_AT);
    w.get("dst");
    w.load("at", "i32.load", TAGS);
    w.code.store("i32.store", TAGS_AT);
    w.next();
  });
}

function load(w: Writer, operation: Operation & { readonly kind: "load" }, own: boolean): void {
  const { size, result } = operation;
  w.take("dst", "src");
  if (own) {
    ownStack(w, "src");
    requireData(w, size);
  } else {
    address(w, "src");
    w.block((leaveIf) => {
      isPlain(w, RECORD.reads, size);
      leaveIf();
      requireStack(w, size);
      requireData(w, size);
    });
  }
  const from = { kind: "memory", pointer: w.locals.at, offset: 0, bytes: size } as const;
  emitComputation(w.code, { inputs: [[LOADED[size], from]], outputs: [[result, w.intoRegister("dst")]] });
  w.tagAsNumber("dst");
  w.next();
}

/** Leaves the instruction if the slot holds what data must not simply be written over. */
function requireNoTag(w: Writer, size: Size): void {
  w.get("at");
  if (size !== 8) {
    w.i32(-8);
    w.binary("i32.and");
  }
  w.code.load("i32.load8_u", MARKS);
  if (size === 8) {
    w.i32(MARK.kept);
    w.binary("i32.eq");
  } else {
    // Unwritten and data are the two on either side of what has a tag.
    w.i32(MARK.pointer);
    w.binary("i32.sub");
    w.i32(MARK.kept);
    w.binary("i32.lt_u");
  }
  w.leaveIf();
}

function markData(w: Writer, size: Size): void {
  w.get("at");
  w.code.constant(size === 8 ? "i64" : "i32", marks(MARK.data, size));
  w.code.store(MARK_STORES[size], MARKS);
}

/** Notes a pointer in the slot. One into another stack than its own is left to others, who note that there is one. */
function markPointer(w: Writer): void {
  w.load("tag", "i32.load", RECORD.kind);
  w.i32(RECORD_KIND.stack);
  w.binary("i32.eq");
  w.get("tag");
  w.get("region");
  w.binary("i32.ne");
  w.binary("i32.and");
  w.leaveIf();
  w.get("at");
  w.code.constant("i64", marks(MARK.pointer, 8));
  w.code.store("i64.store", MARKS);
  w.get("at");
  w.get("tag");
  w.code.store("i32.store", TAGS);
}

/** What is to be known of the stack after a store of 8 bytes from a register. */
function markRegister(w: Writer): void {
  w.block((leaveIf) => {
    w.get("tag");
    w.i32(SCALAR_RECORD);
    w.binary("i32.ne");
    leaveIf();
    markData(w, 8);
    storeAndGoOn(w, SRC, "reg", 8);
  });
  markPointer(w);
}

function storeAndGoOn(w: Writer, stored: Term, operand: "reg" | "imm", size: Size): void {
  const to = { pointer: w.locals.at, offset: 0, bytes: size } as const;
  emitComputation(w.code, { inputs: [[SRC, w.operand(operand)]], outputs: [[stored, to]] });
  w.next();
}

function store(w: Writer, operation: Operation & { readonly kind: "store" }, own: boolean): void {
  const { size, operand, stored } = operation;
  w.take(...named(operand));
  if (operand === "reg") {
    w.load("src", "i32.load", TAGS_AT);
    w.code.tee(w.locals.tag);
    w.unary("i32.eqz");
    w.leaveIf();
  }
  const mark = (): void => {
    requireNoTag(w, size);
    if (operand === "reg" && size === 8) markRegister(w);
    else markData(w, size);
  };
  if (own) {
    ownStack(w, "dst");
    if (operand === "reg" && size === 8) {
      w.load("dst", "i32.load", TAGS_AT);
      w.set("region");
    }
    mark();
  } else {
    address(w, "dst");
    w.block((leaveIf) => {
      isPlain(w, RECORD.writes, size);
      leaveIf();
      requireStack(w, size);
      mark();
    });
  }
  storeAndGoOn(w, stored, operand, size);
}

// --- The table

/** The name of the handler of a load or store relative to r10. */
export const onOwnStack = (name: string): string => `${name} of r10`;

function handlersOf({ name, operation }: Row): readonly Handler[] {
  switch (operation.kind) {
    case "alu":
      return [{ name, write: (w) => alu(w, operation) }];
    case "jump":
      return [{ name, write: (w) => jump(w, operation) }];
    case "goto":
      return [{ name, write: goto }];
    case "ld_imm64":
      return operation.load === "const" ? [{ name, write: constant }] : [];
    case "load":
      return [
        { name, write: (w) => load(w, operation, false) },
        { name: onOwnStack(name), write: (w) => load(w, operation, true) },
      ];
    case "store":
      return [
        { name, write: (w) => store(w, operation, false) },
        { name: onOwnStack(name), write: (w) => store(w, operation, true) },
      ];
    default:
      return [];
  }
}

export const HANDLERS: readonly Handler[] = ROWS.flatMap(handlersOf);
