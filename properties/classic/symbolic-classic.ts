/** What a classic filter returns for every packet, as one term. */

import type { ClassicUse } from "../../src/semantics/classic/check.ts";
import { type Extension, extensionOf } from "../../src/semantics/classic/extensions.ts";
import { type Filter, type Operation, SCRATCH_WORDS } from "../../src/semantics/classic/instruction.ts";
import { SECCOMP_DATA_SIZE, SECCOMP_LOAD } from "../../src/semantics/classic/seccomp.ts";
import { classicRow } from "../../src/semantics/classic/table.ts";
import { A, FIELD, K, LENGTH, LOADED, WORD, X } from "../../src/semantics/classic/variables.ts";
import { constant, eq, FALSE, ne } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { substitution } from "../../src/semantics/term/substitute.ts";
import { fact, given, type SymbolicPacket, seccompWord } from "./symbolic-packet.ts";
import { execute, type Paths, type State, ways } from "./symbolic-paths.ts";

/** Positions in a state: A, X, then the scratch words. */
const [AT_A, AT_X, AT_SCRATCH] = [0, 1, 2] as const;
const ZERO = constant(32, 0);

const changed = (state: State, at: number, value: Term): State =>
  state.map((old, index) => (index === at ? value : old));

class Execution {
  readonly #filter: Filter;
  readonly #use: ClassicUse;
  readonly #packet: SymbolicPacket;
  readonly #asked = { cpu: 0, random: 0 };

  constructor(filter: Filter, use: ClassicUse, packet: SymbolicPacket) {
    this.#filter = filter;
    this.#use = use;
    this.#packet = packet;
  }

  run(): Term<32> {
    const start: State = [ZERO, ZERO, ...Array.from({ length: SCRATCH_WORDS }, () => undefined)];
    return execute(this.#filter.length, start, (pc, state, paths) => this.#step(pc, state, paths));
  }

  #step(pc: number, state: State, paths: Paths): void {
    const insn = this.#filter[pc];
    const row = insn === undefined ? undefined : classicRow(insn.code);
    if (insn === undefined || row === undefined) throw new Error(`no instruction at ${pc}`);
    const length = this.#use === "seccomp" ? constant(32, SECCOMP_DATA_SIZE) : this.#packet.length;
    const known = new Map<Term, Term>([
      [K, constant(32, insn.k)],
      [LENGTH, length],
    ]);
    const set = (variable: Term, value: Term | undefined): void => {
      if (value !== undefined) known.set(variable, value);
    };
    set(A, state[AT_A]);
    set(X, state[AT_X]);
    if (row.k === "scratch") set(WORD, state[AT_SCRATCH + insn.k]);
    const extension = this.#use === "socket" ? extensionOf(insn) : undefined;
    if (extension !== undefined) this.#extension(extension, pc, state, known, paths);
    else if (this.#use === "seccomp" && row.operation.kind === "packet") {
      known.set(LOADED[4], seccompWord(insn.k));
      this.#operation(SECCOMP_LOAD, pc, state, known, paths);
    } else this.#operation(row.operation, pc, state, known, paths);
  }

  #extension(
    { name, result }: Extension,
    pc: number,
    state: State,
    known: Map<Term, Term>,
    paths: Paths,
  ): void {
    const next = pc + 1;
    switch (name) {
      case "alu_xor_x":
        break;
      case "cpu":
      case "random":
        known.set(FIELD, given(name, this.#asked[name]++));
        break;
      case "ifindex": {
        const device = fact(name);
        paths.end(substitution(known)(A), eq(device, ZERO));
        paths.go(next, changed(state, AT_A, device), ne(device, ZERO));
        return;
      }
      case "nlattr":
      case "nlattr_nest":
      case "hatype":
      case "pay_offset":
        throw new Error(`${name} has no term`);
      default:
        known.set(FIELD, fact(name));
    }
    paths.go(next, changed(state, AT_A, substitution(known)(result)));
  }

  #operation(operation: Operation, pc: number, state: State, known: Map<Term, Term>, paths: Paths): void {
    const insn = this.#filter[pc];
    if (insn === undefined) throw new Error(`no instruction at ${pc}`);
    const value = substitution(known);
    const next = pc + 1;
    switch (operation.kind) {
      case "set": {
        const [ends, goesOn] = ways(operation.ends === undefined ? FALSE : value(operation.ends));
        if (operation.ends !== undefined) paths.end(ZERO, ends);
        const to = operation.to === "a" ? AT_A : AT_X;
        const made = changed(state, to, value(operation.result));
        if (operation.ends === undefined) paths.go(next, made);
        else paths.go(next, made, goesOn);
        return;
      }
      case "packet": {
        const { size } = operation;
        const address = value(operation.address);
        const loaded = this.#packet.load(address, size);
        known.set(LOADED[size], loaded.value);
        const [present, absent] = ways(loaded.present);
        paths.end(ZERO, absent);
        const to = operation.to === "a" ? AT_A : AT_X;
        paths.go(next, changed(state, to, substitution(known)(operation.result)), present);
        return;
      }
      case "store":
        paths.go(next, changed(state, AT_SCRATCH + insn.k, value(operation.stored)));
        return;
      case "jump": {
        const [taken, other] = ways(value(operation.taken));
        paths.go(next + insn.jt, state, taken);
        paths.go(next + insn.jf, state, other);
        return;
      }
      case "goto":
        paths.go(next + insn.k, state);
        return;
      case "return":
        paths.end(value(operation.result));
        return;
      default:
        operation satisfies never;
    }
  }
}

/** The result of a filter that the checker has passed; of seccomp's, for every `struct seccomp_data`. */
export const classicResult = (filter: Filter, use: ClassicUse, packet: SymbolicPacket): Term<32> =>
  new Execution(filter, use, packet).run();
