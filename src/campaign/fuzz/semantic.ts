/**
 * The semantic map: what a verification has been made to decide. An entry is an instruction's row (of calls, what is called), the shapes of what its registers hold before
 * and what becomes of the first of them; or where a path forks, ends or is covered; or the reason of a rejection. Entries go by hashes of 32 bits.
 */

import {
  FLAG,
  hasFlag,
  idOf,
  isConstant,
  KIND,
  kindOf,
  rangeOf,
  smaxOf,
  sminOf,
  umaxOf,
} from "../../absint/register.ts";
import { depthOf, frameCount, ghostCount, registerAt } from "../../absint/state.ts";
import type { Machine } from "../../absint/transfer/machine.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { ExplorationObserver } from "../../verifier/exploration.ts";

/** Entries, each with the place in the batch of the program that reached it first. */
export type Reached = readonly (readonly [entry: number, place: number])[];

const ROW_NUMBERS: ReadonlyMap<unknown, number> = new Map(ROWS.map((row, i) => [row, i + 1]));

/** One step of FNV-1a over numbers. */
const mix = (hash: number, value: number): number => Math.imul(hash ^ value, 0x01000193);
const START = 0x811c9dc5 | 0;

function hashOf(text: string): number {
  let hash = START;
  for (let i = 0; i < text.length; i += 1) hash = mix(hash, text.charCodeAt(i));
  return hash >>> 0;
}

/** How large a number may be, in a few steps. */
function magnitude(most: number): number {
  if (most < 2) return 0;
  if (most < 256) return 1;
  if (most < 2 ** 16) return 2;
  return most < 2 ** 32 ? 3 : 4;
}

/** A number's shape: constant or how large, whether it may be negative, whether it is linked. */
function numberShape(at: number): number {
  const linked = idOf(at) === 0 ? 0 : 1;
  const sign = sminOf(at) >= 0 ? 0 : smaxOf(at) < 0 ? 1 : 2;
  const size = isConstant(at) ? 5 : magnitude(umaxOf(at));
  return 1 + linked + 2 * sign + 6 * size;
}

/** What a register holds, without its numbers. */
function shapeOf(at: number): number {
  const kind = kindOf(at);
  if (kind === KIND.none) return 0;
  if (kind === KIND.scalar) return numberShape(at);
  const range = hasFlag(kind, FLAG.orNull) || rangeOf(at) === 0 ? 0 : 1;
  return 64 + kind * 8 + (isConstant(at) ? 1 : 0) + 2 * range + (idOf(at) === 0 ? 0 : 4);
}

const EVENT = { step: 1, fork: 2, exit: 3, covered: 4, begins: 5, reason: 6, root: 7 } as const;

export class SemanticMap {
  readonly #reached = new Map<number, number>();
  #program: Program | undefined;
  #rows: readonly number[] = [];
  #place = 0;
  /** What the instruction that is being executed found. */
  #before = START;

  /** All that was reached so far, and a new beginning. */
  take(): Reached {
    const reached = [...this.#reached];
    this.#reached.clear();
    return reached;
  }

  /** What follows is about the program at a place of the batch. */
  begin(program: Program, place: number): void {
    this.#program = program;
    this.#place = place;
    this.#rows = program.insns.map((insn) => {
      if (insn === undefined) return 0;
      const { operation } = insn.row;
      const row = ROW_NUMBERS.get(insn.row) ?? 0;
      return operation.kind === "call" && operation.callee === "helper" ? mix(row, insn.imm) : row;
    });
  }

  /** The program was rejected, or is not supported, for a reason. */
  refused(reason: string): void {
    this.#add(mix(mix(START, EVENT.reason), hashOf(reason)));
  }

  #add(hash: number): void {
    const entry = hash >>> 0;
    if (!this.#reached.has(entry)) this.#reached.set(entry, this.#place);
  }

  #at(event: number, pc: number): number {
    return mix(mix(START, event), this.#rows[pc] ?? 0);
  }

  readonly observer: ExplorationObserver = {
    before: (m) => {
      this.#before = this.#operands(m);
    },
    after: (m, pc) => {
      const insn = this.#program?.insns[pc];
      const result = insn === undefined ? 0 : shapeOf(registerAt(m.state, frameCount(m.state) - 1, insn.dst));
      this.#add(mix(mix(this.#before, result), m.pc === pc + 1 ? 0 : 1));
    },
    pathEnds: (m, why) => {
      const place = this.#at(why === "exit" ? EVENT.exit : EVENT.covered, m.pc);
      this.#add(mix(mix(place, ghostCount(m.state)), frameCount(m.state)));
    },
    rootBegins: () => this.#add(mix(START, EVENT.root)),
    rootEnds: () => undefined,
    pathBegins: (m, from) => this.#add(mix(this.#at(EVENT.begins, from), this.#operands(m))),
    fork: () => {
      this.#add(mix(this.#before, EVENT.fork));
      return 0;
    },
  };

  /** The instruction about to be executed, with what its registers hold. */
  #operands({ state, pc }: Machine): number {
    const insn = this.#program?.insns[pc];
    const frame = frameCount(state) - 1;
    const row = this.#at(EVENT.step, pc);
    if (insn === undefined) return row;
    const first = shapeOf(registerAt(state, frame, insn.dst));
    const second = shapeOf(registerAt(state, frame, insn.src));
    const deep = depthOf(state, frame) > 0 ? 1 : 0;
    return mix(mix(mix(row, first), second), deep + 2 * Math.min(frame, 3));
  }
}
