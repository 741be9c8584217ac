/** Prepared programs as the interpreter's generated code reads them: records in the machine's memory. */
import { ROWS } from "../../semantics/isa/table.ts";
import type { AddressSpace } from "../address-space.ts";
import { CODE_AT, CODE_END, FRAME_POINTER, memoryBytes, memoryView } from "../memory.ts";
import { DO, type Op } from "../op.ts";
import { STACK_SIZE } from "../region-record.ts";
import { HANDLERS, onOwnStack } from "./handlers.ts";
import { OP, OP_SIZE } from "./record.ts";

const CODES: ReadonlyMap<string, number> = new Map(HANDLERS.map(({ name }, i) => [name, i + 1]));
/** Those of loads and stores relative to r10, by the names of their rows. */
const OWN_STACK_CODES: ReadonlyMap<string, number> = new Map(
  ROWS.flatMap(({ name }) => {
    const code = CODES.get(onOwnStack(name));
    return code === undefined ? [] : [[name, code]];
  }),
);

/** Past the end of a program are as many records for nothing as an instruction is long at most. */
const PAST_END = 2;

/** The number of the handler; 0 for what is left to others. */
function handlerOf(op: Op, slots: number): number {
  if (!op.plain) return 0;
  switch (op.code) {
    case DO.jump:
    case DO.jumpImm:
    case DO.goto:
      return op.target >= 0 && op.target <= slots ? codeOf(op) : 0;
    case DO.load:
      return ofMemory(op, op.src);
    case DO.store:
    case DO.storeImm:
      return ofMemory(op, op.dst);
    default:
      return codeOf(op);
  }
}

const codeOf = ({ name }: Op): number => CODES.get(name) ?? 0;

function ofMemory(op: Op, register: number): number {
  if (register !== FRAME_POINTER) return codeOf(op);
  const { name, off, size } = op;
  return off >= -STACK_SIZE && off + size <= 0 && off % size === 0 ? (OWN_STACK_CODES.get(name) ?? 0) : 0;
}

function writeRecord(at: number, op: Op, slot: number, slots: number): void {
  const isJump = op.code === DO.jump || op.code === DO.jumpImm || op.code === DO.goto;
  const high = op.code === DO.constant ? op.immHigh : op.imm >> 31;
  memoryView.setUint16(at + OP.code, handlerOf(op, slots), true);
  memoryBytes[at + OP.dst] = 8 * op.dst;
  memoryBytes[at + OP.src] = 8 * op.src;
  memoryView.setInt32(at + OP.displacement, isJump ? OP_SIZE * (op.target - slot) : op.off, true);
  memoryView.setInt32(at + OP.immediate, op.imm, true);
  memoryView.setInt32(at + OP.immediate + 4, high, true);
}

/** Where programs lie already, and the first byte that none has. */
let placed = new WeakMap<readonly Op[], number>();
let free = CODE_AT;

/**
 * The index of a program's records. They stay there for other runs, unless there is no room: then all programs lose their places, or, since runs in progress may use
 * those, this one gets a place that the run alone has.
 */
export function placeCode(space: AddressSpace, ops: readonly Op[]): number {
  const known = placed.get(ops);
  if (known !== undefined) return known;
  const size = OP_SIZE * (ops.length + PAST_END);
  if (free + size > CODE_END && space.isOutermost) {
    placed = new WeakMap();
    memoryBytes.fill(0, CODE_AT, free);
    free = CODE_AT;
  }
  const own = free + size > CODE_END;
  const at = own ? space.take(size) : free;
  for (const [slot, op] of ops.entries()) writeRecord(at + OP_SIZE * slot, op, slot, ops.length);
  if (!own) {
    placed.set(ops, at);
    free += size;
  }
  return at;
}
