/** What an eBPF program without loops returns for every packet, as one term: as much of eBPF as conversions of classic filters use. */
import type { Instruction } from "../../src/semantics/isa/instruction.ts";
import { DST, LOADED, SRC } from "../../src/semantics/isa/row.ts";
import type { Slots } from "../../src/semantics/program/program.ts";
import { add, constant, extract, sext, variable, zext } from "../../src/semantics/term/build.ts";
import type { Term } from "../../src/semantics/term/node.ts";
import { substitution } from "../../src/semantics/term/substitute.ts";
import { type Fact, given, type SymbolicPacket, seccompWord, skbField } from "./symbolic-packet.ts";
import { execute, type Paths, type State, ways } from "./symbolic-paths.ts";

/** The context: a pointer that is copied and loaded through, and no more. */
const CONTEXT = variable("context", 64);
const FRAME_POINTER = 10;
const REGISTERS = 11;
/** In a state, the words of the stack follow the registers, the deepest first. */
const STACK_WORDS = 16;

/** `struct __sk_buff` by offset (linux/bpf.h). */
const SKB: ReadonlyMap<number, Fact> = new Map([
  [4, "pkttype"],
  [8, "mark"],
  [12, "queue"],
  [16, "protocol"],
  [20, "vlan_tag_present"],
  [24, "vlan_tag"],
  [28, "vlan_tpid"],
  [40, "ifindex"],
  [68, "rxhash"],
]);
const SKB_LEN = 0;
/** Helpers by number. */
const GET_PRANDOM_U32 = 7;
const GET_SMP_PROCESSOR_ID = 8;

function changed(state: State, changes: Readonly<Record<number, Term | undefined>>): State {
  return state.map((old, index) => (Object.hasOwn(changes, index) ? changes[index] : old));
}

function stackAt(offset: number): number {
  const word = STACK_WORDS + offset / 4;
  if (!Number.isInteger(word) || word < 0 || word >= STACK_WORDS) throw new Error(`the stack at ${offset}`);
  return REGISTERS + word;
}

/** Registers that a call or a legacy load takes away. */
const CLOBBERED: Readonly<Record<number, undefined>> = {
  1: undefined,
  2: undefined,
  3: undefined,
  4: undefined,
  5: undefined,
};

class Execution {
  readonly #insns: Slots;
  readonly #packet: SymbolicPacket;
  readonly #asked = { cpu: 0, random: 0 };
  readonly #seccomp: boolean;

  constructor(insns: Slots, packet: SymbolicPacket, seccomp: boolean) {
    this.#insns = insns;
    this.#packet = packet;
    this.#seccomp = seccomp;
  }

  run(): Term<32> {
    const start: State = Array.from({ length: REGISTERS + STACK_WORDS }, (_, index) =>
      index === 1 ? CONTEXT : undefined,
    );
    return execute(this.#insns.length, start, (pc, state, paths) => this.#step(pc, state, paths));
  }

  #step(pc: number, state: State, paths: Paths): void {
    const insn = this.#insns[pc];
    if (insn === undefined) throw new Error(`no instruction at ${pc}`);
    const { dst, src, off, imm } = insn;
    const { operation } = insn.row;
    const next = pc + 1;
    const register = (index: number): Term => {
      const found = state[index];
      if (found === undefined) throw new Error(`insn ${pc}: r${index} is not set`);
      return found;
    };
    const operand = (kind: "imm" | "reg" | "none"): Term =>
      kind === "reg" ? register(src) : sext(64, constant(32, imm));
    switch (operation.kind) {
      case "alu": {
        const reads = operation.op !== "mov";
        const known = new Map<Term, Term>([[SRC, operand(operation.operand)]]);
        if (reads) known.set(DST, register(dst));
        paths.go(next, changed(state, { [dst]: substitution(known)(operation.result) }));
        return;
      }
      case "jump": {
        const known = new Map<Term, Term>([
          [DST, register(dst)],
          [SRC, operand(operation.operand)],
        ]);
        const [taken, other] = ways(substitution(known)(operation.taken));
        paths.go(next + off, state, taken);
        paths.go(next, state, other);
        return;
      }
      case "goto":
        paths.go(next + off, state);
        return;
      case "load":
        paths.go(next, changed(state, { [dst]: zext(64, this.#loaded(insn, state)) }));
        return;
      case "store":
        if (dst !== FRAME_POINTER || operation.size !== 4) throw new Error(`insn ${pc}: a store elsewhere`);
        paths.go(next, changed(state, { [stackAt(off)]: extract(32, register(src)) }));
        return;
      case "packet": {
        const base =
          operation.mode === "ind"
            ? add<32>(extract(32, register(src)), constant(32, imm))
            : constant(32, imm);
        const loaded = this.#packet.load(base, operation.size);
        const [present, absent] = ways(loaded.present);
        paths.end(constant(32, 0), absent);
        const value = substitution(new Map<Term, Term>([[LOADED[operation.size], loaded.value]]))(
          operation.result,
        );
        paths.go(next, changed(state, { ...CLOBBERED, 0: value }), present);
        return;
      }
      case "call": {
        const name = imm === GET_PRANDOM_U32 ? "random" : imm === GET_SMP_PROCESSOR_ID ? "cpu" : undefined;
        if (name === undefined || operation.callee !== "helper")
          throw new Error(`insn ${pc}: a call of ${imm}`);
        paths.go(next, changed(state, { ...CLOBBERED, 0: zext(64, given(name, this.#asked[name]++)) }));
        return;
      }
      case "exit":
        paths.end(extract(32, register(0)));
        return;
      default:
        throw new Error(`insn ${pc}: ${insn.row.name} is in no conversion`);
    }
  }

  #loaded({ row, src, off }: Instruction, state: State): Term<32> {
    if (row.name !== "ldxw") throw new Error(`${row.name} is in no conversion`);
    if (src === FRAME_POINTER) {
      const word = state[stackAt(off)];
      if (word === undefined) throw new Error(`the stack at ${off} is not set`);
      return extract(32, word);
    }
    if (state[src] !== CONTEXT) throw new Error("a load through what is no pointer");
    if (this.#seccomp) return seccompWord(off);
    const name = SKB.get(off);
    if (name !== undefined) return skbField(name);
    if (off !== SKB_LEN) throw new Error(`a load of __sk_buff at ${off}`);
    return this.#packet.length;
  }
}

/** The low half of r0 when the program ends. @param seccomp whether the context is `struct seccomp_data` */
export const ebpfResult = (insns: Slots, packet: SymbolicPacket, seccomp: boolean): Term<32> =>
  new Execution(insns, packet, seccomp).run();
