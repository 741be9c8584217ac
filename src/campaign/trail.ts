/**
 * The abstract states on all ways that runs have taken through a certificate. Which state comes behind an instruction depends on the state before
 * it alone, so each is computed once, and later runs find it here.
 */
import { allocate, release } from "../absint/arena.ts";
import { stateIncludes } from "../absint/inclusion.ts";
import { frameCount, fromBytes, pack, packedBytes, unpack } from "../absint/state.ts";
import { globalCallee } from "../absint/transfer/call/global.ts";
import { createMachine, type Machine, SCRATCH, STEP } from "../absint/transfer/machine.ts";
import { Rejection } from "../absint/transfer/rejection.ts";
import { step } from "../absint/transfer/step.ts";
import type { Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate, CertificateNode } from "../verifier/certificate.ts";
import { passHead, progressOf } from "../verifier/measure.ts";
import type { View } from "../vm/view.ts";
import { type Expected, expectedOf } from "./containment.ts";
import { focus, type Written, writtenBy } from "./focus.ts";

/** An abstract state at an instruction. */
export interface Stop {
  readonly pc: number;
  /** The certificate's node that it comes from. */
  readonly node: number;
  /** The packed state, and how many of its frames are active. */
  readonly state: number;
  readonly frames: number;
  /** All that the state says something about: once somebody has asked. */
  whole: Expected | undefined;
  /** What executing the instruction makes of it, and which node covers it: once somebody has asked. */
  onwards: Onwards | undefined;
  covering: Covering | undefined;
  /** What of the state is to be looked at in runs that come from the stop before, and whether a run has come from there. */
  focus: Expected | undefined;
  visited: boolean;
}

/** What comes behind an instruction. */
export type Onwards =
  | { readonly kind: "refused"; readonly message: string }
  | {
      readonly kind: "goes on";
      /** The global function that is called, by its first instruction: `next` is where its caller goes on. */
      readonly callee: number | undefined;
      /** Whether the function ends here. */
      readonly exit: boolean;
      /** Whether it ends here if the packet does not have what is loaded. */
      readonly mayEnd: boolean;
      readonly next: Stop;
      readonly forked: Stop | undefined;
    };

/** Where the certificate says that another state covers this one: a node, as the successor or as the loop's head of number `depth` from outside. */
export type Covering =
  | { readonly kind: "none" }
  | { readonly kind: "successor"; readonly node: number }
  | { readonly kind: "head"; readonly node: number; readonly depth: number };

const NOT_COVERED: Covering = { kind: "none" };

/** Bytes of states that are kept before all are forgotten: long runs through large programs. */
const MOST_BYTES = 128 * 2 ** 20;

export class Trail {
  readonly machine: Machine;
  readonly #program: Program;
  readonly #certificate: Certificate;
  /** The packed states of the certificate's nodes. */
  readonly #states: readonly number[];
  /** What each instruction writes. */
  readonly #written: readonly (Written | undefined)[];
  /** The nodes' stops, made when the first run comes there. */
  readonly #entries: (Stop | undefined)[] = [];
  readonly #thorough: boolean;
  #kept: Stop[] = [];
  /** The stop whose state the abstract machine is in. */
  #current: Stop | undefined;
  #bytes = 0;

  /**
   * Takes over the abstract machine's memory, which has been reset.
   *
   * @param thorough  look at all of a state where a run comes for the first time
   */
  constructor(program: Program, certificate: Certificate, rules: Rules, thorough = true) {
    this.#thorough = thorough;
    this.#program = program;
    this.#certificate = certificate;
    this.machine = createMachine(program, rules);
    this.#written = program.insns.map((insn) => (insn === undefined ? undefined : writtenBy(insn)));
    this.#states = certificate.nodes.map(({ state }) => {
      const at = allocate(state.length);
      fromBytes(state, at);
      return at;
    });
  }

  node(index: number): CertificateNode {
    const node = this.#certificate.nodes[index];
    if (node === undefined) throw new Error(`the certificate has no node ${index}`);
    return node;
  }

  #stateOf(node: number): number {
    const at = this.#states[node];
    if (at === undefined) throw new Error(`the certificate has no node ${node}`);
    return at;
  }

  /** Keeps what the abstract machine's state (or the other side of a fork) is. */
  #keep(state: number, pc: number, node: number): Stop {
    const bytes = packedBytes(state);
    const at = allocate(bytes);
    pack(state, at);
    this.#bytes += bytes;
    const stop: Stop = {
      pc,
      node,
      state: at,
      frames: frameCount(at),
      whole: undefined,
      onwards: undefined,
      covering: undefined,
      focus: undefined,
      visited: false,
    };
    this.#kept.push(stop);
    return stop;
  }

  /** Forgets all states but the given ones, if there are too many. To be called when nobody else holds any. */
  tidy(held: readonly Stop[]): void {
    if (this.#bytes < MOST_BYTES) return;
    const stay = new Set(held);
    for (const stop of this.#kept) {
      stop.onwards = undefined;
      if (!stay.has(stop)) release(stop.state, packedBytes(stop.state));
    }
    this.#entries.length = 0;
    this.#kept = [...stay];
    this.#bytes = this.#kept.reduce((sum, { state }) => sum + packedBytes(state), 0);
  }

  /** The certificate's node from which a run goes on; the head of a loop with its counter remembered. */
  enter(node: number): Stop {
    return (this.#entries[node] ??= this.#makeEntry(node));
  }

  #makeEntry(node: number): Stop {
    const { machine: m } = this;
    const { pc, measure } = this.node(node);
    unpack(this.#stateOf(node), m.state);
    if (measure !== undefined && !passHead(m.state, measure)) throw new Error(`node ${node} has no counter`);
    return (this.#current = this.#keep(m.state, pc, node));
  }

  /** All that a stop's state says something about. */
  whole(stop: Stop): Expected {
    return (stop.whole ??= expectedOf(this.machine, stop.state));
  }

  /**
   * What is to be looked at where a run has come from one stop, where it was inside of the state, to one that is behind it: all of it where the instruction may have changed any of it, and
   * of those that are thorough the first time.
   */
  toLookAt(last: Stop, stop: Stop, view: View): Expected {
    const written = this.#written[last.pc];
    if (written === undefined || (this.#thorough && !stop.visited)) {
      stop.visited = true;
      return this.whole(stop);
    }
    if (written.through >= 0 && view.look(written.through).place.kind === "stack") return this.whole(stop);
    return (stop.focus ??= focus(this.machine, last.state, stop.state, written) ?? this.whole(stop));
  }

  /** What executing the instruction comes to. */
  onwards(stop: Stop): Onwards {
    return (stop.onwards ??= this.#execute(stop));
  }

  #execute(stop: Stop): Onwards {
    const { machine: m } = this;
    const { pc, node } = stop;
    if (this.#current !== stop) unpack(stop.state, m.state);
    this.#current = undefined;
    m.pc = pc;
    try {
      const insn = this.#program.insns[pc];
      const callee = globalCallee(m, insn, pc)?.start;
      const frames = frameCount(m.state);
      const outcome = step(m);
      const next = this.#keep(m.state, m.pc, node);
      this.#current = next;
      return {
        kind: "goes on",
        callee,
        exit: outcome === STEP.exit,
        // Here the function is a global one, or the program: it has a frame alone.
        mayEnd: insn?.row.operation.kind === "packet" && frames === 1,
        next,
        forked: outcome === STEP.fork ? this.#keep(m.forked, m.forkedPc, node) : undefined,
      };
    } catch (error) {
      if (error instanceof Rejection) return { kind: "refused", message: error.message };
      throw error;
    }
  }

  /** Which node covers the state, by the order on states. */
  covering(stop: Stop): Covering {
    return (stop.covering ??= this.#findCovering(stop));
  }

  #findCovering({ pc, node, state }: Stop): Covering {
    const { edges, loops, measure } = this.node(node);
    for (const to of edges) if (this.#covers(to, pc, state)) return { kind: "successor", node: to };
    if (loops.length === 0 && measure === undefined) return NOT_COVERED;
    const heads = measure === undefined ? loops : [...loops, node];
    for (const [depth, head] of heads.entries()) {
      const how = this.node(head).measure;
      if (how === undefined || !this.#covers(head, pc, state) || progressOf(state, how, depth) === 0n)
        continue;
      return { kind: "head", node: head, depth };
    }
    return NOT_COVERED;
  }

  #covers(node: number, pc: number, state: number): boolean {
    return this.node(node).pc === pc && stateIncludes(this.#stateOf(node), state, SCRATCH.value);
  }
}
