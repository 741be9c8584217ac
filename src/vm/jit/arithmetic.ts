/** Arithmetic, and what it does with regions (`PROVENANCE`). */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { SCALAR_RECORD } from "../memory.ts";
import { DO, type Op, PROVENANCE } from "../op.ts";
import { OP } from "./code.ts";
import { KIND, SOMEWHERE } from "./kinds.ts";
import { fill, templateOf } from "./row-code.ts";
import type { Writer } from "./writer.ts";

/** Writes the code of the instruction's effect, whose result stays on the stack. */
export function compute(w: Writer, { dst, src, imm, code }: Op, { row }: Instruction): void {
  const isImmediate = code === DO.aluImm || code === DO.jumpImm;
  const operands = { dst, src, imm: isImmediate ? imm : undefined, r0: 0, address: 0, offset: 0 };
  fill(w.code, templateOf(row, imm), operands, (type, n) => w.locals.temporary(type, n));
}

/** @param needs  of the result */
export function arithmetic(w: Writer, op: Op, instruction: Instruction, slot: number, needs: number): void {
  const { dst, src, code, readsDst, provenance } = op;
  if (code === DO.alu) w.checkRead(src, slot);
  if (readsDst) w.checkRead(dst, slot);
  if (code === DO.alu && provenance !== PROVENANCE.none) region(w, op, needs);
  compute(w, op, instruction);
  w.code.at(OP.set, dst);
}

/** Gives `dst` the region of the result. */
function region(w: Writer, { dst, src, provenance }: Op, needs: number): void {
  const from = w.kinds(src);
  if (provenance === PROVENANCE.copy) {
    w.copyRegion(dst, src, needs);
    return;
  }
  if (from === KIND.number) return;
  const { code } = w;
  const before = w.kinds(dst);
  if (provenance === PROVENANCE.subtract) {
    if ((from & KIND.number) === 0) return;
    w.pushRegion(dst);
    code.const32(SCALAR_RECORD);
    pushIsNumber(w, src);
    code.op(OP.select);
  } else {
    if (before === KIND.number) {
      w.copyRegion(dst, src, needs);
      return;
    }
    w.pushRegion(dst);
    w.pushRegion(src);
    code.const32(SCALAR_RECORD);
    pushIsNumber(w, dst);
    code.op(OP.select);
    pushIsNumber(w, src);
    code.op(OP.select);
  }
  w.setRegion(dst);
  if (((before | from) & SOMEWHERE) !== 0) w.refresh(dst, needs);
}

function pushIsNumber(w: Writer, register: number): void {
  w.pushRegion(register);
  w.code.const32(SCALAR_RECORD);
  w.code.op(OP.eq32);
}
