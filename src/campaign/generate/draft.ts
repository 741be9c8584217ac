/** A program in the making: its instructions so far, and what is known where the next one goes. */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { rowByName } from "../../semantics/isa/table.ts";
import { either, type Held, lifeOf, NOTHING, NUMBER } from "./held.ts";

/** What is known at some place. */
export interface Knowledge {
  readonly registers: Held[];
  /** By slot: slot s is the 8 bytes from -8 * (s + 1) on. */
  readonly slots: Held[];
}

const REGISTERS = 11;
/** Slots that steps store numbers and pointers to. */
export const SLOTS = 12;
/** All slots: behind those lie what is handed to helpers, and what the kernel keeps for the program. */
const ALL_SLOTS = 32;

const NOTHING_IN_REGISTERS: readonly Held[] = Array.from({ length: REGISTERS }, () => NOTHING);
const NOTHING_IN_SLOTS: readonly Held[] = Array.from({ length: ALL_SLOTS }, () => NOTHING);

/** A label is a number until the end, when it becomes a distance. */
export type Label = number;

type Operands = Partial<Omit<Instruction, "row">>;

interface Jump {
  readonly at: number;
  readonly label: Label;
  readonly field: "off" | "imm";
}

const isWide = (name: string): boolean => name.startsWith("ld_imm64");

export class Draft {
  readonly #instructions: Instruction[] = [];
  readonly #jumps: Jump[] = [];
  readonly #labels: (number | undefined)[] = [];
  readonly #used = new Set<Label>();
  #slots = 0;
  #ids = 0;
  /** Calls of the kernel's functions, by slot. */
  readonly kfuncs: { readonly insn: number; readonly name: string }[] = [];
  know: Knowledge = {
    registers: NOTHING_IN_REGISTERS.slice(),
    slots: NOTHING_IN_SLOTS.slice(),
  };

  /** 8-byte slots so far. */
  get length(): number {
    return this.#slots;
  }

  emit(name: string, operands: Operands = {}): void {
    const { dst = 0, src = 0, off = 0, imm = 0, immHigh = 0 } = operands;
    this.#instructions.push({ row: rowByName(name), dst, src, off, imm, immHigh });
    this.#slots += isWide(name) ? 2 : 1;
  }

  /** Of one of the kernel's functions. */
  callKfunc(name: string): void {
    this.kfuncs.push({ insn: this.#slots, name });
    this.emit("call_kfunc");
  }

  label(): Label {
    return this.#labels.push(undefined) - 1;
  }

  place(label: Label): void {
    this.#labels[label] = this.#slots;
  }

  /** A jump, or a call of a function or load of its address, whose distance is found in the end. */
  jump(name: string, label: Label, operands: Operands = {}): void {
    const field = name === "call_subprogram" || name === "ld_imm64_func" || name === "gotol" ? "imm" : "off";
    this.#used.add(label);
    this.#jumps.push({ at: this.#instructions.length, label, field });
    this.emit(name, operands);
  }

  /** Whether anything goes to the label. */
  isUsed(label: Label): boolean {
    return this.#used.has(label);
  }

  /** The instructions, with all distances. */
  finish(): readonly Instruction[] {
    const starts: number[] = [];
    let slot = 0;
    for (const { row } of this.#instructions) {
      starts.push(slot);
      slot += isWide(row.name) ? 2 : 1;
    }
    const made = [...this.#instructions];
    for (const { at, label, field } of this.#jumps) {
      const [instruction, to] = [made[at], this.#labels[label]];
      if (instruction === undefined || to === undefined)
        throw new Error("a jump goes to a label that was placed");
      const distance = to - (starts[at] ?? 0) - 1;
      const { row, dst, src, off, imm, immHigh } = instruction;
      made[at] =
        field === "off"
          ? { row, dst, src, off: distance, imm, immHigh }
          : { row, dst, src, off, imm: distance, immHigh };
    }
    return made;
  }

  // --- What is known

  /** A number that nothing else has: of an object, or of a pointer that may be null. */
  id(): number {
    this.#ids += 1;
    return this.#ids;
  }

  held(register: number): Held {
    return this.know.registers[register] ?? NOTHING;
  }

  set(register: number, held: Held): void {
    this.know.registers[register] = held;
  }

  /** The registers r0 … r9 that hold such a thing. */
  holding(wanted: (held: Held) => boolean): readonly number[] {
    const found: number[] = [];
    for (let r = 0; r < 10; r += 1) if (wanted(this.held(r))) found.push(r);
    return found;
  }

  snapshot(): Knowledge {
    return { registers: [...this.know.registers], slots: [...this.know.slots] };
  }

  /** Two ways meet. */
  join(other: Knowledge): void {
    this.know = {
      registers: this.know.registers.map((held, i) => either(held, other.registers[i] ?? NOTHING)),
      slots: this.know.slots.map((held, i) => either(held, other.slots[i] ?? NOTHING)),
    };
  }

  /** Everything that is known becomes what is made of it. */
  change(become: (held: Held) => Held): void {
    const { registers, slots } = this.know;
    for (const [i, held] of registers.entries()) registers[i] = become(held);
    for (const [i, held] of slots.entries()) slots[i] = become(held);
  }

  /** After a call r1 … r5 hold nothing, and r0 what it gave. */
  called(result: Held): void {
    for (let r = 1; r <= 5; r += 1) this.set(r, NOTHING);
    this.set(0, result);
  }

  /** The packet may have moved: no pointer to it is one any more. */
  packetMoved(): void {
    this.change((held) => (held.kind === "packet" || held.kind === "packet_end" ? NOTHING : held));
  }

  /** What went with an object is gone. */
  ended(life: number): void {
    this.change((held) => (lifeOf(held) === life ? NOTHING : held));
  }

  /** Nothing is known of how large numbers are: where a loop comes back. */
  forgetBounds(): void {
    this.change((held) => (held.kind === "number" ? NUMBER : held));
  }
}
