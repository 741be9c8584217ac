/**
 * A program in the making: its instructions so far, and what a verifier will know of registers and stack where the next one goes. That is a rough idea of it: it
 * decides what to emit next, and nothing else.
 */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { insn } from "../../semantics/isa/make.ts";

/** What a register or a stack slot holds. */
export type Held =
  | { readonly kind: "nothing" }
  /** At most `most`, and at least 0; undefined if there is no such bound. */
  | { readonly kind: "number"; readonly most: number | undefined }
  | { readonly kind: "context" }
  /** `range` bytes from it on are known to be there. */
  | { readonly kind: "packet"; readonly range: number }
  | { readonly kind: "packet_end" }
  /** `size` bytes from it on are there. */
  | { readonly kind: "memory"; readonly size: number; readonly writable: boolean }
  /** A pointer to the frame: at `offset`. */
  | { readonly kind: "frame"; readonly offset: number };

export const NOTHING: Held = { kind: "nothing" };
export const NUMBER: Held = { kind: "number", most: undefined };
export const atMost = (most: number): Held => ({ kind: "number", most });

/** What is known at some place. */
export interface Knowledge {
  readonly registers: Held[];
  /** By slot: slot s is the 8 bytes from -8 * (s + 1) on. */
  readonly slots: Held[];
}

const REGISTERS = 11;
export const SLOTS = 12;

/** What a value is that comes from either of two ways. */
function either(a: Held, b: Held): Held {
  if (a.kind === "number" && b.kind === "number") {
    return {
      kind: "number",
      most: a.most === undefined || b.most === undefined ? undefined : Math.max(a.most, b.most),
    };
  }
  if (a.kind === "packet" && b.kind === "packet")
    return { kind: "packet", range: Math.min(a.range, b.range) };
  if (a.kind === "memory" && b.kind === "memory" && a.size === b.size) return a;
  if (a.kind === "frame" && b.kind === "frame" && a.offset === b.offset) return a;
  return a.kind === b.kind && (a.kind === "context" || a.kind === "packet_end") ? a : NOTHING;
}

/** A label is a number until the end, when it becomes a distance. */
export type Label = number;

interface Jump {
  readonly at: number;
  readonly label: Label;
  readonly field: "off" | "imm";
}

export class Draft {
  readonly #instructions: Instruction[] = [];
  readonly #jumps: Jump[] = [];
  readonly #labels: (number | undefined)[] = [];
  #slots = 0;
  know: Knowledge = {
    registers: Array.from({ length: REGISTERS }, () => NOTHING),
    slots: Array.from({ length: SLOTS }, () => NOTHING),
  };
  /** Where a program goes that gives up: emitted at the end of the function, if anybody goes there. */
  exit: Label = this.label();
  exitUsed = false;

  /** 8-byte slots so far. */
  get length(): number {
    return this.#slots;
  }

  emit(name: string, operands: Partial<Omit<Instruction, "row">> = {}): void {
    this.#instructions.push(insn(name, operands));
    this.#slots += name.startsWith("ld_imm64") ? 2 : 1;
  }

  label(): Label {
    return this.#labels.push(undefined) - 1;
  }

  place(label: Label): void {
    this.#labels[label] = this.#slots;
  }

  /** A jump, or a call of a function or load of its address, whose distance is found in the end. */
  jump(name: string, label: Label, operands: Partial<Omit<Instruction, "row">> = {}): void {
    const field = name === "call_subprogram" || name === "ld_imm64_func" ? "imm" : "off";
    this.#jumps.push({ at: this.#instructions.length, label, field });
    this.emit(name, operands);
  }

  /** Whether anything goes to the label. */
  isUsed(label: Label): boolean {
    return this.#jumps.some((jump) => jump.label === label);
  }

  /** A jump out of the function. */
  giveUp(name: string, operands: Partial<Omit<Instruction, "row">>): void {
    this.exitUsed = true;
    this.jump(name, this.exit, operands);
  }

  /** The instructions, with all distances. */
  finish(): readonly Instruction[] {
    const starts: number[] = [];
    let slot = 0;
    for (const { row } of this.#instructions) {
      starts.push(slot);
      slot += row.name.startsWith("ld_imm64") ? 2 : 1;
    }
    const made = [...this.#instructions];
    for (const { at, label, field } of this.#jumps) {
      const [instruction, to] = [made[at], this.#labels[label]];
      if (instruction === undefined || to === undefined)
        throw new Error("a jump goes to a label that was placed");
      const distance = to - (starts[at] ?? 0) - 1;
      made[at] = { ...instruction, [field]: distance };
    }
    return made;
  }

  // --- What is known

  held(register: number): Held {
    return this.know.registers[register] ?? NOTHING;
  }

  set(register: number, held: Held): void {
    this.know.registers[register] = held;
  }

  /** The registers r0 … r9 that hold such a thing. */
  holding(wanted: (held: Held) => boolean): readonly number[] {
    return this.know.registers.flatMap((held, register) => (register < 10 && wanted(held) ? [register] : []));
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

  /** After a call r1 … r5 hold nothing, and r0 what it gave. */
  called(result: Held): void {
    for (let r = 1; r <= 5; r += 1) this.set(r, NOTHING);
    this.set(0, result);
  }

  /** The packet may have moved: no pointer to it is one any more. */
  packetMoved(): void {
    const gone = (held: Held): Held =>
      held.kind === "packet" || held.kind === "packet_end" ? NOTHING : held;
    this.know = { registers: this.know.registers.map(gone), slots: this.know.slots.map(gone) };
  }

  /** Nothing is known of how large numbers are: where a loop comes back. */
  forgetBounds(): void {
    const vague = (held: Held): Held => (held.kind === "number" ? NUMBER : held);
    this.know = { registers: this.know.registers.map(vague), slots: this.know.slots.map(vague) };
  }
}
