/**
 * A function being compiled: what is known of its registers at the current place, and the code for what all instructions have in common: regions of registers, ways out, and
 * handing an instruction to the machine.
 *
 * Beside each register whose region is not known beforehand (kinds.ts) a local has its region's record, and others have the limits that later accesses need (needs.ts). Where a
 * region is known, these locals hold nothing.
 */
import { FRAME_POINTER, REGISTERS_AT, SCALAR_RECORD, TAGS_AT, UNINITIALISED_RECORD } from "../memory.ts";
import { RECORD } from "../region-record.ts";
import { Code, NO_RESULT, OP } from "./code.ts";
import { CONTROL } from "./control.ts";
import { isDynamic, KIND, type Registers, SOMEWHERE } from "./kinds.ts";
import { LOCAL, Locals } from "./locals.ts";

/** Functions of the machine that compiled code imports, by index. */
export const IMPORT = {
  /** (slot) → whether the function is over. Executes the instruction. */
  step: 0,
  /** (slot of the call): enters a frame. */
  enter: 1,
  /** (slot of the call, one of `AGAIN`) → whether the function is over. Goes on with a call of bpf_loop to its end. */
  again: 2,
  /** (function, exit): the interpreter goes on until the function is over. */
  finish: 3,
} as const;
export const IMPORTS = 4;

/** Why the machine has to go on with bpf_loop. */
export const AGAIN = {
  /** The function could not be called. */
  resume: 0,
  /** The machine has left its frame. */
  left: 1,
  /** It has returned nothing. */
  noResult: 2,
} as const;

/** Tags and registers lie 8 bytes apart. */
const TAG_STRIDE = 8;
const NEEDS = 8;

/** A way out of a function: the block, and the slot where the interpreter goes on. */
export interface Exit {
  readonly block: number;
  readonly slot: number;
  /** A register that is not what it is taken for where the slot's instruction begins: its region is what the local says. */
  readonly other: number | undefined;
}

export class Writer {
  readonly code: Code;
  readonly locals = new Locals();
  readonly exits: Exit[] = [];
  /** The registers at the current place. */
  readonly now: Registers;
  /** The current block, and how many of its instructions are still to come, the current one included. */
  block = 0;
  left = 0;
  /** Blocks, loops and ifs that are open. */
  height = 0;

  constructor(code: Code, now: Registers) {
    this.code = code;
    this.now = now;
  }

  kinds(register: number): number {
    return this.now.kinds[register] ?? 0;
  }

  // --- Structure

  open(opcode: number, type: number = NO_RESULT): void {
    this.code.open(opcode, type);
    this.height += 1;
  }

  close(): void {
    this.code.op(OP.end);
    this.height -= 1;
  }

  /** The depth of what was opened as the `height`-th. */
  depthOf(height: number): number {
    return this.height - height;
  }

  // --- Ways out

  /** Leaves the function at a slot of the current block if the code of `condition` gives a number that is not 0. */
  exitIf(slot: number, condition: () => void, other?: number): void {
    const { code } = this;
    code.const32(this.exits.length);
    condition();
    code.at(OP.brIf, this.depthOf(1));
    code.op(OP.drop);
    this.exits.push({ block: this.block, slot, other });
  }

  exit(slot: number): void {
    this.code.const32(this.exits.length);
    this.code.at(OP.br, this.depthOf(1));
    this.exits.push({ block: this.block, slot, other: undefined });
  }

  /** Before the instruction at `slot` reads a register: it must have been written. */
  checkRead(register: number, slot: number): void {
    const kinds = this.kinds(register);
    if ((kinds & KIND.uninitialised) === 0) {
      if (kinds === 0) this.exit(slot);
      return;
    }
    if (kinds === KIND.uninitialised) this.exit(slot);
    else {
      this.exitIf(slot, () => {
        this.pushRegion(register);
        this.code.op(OP.eqz32);
      });
    }
    this.now.kinds[register] = kinds & ~KIND.uninitialised;
  }

  // --- Regions

  /** Pushes the record of a register's region. */
  pushRegion(register: number): void {
    const kinds = this.kinds(register);
    const { code } = this;
    if (isDynamic(kinds)) code.at(OP.get, LOCAL.region + register);
    else if (kinds === KIND.stack) code.at(OP.get, LOCAL.stackRegion);
    else if (kinds === KIND.context) code.at(OP.get, LOCAL.contextRegion);
    else code.const32(kinds === KIND.number ? SCALAR_RECORD : UNINITIALISED_RECORD);
  }

  setRegion(register: number): void {
    this.code.at(OP.set, LOCAL.region + register);
  }

  /** Reads the limits of a register anew from its region's record. */
  refresh(register: number, needs: number): void {
    if (needs === 0) return;
    const { code, locals } = this;
    const region = LOCAL.region + register;
    code.at(OP.get, region);
    code.memory(OP.load64, 8, RECORD.first);
    code.at(OP.set, locals.first(register));
    for (let bit = 0; bit < NEEDS; bit += 1) {
      if ((needs & (1 << bit)) === 0) continue;
      code.at(OP.get, region);
      code.memory(OP.load64From32, 4, (bit < 4 ? RECORD.reads : RECORD.writes - 16) + 4 * bit);
      code.at(OP.set, locals.limit(register, 1 << bit));
    }
  }

  /** Makes no access through a register plain. */
  forbid(register: number, needs: number): void {
    const { code, locals } = this;
    for (let bit = 0; bit < NEEDS; bit += 1) {
      if ((needs & (1 << bit)) === 0) continue;
      code.const64(0);
      code.at(OP.set, locals.limit(register, 1 << bit));
    }
  }

  /** Gives `to` the region of `from`, with the limits that `to` needs. */
  copyRegion(to: number, from: number, needs: number): void {
    const kinds = this.kinds(from);
    if (to === from || !isDynamic(kinds)) return;
    const { code, locals } = this;
    code.at(OP.get, LOCAL.region + from);
    this.setRegion(to);
    if (needs === 0 || (kinds & SOMEWHERE) === 0) return;
    code.at(OP.get, locals.first(from));
    code.at(OP.set, locals.first(to));
    for (let bit = 0; bit < NEEDS; bit += 1) {
      if ((needs & (1 << bit)) === 0) continue;
      code.at(OP.get, locals.limit(from, 1 << bit));
      code.at(OP.set, locals.limit(to, 1 << bit));
    }
  }

  /** Writes a register's region down where a block expects to find it, that knows less of the register. */
  settle(register: number, expected: number, needs: number): void {
    if (!isDynamic(expected)) return;
    const kinds = this.kinds(register);
    if (!isDynamic(kinds)) {
      this.pushRegion(register);
      this.setRegion(register);
    }
    if ((expected & SOMEWHERE) !== 0 && (kinds & SOMEWHERE) === 0) this.forbid(register, needs);
  }

  // --- The register file

  /** Writes a register to the register file. */
  spill(register: number): void {
    if (register === FRAME_POINTER) return;
    const { code } = this;
    const kinds = this.kinds(register);
    if (kinds !== KIND.uninitialised && kinds !== 0) {
      code.const32(0);
      code.at(OP.get, register);
      code.memory(OP.store64, 8, REGISTERS_AT + 8 * register);
    }
    code.const32(0);
    this.pushRegion(register);
    code.memory(OP.store32, 4, TAGS_AT + TAG_STRIDE * register);
  }

  loadRegister(register: number): void {
    const { code } = this;
    code.const32(0);
    code.memory(OP.load64, 8, REGISTERS_AT + 8 * register);
    code.at(OP.set, register);
  }

  pushTag(register: number): void {
    this.code.const32(0);
    this.code.memory(OP.load32, 4, TAGS_AT + TAG_STRIDE * register);
  }

  /** Reads a register and its region back. */
  reload(register: number, needs: number): void {
    this.loadRegister(register);
    this.pushTag(register);
    this.setRegion(register);
    this.refresh(register, needs);
  }

  // --- The machine

  /** Writes down what may still be executed when the current instruction has been. */
  storeFuel(): void {
    const { code } = this;
    code.const32(0);
    code.at(OP.get, LOCAL.fuel);
    if (this.left > 1) {
      code.const64(this.left - 1);
      code.op(OP.add64);
    }
    code.memory(OP.store64, 8, CONTROL.fuel);
  }

  loadFuel(): void {
    const { code } = this;
    code.const32(0);
    code.memory(OP.load64, 8, CONTROL.fuel);
    if (this.left > 1) {
      code.const64(this.left - 1);
      code.op(OP.sub64);
    }
    code.at(OP.set, LOCAL.fuel);
  }

  /** Lets the machine execute the instruction; leaves on the stack whether the function is over. */
  step(slot: number): void {
    this.storeFuel();
    this.code.const32(slot);
    this.code.at(OP.call, IMPORT.step);
  }

  returnIfOver(): void {
    this.open(OP.if);
    this.code.op(OP.return);
    this.close();
  }

  /** Behind all of a function's code: what is done at its ways out. */
  writeExits(index: number): void {
    const { code, locals } = this;
    code.op(UNREACHABLE);
    this.close();
    code.at(OP.set, LOCAL.exit);
    code.bytes(STORE_REGISTERS);
    code.const32(0);
    code.at(OP.get, LOCAL.fuel);
    code.memory(OP.store64, 8, CONTROL.fuel);
    code.const32(0);
    if (locals.hasLoops) code.at(OP.get, locals.loops());
    else code.const32(0);
    code.memory(OP.store32, 4, CONTROL.loops);
    code.const32(index);
    code.at(OP.get, LOCAL.exit);
    code.at(OP.call, IMPORT.finish);
  }
}

const UNREACHABLE = 0x00;
/** Writes all registers and their regions to the register file. */
const STORE_REGISTERS = storeRegisters();

function storeRegisters(): Uint8Array {
  const code = new Code();
  for (let register = 0; register < FRAME_POINTER; register += 1) {
    code.const32(0);
    code.at(OP.get, register);
    code.memory(OP.store64, 8, REGISTERS_AT + 8 * register);
    code.const32(0);
    code.at(OP.get, LOCAL.region + register);
    code.memory(OP.store32, 4, TAGS_AT + TAG_STRIDE * register);
  }
  return code.finish();
}
