/**
 * One path of a program as conditions on what a run is given: which way each jump goes, by the terms of the instruction table. The path is executed on abstract states beside it, which say where a helper or a
 * load gives a pointer, and of what; no bound that our verifier knows is used.
 */
import {
  FLAG,
  hasFlag,
  isPointer,
  KIND,
  kindOf,
  mayBeNull,
  objectOf,
  offOf,
  smallConstant,
} from "../../absint/register.ts";
import { frameCount, registerAt } from "../../absint/state.ts";
import type { Machine } from "../../absint/transfer/machine.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { DST, LOADED, SRC } from "../../semantics/isa/row.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { add, extract, not, sub, ule } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { substitution } from "../../semantics/term/substitute.ts";
import { accessOf } from "../../verifier/explain/places.ts";
import { replay } from "../../verifier/explain/replay.ts";
import {
  addressOf,
  constantOf,
  number,
  type Pointer,
  type Region,
  Stack,
  UNKNOWN,
  type Value,
  Variables,
  word,
} from "./value.ts";

const STACK_POINTER = 10;
/** Bytes of a packet at most. */
const LONGEST_PACKET = 1 << 20;
/** Instructions of a path at most: longer ones make questions that no solver answers in time. */
const LONGEST_PATH = 2000;
/** Helpers that only read what they are pointed to: bpf_map_lookup_elem, bpf_map_update_elem, bpf_map_delete_elem. */
const ONLY_READ = new Set([1, 2, 3]);

/** The access that a path ends with. */
export interface LastAccess {
  readonly pointer: Pointer;
  /** The pointer's offset with the instruction's. */
  readonly at: Term<64>;
  readonly size: number;
}

export interface PathTerms {
  /** What holds of every run that goes this path. */
  readonly conditions: readonly Term<1>[];
  /** What is refused, if that is an access through a pointer that was followed. */
  readonly access: LastAccess | undefined;
}

interface Frame {
  readonly registers: Value[];
  readonly stack: Stack;
  readonly region: Region;
}

/** The path of a rejection; a reason if it cannot be followed. */
export function termsOf(program: Program, path: readonly number[], rules: Rules): PathTerms | string {
  if (path.length === 0) return "no instruction is refused";
  if (path.length > LONGEST_PATH) return "the path is long";
  const walk = new PathWalk(program);
  let access: LastAccess | undefined;
  const replayed = replay(
    program,
    path,
    {
      before: (m, index) => {
        walk.begin(m);
        if (index === path.length - 1) access = walk.access(m.pc);
      },
      after: (m, index) => walk.step(m, path[index] ?? 0, path[index + 1]),
    },
    rules,
  );
  if (replayed === undefined) return "the path does not come again";
  if (replayed.message === undefined) return "it is not the last instruction that is refused";
  return { conditions: [...walk.variables.conditions(), ...walk.conditions], access };
}

class PathWalk {
  readonly variables = new Variables();
  readonly conditions: Term<1>[] = [];
  readonly #program: Program;
  readonly #frames: Frame[] = [];
  readonly #stacks = new Map<Region, Stack>();
  #packet: { readonly region: Region; readonly length: Term<64> } | undefined;
  /** Whether the call that comes may change a stack. */
  #writes = false;

  constructor(program: Program) {
    this.#program = program;
  }

  /** Before an instruction: frames and what is known of registers at first, and what a call is given. */
  begin(m: Machine): void {
    if (this.#frames.length === 0) this.#enter(m);
    const insn = this.#program.insns[m.pc];
    const frame = frameCount(m.state) - 1;
    this.#writes = false;
    if (insn?.row.operation.kind !== "call") return;
    if (insn.row.name === "call_helper" && ONLY_READ.has(insn.imm)) return;
    for (let register = 1; register <= 5; register += 1) {
      const kind = kindOf(registerAt(m.state, frame, register));
      if (isPointer(kind)) this.#writes = true;
    }
  }

  #enter(m: Machine): void {
    const region = this.variables.region("stack");
    const stack = new Stack();
    this.#stacks.set(region, stack);
    const registers = Array.from({ length: STACK_POINTER + 1 }, (): Value => UNKNOWN);
    registers[STACK_POINTER] = { kind: "pointer", region, offset: word(0) };
    this.#frames.push({ registers, stack, region });
    this.#agree(m);
  }

  get #frame(): Frame {
    const frame = this.#frames.at(-1);
    if (frame === undefined) throw new Error("a path begins in a frame");
    return frame;
  }

  /** The access that an instruction makes through a pointer that was followed. */
  access(pc: number): LastAccess | undefined {
    const insn = this.#program.insns[pc];
    const access = insn === undefined ? undefined : accessOf(insn);
    if (insn === undefined || access === undefined) return undefined;
    const pointer = this.#frame.registers[access.base];
    if (pointer?.kind !== "pointer") return undefined;
    return { pointer, at: add(pointer.offset, word(insn.off)), size: access.size };
  }

  /** After an instruction that was executed: the abstract state is the one behind it. */
  step(m: Machine, pc: number, next: number | undefined): void {
    const insn = this.#program.insns[pc];
    if (insn === undefined) throw new Error(`insn ${pc} is none`);
    const [depth, before] = [frameCount(m.state), this.#frames.length];
    if (depth > before) return this.#call(m, insn);
    if (depth < before) {
      const result = this.#frame.registers[0] ?? UNKNOWN;
      this.#frames.length = depth;
      const { registers } = this.#frame;
      for (let register = 0; register <= 5; register += 1) registers[register] = UNKNOWN;
      registers[0] = result;
      return this.#agree(m);
    }
    this.#execute(insn, pc, next);
    this.#agree(m);
  }

  #call(m: Machine, insn: Instruction): void {
    const { registers } = this.#frame;
    const given = registers.slice(1, 6);
    const isOwn = insn.row.name === "call_subprogram";
    if (!isOwn) this.#forgetStacks();
    this.#enter(m);
    if (!isOwn) return;
    for (const [index, value] of given.entries()) this.#frame.registers[index + 1] = value;
    this.#agree(m);
  }

  #forgetStacks(): void {
    for (const stack of this.#stacks.values()) stack.forget();
  }

  #set(register: number, value: Value): void {
    this.#frame.registers[register] = value;
  }

  #operand(insn: Instruction, operand: "imm" | "reg" | "none"): Value {
    if (operand === "imm") return number(word(insn.imm));
    return operand === "none" ? number(word(0)) : (this.#frame.registers[insn.src] ?? UNKNOWN);
  }

  #execute(insn: Instruction, pc: number, next: number | undefined): void {
    const { operation } = insn.row;
    const { registers } = this.#frame;
    const old = registers[insn.dst] ?? UNKNOWN;
    switch (operation.kind) {
      case "alu": {
        const source = this.#operand(insn, operation.operand);
        this.#set(insn.dst, this.#calculate(insn, old, source));
        return;
      }
      case "jump": {
        const [a, b] = [addressOf(old), addressOf(this.#operand(insn, operation.operand))];
        // Where both ways lead to one place, the path does not say which was gone.
        if (a === undefined || b === undefined || insn.off === 0) return;
        const taken = substitution(new Map<Term, Term>([[DST, a] as const, [SRC, b] as const]))(
          operation.taken,
        );
        this.conditions.push(next === pc + 1 + insn.off ? taken : not(taken));
        return;
      }
      case "load":
      case "load_acquire": {
        const loaded = this.#load(registers[insn.src] ?? UNKNOWN, insn.off, operation.size);
        if (loaded?.kind !== "number") return this.#set(insn.dst, loaded ?? UNKNOWN);
        const bytes: Term = extract(8 * operation.size, loaded.term);
        const result = substitution(new Map<Term, Term>([[LOADED[operation.size], bytes]]))(operation.result);
        return this.#set(insn.dst, number(result));
      }
      case "store":
      case "store_release": {
        const operand = operation.kind === "store" ? operation.operand : "reg";
        return this.#store(old, insn.off, operation.size, this.#operand(insn, operand));
      }
      case "atomic":
        this.#store(old, insn.off, operation.size, UNKNOWN);
        if (operation.source !== undefined) this.#set(insn.src, UNKNOWN);
        if (operation.r0 !== undefined) this.#set(0, UNKNOWN);
        return;
      case "ld_imm64":
        return this.#set(
          insn.dst,
          operation.load === "const"
            ? number(word((BigInt(insn.immHigh) << 32n) | BigInt(insn.imm >>> 0)))
            : UNKNOWN,
        );
      case "call":
        if (this.#writes) this.#forgetStacks();
        // What it has done to the packet is not followed: pointers that come after it are into another one.
        if (insn.row.name !== "call_helper" || !ONLY_READ.has(insn.imm)) this.#packet = undefined;
        for (let register = 0; register <= 5; register += 1) this.#set(register, UNKNOWN);
        return;
      case "packet":
        for (let register = 0; register <= 5; register += 1) this.#set(register, UNKNOWN);
        return;
      case "addr_space_cast":
        return this.#set(insn.dst, UNKNOWN);
      case "goto":
      case "may_goto":
      case "exit":
        return;
    }
  }

  #calculate(insn: Instruction, old: Value, source: Value): Value {
    const { operation } = insn.row;
    if (operation.kind !== "alu") return UNKNOWN;
    const { op, width, result } = operation;
    if (op === "mov" && width === 64) return source;
    if (width === 64 && (op === "add" || op === "sub")) {
      if (old.kind === "pointer" && source.kind === "number" && old.missing === undefined) {
        return { ...old, offset: (op === "add" ? add : sub)(old.offset, source.term) };
      }
      if (op === "add" && old.kind === "number" && source.kind === "pointer" && source.missing === undefined)
        return { ...source, offset: add(source.offset, old.term) };
    }
    const [a, b] = [op === "mov" ? word(0) : addressOf(old), addressOf(source)];
    if (a === undefined || b === undefined) return UNKNOWN;
    return number(substitution(new Map<Term, Term>([[DST, a] as const, [SRC, b] as const]))(result));
  }

  /** The stack and the place in it that a pointer points to, if both are known. */
  #placeOf(pointer: Value, off: number): { readonly stack: Stack; readonly at: number } | undefined {
    if (pointer.kind !== "pointer") return undefined;
    const stack = this.#stacks.get(pointer.region);
    const at = constantOf(pointer.offset);
    return stack === undefined || at === undefined ? undefined : { stack, at: Number(at) + off };
  }

  #load(pointer: Value, off: number, size: number): Value | undefined {
    const place = this.#placeOf(pointer, off);
    return place?.stack.load(place.at, size);
  }

  #store(pointer: Value, off: number, size: number, value: Value): void {
    const place = this.#placeOf(pointer, off);
    if (place !== undefined) return place.stack.store(place.at, size, value);
    // It may be a stack, at any place.
    if (pointer.kind !== "pointer" || pointer.region.kind === "stack" || pointer.region.kind === "other")
      this.#forgetStacks();
  }

  /** Where the abstract state has a number or a pointer that was not followed, there is one that may be anything of the kind. */
  #agree(m: Machine): void {
    const frame = frameCount(m.state) - 1;
    const { registers } = this.#frame;
    for (let register = 0; register < STACK_POINTER; register += 1) {
      const at = registerAt(m.state, frame, register);
      const kind = kindOf(at);
      const value = registers[register] ?? UNKNOWN;
      if (kind === KIND.none) registers[register] = UNKNOWN;
      else if (kind === KIND.scalar && value.kind !== "number")
        registers[register] = number(this.variables.fresh(64, "number"));
      else if (isPointer(kind) && value.kind !== "pointer") registers[register] = this.#pointerAt(m, at);
    }
  }

  /** A pointer that the abstract state has: only one to a place that is known. */
  #pointerAt(m: Machine, at: number): Value {
    const kind = kindOf(at);
    const variable = smallConstant(at);
    if (variable === undefined) return UNKNOWN;
    const offset = word(offOf(at) + variable);
    const missing = mayBeNull(kind) ? { missing: this.variables.fresh(1, "null") } : {};
    const of = (size: number): Value => ({
      kind: "pointer",
      region: this.variables.region("memory", word(size)),
      offset,
      ...missing,
    });
    const plain = kind & ~(FLAG.orNull | FLAG.ringbuf | FLAG.readOnly);
    if (hasFlag(kind, FLAG.perCpu)) return UNKNOWN;
    switch (plain) {
      case KIND.mapValue:
        return of(m.maps[objectOf(at)]?.valueSize ?? 0);
      case KIND.memory:
        return of(objectOf(at));
      case KIND.packet:
        return { kind: "pointer", region: this.#packetHere().region, offset };
      case KIND.packetEnd:
        return { kind: "pointer", region: this.#packetHere().region, offset: this.#packetHere().length };
      default:
        return UNKNOWN;
    }
  }

  #packetHere(): { readonly region: Region; readonly length: Term<64> } {
    if (this.#packet === undefined) {
      const length = this.variables.fresh(64, "packet's length");
      this.variables.assumed.push(ule(length, word(LONGEST_PACKET)));
      this.#packet = { region: this.variables.region("packet", length), length };
    }
    return this.#packet;
  }
}
