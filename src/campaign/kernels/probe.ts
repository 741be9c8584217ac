/**
 * Probes: programs for the verifiers of kernels. Numbers come out of a packet, are bounded, computed with, copied, spilled and compared, on ways that part and
 * meet again; then memory is accessed at a place that one of them says. What the generator knows of a number is a bound that surely holds, so that most
 * programs are safe, and a kernel that accepts one whose run faults has lost something on the way.
 */
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { insn, layOut } from "../../semantics/isa/make.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { LoadFlag, ProgramType } from "../../semantics/program/program-types.ts";
import { generator, type Random } from "../random.ts";

/** Bytes of the packet that probes look at. */
export const CELLS = 64;
/** Bytes of a packet that a probe is run on. */
export const PACKET_BYTES = 80;
/** Bytes of the map's value. */
export const VALUE = 64;

export const PROBE_MAPS: readonly MapDefinition[] = [
  { name: "values", type: "array", keySize: 4, valueSize: VALUE, maxEntries: 1, flags: 0 },
];

/** A program that was written down and read again, as a probe: what is known of the map's value is known of this list of maps. */
export function asProbe(program: Program): Program {
  const isSame = JSON.stringify(program.maps) === JSON.stringify(PROBE_MAPS);
  return isSame ? { ...program, maps: PROBE_MAPS } : program;
}

/** Registers with a meaning: the packet, the map's value, the frame. The packet's end and the context are on the stack. */
export const PACKET = 6;
export const MEMORY = 9;
export const FRAME = 10;
/** Where the context and the packet's end are kept, and numbers. */
export const SAVED = { context: -8, end: -16 } as const;
export const SLOTS: readonly number[] = [-24, -32, -40, -48];
/** Where those begin, and their bytes. */
export const STACK = { start: -48, bytes: 32 } as const;
/** In a function: its argument that points to them. */
export const CALLERS_STACK = 9;
/** Registers of numbers, and those of them that calls leave alone. */
const NUMBERS: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8];
const KEPT: readonly number[] = [7, 8];

/** What is known of a number: at most so much without sign; `undefined` if nothing. What is no number is not in the map. */
export type Known = Map<number, number | undefined>;

interface Jump {
  readonly at: number;
  readonly label: number;
}

/** A program in the making. */
export class Draft {
  readonly random: Random;
  readonly type: ProgramType;
  /** Newer kernels know more instructions. */
  readonly version: number;
  readonly code: Instruction[] = [];
  readonly #jumps: Jump[] = [];
  readonly #labels: (number | undefined)[] = [];
  /** By register, and by offset of slots on the stack. */
  known: Known = new Map();
  /** Registers that must stay as they are. */
  readonly reserved = new Set<number>();
  /** Where the function goes that gives up. */
  out = this.label();
  /** A function of two numbers and a pointer to the stack, if there is one. */
  callee: number | undefined;

  constructor(random: Random, type: ProgramType, version: number) {
    this.random = random;
    this.type = type;
    this.version = version;
  }

  pick<T>(from: readonly [T, ...T[]] | readonly T[], otherwise: T): T {
    return from[this.random.below(from.length)] ?? otherwise;
  }

  /** One time in so many. */
  once(many: number): boolean {
    return this.random.below(many) === 0;
  }

  emit(name: string, operands: Partial<Omit<Instruction, "row">> = {}): void {
    this.code.push(insn(name, operands));
  }

  label(): number {
    return this.#labels.push(undefined) - 1;
  }

  place(label: number): void {
    this.#labels[label] = this.code.length;
  }

  jump(name: string, label: number, operands: Partial<Omit<Instruction, "row">> = {}): void {
    this.#jumps.push({ at: this.code.length, label });
    this.emit(name, operands);
  }

  isUsed(label: number): boolean {
    return this.#jumps.some((jump) => jump.label === label);
  }

  /** A register with a number; r0 if there is none, which is one then. */
  number(): number {
    const found = NUMBERS.filter((register) => this.known.has(register));
    const register = found[this.random.below(found.length)];
    if (register !== undefined) return register;
    const made = this.target();
    this.emit("mov64_imm", { dst: made, imm: this.random.below(8) });
    this.known.set(made, 7);
    return made;
  }

  /** A register that may be changed. */
  target(): number {
    const free = NUMBERS.filter((register) => !this.reserved.has(register));
    return this.pick(free, 0);
  }

  /** A number that may be changed. */
  changeable(): number {
    const found = NUMBERS.filter((register) => this.known.has(register) && !this.reserved.has(register));
    const register = found[this.random.below(found.length)];
    if (register !== undefined) return register;
    const made = this.target();
    this.emit("mov64_imm", { dst: made, imm: this.random.below(64) });
    this.known.set(made, 63);
    return made;
  }

  /** A register for a moment, which is none of the given ones. */
  scratch(...not: readonly number[]): number {
    const free = NUMBERS.filter((register) => !this.reserved.has(register) && !not.includes(register));
    return this.pick(free, 0);
  }

  /** A call: registers that it does not keep are no numbers any more. */
  called(): void {
    for (const register of NUMBERS) if (!KEPT.includes(register)) this.known.delete(register);
  }

  /** What is known where two ways meet. */
  join(other: Known): void {
    const both: Known = new Map();
    for (const [place, most] of this.known) {
      if (!other.has(place)) continue;
      const theirs = other.get(place);
      both.set(place, most === undefined || theirs === undefined ? undefined : Math.max(most, theirs));
    }
    this.known = both;
  }

  finish(): readonly Instruction[] {
    const starts: number[] = [];
    let slot = 0;
    for (const { row } of this.code) {
      starts.push(slot);
      slot += row.name.startsWith("ld_imm64") ? 2 : 1;
    }
    starts.push(slot);
    const made = [...this.code];
    for (const { at, label } of this.#jumps) {
      const [instruction, to] = [made[at], this.#labels[label]];
      if (instruction === undefined || to === undefined) throw new Error("a jump goes nowhere");
      const distance = (starts[to] ?? 0) - (starts[at] ?? 0) - 1;
      const field = instruction.row.name === "call_subprogram" ? "imm" : "off";
      made[at] = { ...instruction, [field]: distance };
    }
    return made;
  }
}

/** Writes one step. */
export type Step = (draft: Draft) => void;

/** The program's start: the packet is there, the map's value at hand, slots of the stack hold numbers. */
function begin(draft: Draft): void {
  draft.emit("stxdw", { dst: FRAME, src: 1, off: SAVED.context });
  const [data, end] = draft.type === "xdp" ? [0, 4] : [76, 80];
  draft.emit("ldxw", { dst: PACKET, src: 1, off: data });
  draft.emit("ldxw", { dst: 2, src: 1, off: end });
  draft.emit("stxdw", { dst: FRAME, src: 2, off: SAVED.end });
  draft.emit("mov64_reg", { dst: 3, src: PACKET });
  draft.emit("add64_imm", { dst: 3, imm: CELLS });
  draft.jump("jgt64_reg", draft.out, { dst: 3, src: 2 });
  draft.emit("ld_imm64_map_value", { dst: MEMORY, imm: 0, immHigh: 0 });
  for (const off of SLOTS) {
    const imm = draft.pick([0, 0, 1, 7, -1], 0);
    draft.emit("stdw", { dst: FRAME, off, imm });
    draft.known.set(off, imm < 0 ? undefined : imm);
  }
}

/** The function: it begins with two numbers, a stack without any, and a pointer to its caller's. */
function writeCallee(draft: Draft, steps: readonly Step[]): void {
  draft.known = new Map([
    [1, undefined],
    [2, undefined],
  ]);
  draft.reserved.clear();
  draft.out = draft.label();
  draft.emit("mov64_reg", { dst: CALLERS_STACK, src: 3 });
  for (let i = draft.random.below(5); i >= 0; i -= 1) draft.pick(steps, () => undefined)(draft);
  draft.emit("mov64_reg", { dst: 0, src: draft.number() });
  draft.emit("exit");
  if (!draft.isUsed(draft.out)) return;
  draft.place(draft.out);
  draft.emit("mov64_imm", { dst: 0, imm: 0 });
  draft.emit("exit");
}

export interface ProbeOptions {
  /** Steps of the main program, by kind; each kind as often as it is wanted. */
  readonly steps: readonly Step[];
  /** Steps of the function that the main program may call: on numbers and its caller's stack. */
  readonly calleeSteps: readonly Step[];
  /** Of the kernel: 601 is 6.1. */
  readonly version: number;
}

const SHORTEST = 3;
const LONGEST = 15;

/** The probe of a seed. Equal seeds and options give equal programs. */
export function probe(seed: number, { steps, calleeSteps, version }: ProbeOptions): Program {
  const random = generator(seed);
  // Neighbouring seeds begin alike.
  for (let i = 0; i < 8; i += 1) random.below(2);
  const type: ProgramType = random.below(3) === 0 ? "sched_cls" : "xdp";
  const draft = new Draft(random, type, version);
  if (draft.once(3)) draft.callee = draft.label();
  begin(draft);
  const length = SHORTEST + random.below(LONGEST - SHORTEST);
  for (let i = 0; i < length; i += 1) draft.pick(steps, () => undefined)(draft);
  draft.emit("mov64_imm", { dst: 0, imm: 2 });
  draft.emit("exit");
  draft.place(draft.out);
  draft.emit("mov64_imm", { dst: 0, imm: 1 });
  draft.emit("exit");
  if (draft.callee !== undefined && draft.isUsed(draft.callee)) {
    draft.place(draft.callee);
    writeCallee(draft, calleeSteps);
  }
  const flags: readonly LoadFlag[] = draft.once(4) ? ["test_state_freq"] : [];
  return {
    name: `probe ${seed}`,
    type,
    license: "GPL",
    flags,
    insns: layOut(draft.finish()),
    maps: PROBE_MAPS,
    lines: [],
    functions: [],
  };
}
