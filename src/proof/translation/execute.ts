/**
 * Executes WebAssembly code on terms: every path through it, with the condition under which it is taken, what it stores, and how it ends.
 *
 * Memory is bytes: what a load reads is made of variables, one for each byte, named by the address as it was computed and an offset. That is the memory before the code, so a load
 * must not read what was stored before it: what two addresses have in common is for the caller to say. The other way round nothing is assumed of addresses.
 */
import { all, concat, constant, extract, not, sext, variable, zext } from "../../semantics/term/build.ts";
import { evaluate } from "../../semantics/term/concrete.ts";
import { type Term, variablesOf } from "../../semantics/term/node.ts";
import type { DecodedFunction, WasmInstruction, WordType } from "./decode.ts";
import { accessOf, choose, isTrue, numeric } from "./numeric.ts";

/** A place in memory: an address of 32 bits, and what the instruction adds to it. */
export interface Place {
  readonly base: Term;
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

export interface StoredBytes extends Place {
  /** `8 * size` bits. */
  readonly value: Term;
}

export interface Path {
  /** Under which it is taken. */
  readonly condition: Term<1>;
  /** In order. */
  readonly stores: readonly StoredBytes[];
  /** What holds on it, or an instruction of it traps. */
  readonly safe: Term<1>;
  /** It comes back to the beginning of a loop, or ends with results. */
  readonly end: "again" | "results";
  /** The locals when it comes back; the results when it ends. */
  readonly values: readonly Term[];
}

export interface Start {
  /** The parameters; declared locals are 0. */
  readonly parameters: readonly Term[];
  /** Bytes that are known to be in memory. */
  readonly known?: (base: Term, offset: number) => number | undefined;
  /** Whether two places never have a byte in common. */
  readonly apart?: (a: Place, b: Place) => boolean;
}

const widthOf = (type: WordType): 32 | 64 => (type === "i32" ? 32 : 64);

/** What memory holds at an address before the code. */
const byteAt = (base: Term, offset: number): Term<8> => variable(`byte${base.id}_${offset}`, 8);

/** The number that `size` bytes are, little-endian. */
export function wordAt(base: Term, offset: number, size: number, byte = byteAt): Term {
  let word: Term = byte(base, offset);
  for (let i = 1; i < size; i += 1) word = concat(8 * i + 8, byte(base, offset + i), word);
  return word;
}

interface Label {
  /** Where a branch to it goes. */
  readonly target: number;
  readonly loop: boolean;
  /** Values that a branch to it takes along, and how many lie under them. */
  readonly results: number;
  readonly height: number;
}

interface State {
  at: number;
  /** It has ended already. */
  ended: Path["end"] | undefined;
  readonly locals: Term[];
  readonly stack: Term[];
  readonly labels: Label[];
  readonly conditions: Term<1>[];
  readonly safe: Term<1>[];
  readonly stores: StoredBytes[];
  /** Loops that have been entered. */
  readonly loops: Set<number>;
}

const copyOf = (state: State): State => ({
  at: state.at,
  ended: state.ended,
  locals: [...state.locals],
  stack: [...state.stack],
  labels: [...state.labels],
  conditions: [...state.conditions],
  safe: [...state.safe],
  stores: [...state.stores],
  loops: new Set(state.loops),
});

/** All paths through a function from its beginning. A path that comes back to a loop ends there. */
export function pathsOf({ locals, code }: DecodedFunction, start: Start): readonly Path[] {
  const first: State = {
    at: 0,
    ended: undefined,
    locals: [...start.parameters, ...locals.map((type) => constant(widthOf(type), 0))],
    stack: [],
    labels: [],
    conditions: [],
    safe: [],
    stores: [],
    loops: new Set(),
  };
  const waiting = [first];
  const paths: Path[] = [];
  const finish = (state: State, end: Path["end"], values: readonly Term[]): void => {
    const { conditions, safe, stores } = state;
    paths.push({ condition: all(...conditions), safe: all(...safe), stores, end, values });
  };
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    const run = new Walk(state, code, start);
    const ended = run.toFork();
    if (ended === "fork") waiting.push(...run.forks);
    else finish(state, ended, ended === "again" ? state.locals : state.stack);
  }
  return paths;
}

class Walk {
  readonly #state: State;
  readonly #code: readonly WasmInstruction[];
  readonly #start: Start;
  readonly forks: State[] = [];

  constructor(state: State, code: readonly WasmInstruction[], start: Start) {
    this.#state = state;
    this.#code = code;
    this.#start = start;
  }

  /** Goes on until the path forks or ends. */
  toFork(): Path["end"] | "fork" {
    const state = this.#state;
    if (state.ended !== undefined) return state.ended;
    for (;;) {
      const instruction = this.#code[state.at];
      if (instruction === undefined) return "results";
      state.at += 1;
      const ended = this.#step(instruction);
      if (ended !== undefined) return ended;
    }
  }

  #pop(): Term {
    const value = this.#state.stack.pop();
    if (value === undefined) throw new Error("an instruction finds nothing on the stack");
    return value;
  }

  #local(index: number): Term {
    const value = this.#state.locals[index];
    if (value === undefined) throw new Error(`there is no local ${index}`);
    return value;
  }

  #step(instruction: WasmInstruction): Path["end"] | "fork" | undefined {
    const { stack, locals, safe, labels } = this.#state;
    switch (instruction.kind) {
      case "get":
        stack.push(this.#local(instruction.local));
        return undefined;
      case "set":
        locals[instruction.local] = this.#pop();
        return undefined;
      case "tee":
        locals[instruction.local] = stack.at(-1) ?? this.#pop();
        return undefined;
      case "constant":
        stack.push(constant(widthOf(instruction.type), instruction.value));
        return undefined;
      case "numeric": {
        const must = numeric(instruction.opcode, stack);
        if (must !== undefined) safe.push(must);
        return undefined;
      }
      case "select": {
        const condition = this.#pop();
        const b = this.#pop();
        stack.push(choose(condition, this.#pop(), b));
        return undefined;
      }
      case "drop":
        this.#pop();
        return undefined;
      case "load":
        this.#load(instruction.opcode, instruction.offset);
        return undefined;
      case "store":
        this.#store(instruction.opcode, instruction.offset);
        return undefined;
      case "block":
      case "loop":
      case "if":
        return this.#enter(instruction);
      case "else": {
        // The end of the first branch: on behind the second.
        const label = labels.at(-1);
        if (label === undefined) throw new Error("an else without an if");
        this.#state.at = label.target;
        labels.pop();
        return undefined;
      }
      case "end":
        labels.pop();
        return undefined;
      case "br":
        return this.#branch(instruction.depth);
      case "br_if":
        return this.#fork(this.#pop(), (taken) => taken.#branch(instruction.depth));
      case "br_table": {
        const index = this.#pop();
        if (variablesOf([index]).length > 0) throw new Error("a table's index is not known");
        const depth = instruction.depths[Number(evaluate(index, new Map()))];
        return this.#branch(depth ?? instruction.otherwise);
      }
      default:
        throw new Error(`${instruction.kind} is not one of the instructions that are read`);
    }
  }

  #enter(instruction: WasmInstruction & { readonly kind: "block" | "loop" | "if" }): "fork" | undefined {
    const { at, stack, labels, loops } = this.#state;
    const { kind, result, end } = instruction;
    const condition = kind === "if" ? this.#pop() : undefined;
    const results = kind === "loop" || result === undefined ? 0 : 1;
    labels.push({
      target: kind === "loop" ? at : end + 1,
      loop: kind === "loop",
      results,
      height: stack.length,
    });
    if (kind === "loop") loops.add(at);
    if (condition === undefined) return undefined;
    const otherwise = this.#elseOf(at, end);
    const other = copyOf(this.#state);
    this.#state.conditions.push(isTrue(condition));
    other.conditions.push(not(isTrue(condition)));
    other.at = otherwise;
    this.forks.push(this.#state, other);
    return "fork";
  }

  /** Where the second branch of an `if` begins whose first begins at `at`. */
  #elseOf(at: number, end: number): number {
    let depth = 0;
    for (let i = at; i < end; i += 1) {
      const kind = this.#code[i]?.kind;
      if (kind === "block" || kind === "loop" || kind === "if") depth += 1;
      else if (kind === "end") depth -= 1;
      else if (kind === "else" && depth === 0) return i + 1;
    }
    return end;
  }

  #fork(condition: Term, taken: (walk: Walk) => Path["end"] | undefined): "fork" {
    const other = copyOf(this.#state);
    this.#state.conditions.push(not(isTrue(condition)));
    other.conditions.push(isTrue(condition));
    const walk = new Walk(other, this.#code, this.#start);
    other.ended = taken(walk);
    this.forks.push(this.#state, other);
    return "fork";
  }

  /** Goes to the label at a depth; says so if that ends the path. */
  #branch(depth: number): Path["end"] | undefined {
    const { stack, labels, loops } = this.#state;
    if (depth === labels.length) {
      this.#state.at = this.#code.length;
      return "results";
    }
    const label = labels[labels.length - 1 - depth];
    if (label === undefined) throw new Error(`there is no block at depth ${depth}`);
    const taken = stack.splice(stack.length - label.results);
    stack.length = label.height;
    stack.push(...taken);
    labels.length -= label.loop ? depth : depth + 1;
    this.#state.at = label.target;
    return label.loop && loops.has(label.target) ? "again" : undefined;
  }

  // --- Memory

  #place(size: number, offset: number): Place {
    return { base: this.#pop(), offset, size };
  }

  #load(opcode: number, offset: number): void {
    const { width, size, signed } = accessOf(opcode);
    const place = this.#place(size, offset);
    const { apart = () => false, known = () => undefined } = this.#start;
    if (!this.#state.stores.every((stored) => apart(stored, place)))
      throw new Error("a load may read what was stored before it");
    const value = wordAt(place.base, offset, size, (base, at) => {
      const byte = known(base, at);
      return byte === undefined ? byteAt(base, at) : constant(8, byte);
    });
    this.#state.stack.push(signed ? sext(width, value) : zext(width, value));
  }

  #store(opcode: number, offset: number): void {
    const { size } = accessOf(opcode);
    const value = this.#pop();
    const place = this.#place(size, offset);
    this.#state.stores.push({ ...place, value: extract(8 * size, value) });
  }
}
