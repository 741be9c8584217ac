/**
 * Concrete runs walk the certificate: the machine executes, and an abstract state moves along with it, from the certificate's start over
 * the transfer functions and the certificate's edges. At each instruction the machine must be inside the abstract state. That puts
 * transfer functions, branch refinement, pruning, stack tracking and pointer typing to the test at once.
 */
import { allocate, reset } from "../absint/arena.ts";
import { stateIncludes } from "../absint/inclusion.ts";
import { frameCount, fromBytes, LIVE_STATE_BYTES, toBytes, unpack } from "../absint/state.ts";
import { globalCallee } from "../absint/transfer/call/global.ts";
import { createMachine, type Machine, SCRATCH, STEP } from "../absint/transfer/machine.ts";
import { Rejection } from "../absint/transfer/rejection.ts";
import { step } from "../absint/transfer/step.ts";
import { helperId } from "../semantics/helpers/names.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate, CertificateNode, Measure } from "../verifier/certificate.ts";
import { passHead, progressOf } from "../verifier/measure.ts";
import type { View } from "../vm/view.ts";
import { escape, numberIn } from "./containment.ts";

export interface Escape {
  readonly insn: number;
  readonly message: string;
}

/** A caller of a global function, as it goes on behind the call. */
interface Caller {
  /** Its state then, packed. */
  readonly state: Uint8Array;
  readonly pc: number;
  readonly node: number;
  readonly ghosts: readonly bigint[];
  /** The machine's frames that are outside of it. */
  readonly callers: number;
}

export class CertificateWalk {
  readonly #program: Program;
  readonly #certificate: Certificate;
  readonly #machine: Machine;
  readonly #states: readonly number[];
  /** The nodes at which global functions begin, by first instruction. */
  readonly #roots: ReadonlyMap<number, number>;
  /** Where the state of a caller is put back from its bytes. */
  readonly #room: number;
  readonly #longestRun: bigint | undefined;
  #steps = 0;
  #node = -1;
  /** What the counters of the loops that the node is inside of were when their heads were passed, outermost first. */
  #ghosts: bigint[] = [];
  /** The callers of the global function that the state is about, outermost first, and their frames. */
  readonly #waiting: Caller[] = [];
  #callers = 0;
  /** The instruction that is about to have been executed when the machine is next seen; -1 before the first. */
  #last = -1;
  #done = false;
  #escape: Escape | undefined;

  /**
   * Takes over the abstract machine's memory until the next verification.
   *
   * @param rules  the kernel whose rules hold
   * @param longestRun  the number of instructions that no run is to exceed
   */
  constructor(program: Program, certificate: Certificate, longestRun?: bigint, rules: Rules = DEFAULT_RULES) {
    reset();
    this.#longestRun = longestRun;
    this.#program = program;
    this.#certificate = certificate;
    this.#machine = createMachine(program, rules);
    this.#room = allocate(LIVE_STATE_BYTES);
    this.#states = certificate.nodes.map(({ state }) => {
      const at = allocate(state.length);
      fromBytes(state, at);
      return at;
    });
    this.#roots = new Map(
      certificate.roots.map((root) => [certificate.nodes[root]?.pc ?? -1, root] as const),
    );
  }

  /** Where the run that ended left the abstract states, if it did. */
  get escape(): Escape | undefined {
    return this.#escape;
  }

  /** Goes back to the start, for another run. */
  start(): void {
    this.#node = -1;
    this.#waiting.length = 0;
    this.#callers = 0;
    this.#steps = 0;
    this.#machine.pc = 0;
    this.#last = -1;
    this.#done = false;
    this.#escape = undefined;
  }

  /** To be called before each instruction of the run. */
  readonly observe = (pc: number, view: View): void => {
    if (this.#done) return;
    if (this.#node < 0) this.#enter(this.#states.length - 1, view);
    if (this.#last >= 0) {
      if (this.#leftByTailCall(pc)) {
        this.#done = true;
        return;
      }
      const problem = this.#advance(pc, view);
      if (problem !== undefined) return this.#stop(problem);
    }
    this.#last = pc;
    this.#steps += 1;
    if (this.#longestRun !== undefined && this.#steps > this.#longestRun) {
      return this.#stop({ insn: pc, message: `the run is longer than ${this.#longestRun} instructions` });
    }
    // Before the step to a node that covers this state, which may know less, and after it: that tests the order on states too.
    let problem = escape(this.#machine, view, this.#ghosts, this.#callers);
    problem ??= this.#switchNode(view);
    if (problem !== undefined) this.#stop({ insn: pc, message: problem });
  };

  #stop(problem: Escape): void {
    this.#escape = problem;
    this.#done = true;
  }

  #stateOf(node: number): number {
    const at = this.#states[node];
    if (at === undefined) throw new Error(`the certificate has no node ${node}`);
    return at;
  }

  /** After a successful tail call another program runs, of which this certificate says nothing. */
  #leftByTailCall(pc: number): boolean {
    const insn = this.#program.insns[this.#last];
    const { operation } = insn?.row ?? {};
    if (operation?.kind !== "call" || operation.callee !== "helper") return false;
    return insn?.imm === helperId("tail_call") && pc !== this.#last + 1;
  }

  /** Executes the last instruction on the abstract state and follows the machine to `pc`. */
  #advance(pc: number, view: View): Escape | undefined {
    const m = this.#machine;
    const insn = this.#last;
    m.pc = insn;
    try {
      const callee = globalCallee(m, this.#program.insns[insn], insn);
      const frames = frameCount(m.state);
      const outcome = step(m);
      if (callee !== undefined) return this.#enterFunction(callee.start, frames, view);
      const ends = outcome === STEP.exit || this.#endedByLoad(frames, pc);
      if (ends && !this.#goBack()) {
        return { insn, message: "the machine goes on after the program's end" };
      }
      const taken = outcome === STEP.fork && m.forkedPc === pc;
      // A jump to the next instruction: either side may be the one.
      if (m.pc === pc && !(taken && escape(m, view, this.#ghosts, this.#callers) !== undefined))
        return undefined;
      if (taken) {
        unpack(m.forked, m.state);
        m.pc = pc;
        return undefined;
      }
      return { insn, message: `the machine went on to insn ${pc}, which the verifier takes for impossible` };
    } catch (error) {
      if (error instanceof Rejection)
        return { insn, message: `the abstract state is refused here: ${error.message}` };
      throw error;
    }
  }

  /** A legacy packet load that finds nothing is the end of its function, here a global one: it has a frame alone. */
  #endedByLoad(frames: number, pc: number): boolean {
    const operation = this.#program.insns[this.#last]?.row.operation;
    return operation?.kind === "packet" && frames === 1 && pc !== this.#machine.pc;
  }

  /** The state behind a call waits; the walk goes on from the root of the function that is called. */
  #enterFunction(start: number, frames: number, view: View): Escape | undefined {
    const m = this.#machine;
    const root = this.#roots.get(start);
    if (root === undefined) return { insn: start, message: "a global function without a root" };
    this.#waiting.push({
      state: toBytes(m.state),
      pc: m.pc,
      node: this.#node,
      ghosts: [...this.#ghosts],
      callers: this.#callers,
    });
    this.#callers += frames;
    this.#enter(root, view);
    m.pc = start;
    return undefined;
  }

  /** A global function has returned; says no if it is the program that has ended. */
  #goBack(): boolean {
    const caller = this.#waiting.pop();
    if (caller === undefined) return false;
    fromBytes(caller.state, this.#room);
    unpack(this.#room, this.#machine.state);
    this.#machine.pc = caller.pc;
    this.#node = caller.node;
    this.#ghosts = [...caller.ghosts];
    this.#callers = caller.callers;
    return true;
  }

  /** The certificate's node from which the abstract state goes on. */
  #enter(node: number, view: View): void {
    const m = this.#machine;
    const { loops, measure } = this.#nodeAt(node);
    this.#node = node;
    this.#ghosts.length = loops.length;
    unpack(this.#stateOf(node), m.state);
    if (measure === undefined) return;
    if (!passHead(m.state, measure)) throw new Error(`node ${node} has no counter`);
    this.#ghosts.push(numberIn(m, view, measure.place, this.#callers));
  }

  #nodeAt(index: number): CertificateNode {
    const node = this.#certificate.nodes[index];
    if (node === undefined) throw new Error(`the certificate has no node ${index}`);
    return node;
  }

  /** Where the certificate says that another state covers this one, that one goes on; says if that is not so. */
  #switchNode(view: View): string | undefined {
    const m = this.#machine;
    const { edges, loops, measure } = this.#nodeAt(this.#node);
    const covers = (to: number): boolean =>
      this.#nodeAt(to).pc === m.pc && stateIncludes(this.#stateOf(to), m.state, SCRATCH.value);
    const target = edges.find(covers);
    if (target !== undefined) {
      this.#enter(target, view);
      return escape(m, view, this.#ghosts, this.#callers);
    }
    const heads = measure === undefined ? loops : [...loops, this.#node];
    for (const [depth, head] of heads.entries()) {
      const how = this.#nodeAt(head).measure;
      if (how === undefined || !covers(head) || progressOf(m.state, how, depth) === 0n) continue;
      const before = this.#ghosts[depth] ?? 0n;
      this.#enter(head, view);
      if (!isBeyond(how, this.#ghosts[depth] ?? 0n, before)) return "the loop's counter has made no progress";
      return escape(m, view, this.#ghosts, this.#callers);
    }
    return undefined;
  }
}

/** Whether a counter that was `before` has made progress. */
function isBeyond({ order, direction }: Measure, now: bigint, before: bigint): boolean {
  const as = (x: bigint): bigint =>
    order.signed ? BigInt.asIntN(order.bits, x) : BigInt.asUintN(order.bits, x);
  const [a, b] = [as(now), as(before)];
  return direction === "up" ? a > b : a < b;
}
