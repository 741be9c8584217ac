/**
 * Concrete runs walk the certificate: the machine executes, and an abstract state moves along with it, from the certificate's start over
 * the transfer functions and the certificate's edges. At each instruction the machine must be inside the abstract state. That puts
 * transfer functions, branch refinement, pruning, stack tracking and pointer typing to the test at once.
 */
import { reset } from "../absint/arena.ts";
import { THROW } from "../absint/transfer/exceptions.ts";
import { helperId } from "../semantics/helpers/names.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate, Measure } from "../verifier/certificate.ts";
import type { View } from "../vm/view.ts";
import { escape, numberIn } from "./containment.ts";
import { type Stop, Trail } from "./trail.ts";

export interface Escape {
  readonly kind: "containment" | "termination";
  readonly insn: number;
  readonly message: string;
}

/** A caller of a global function, as it goes on behind the call. */
interface Caller {
  readonly behind: Stop;
  readonly ghosts: readonly bigint[];
  /** The machine's frames that are outside of its state. */
  readonly callers: number;
}

const TAIL_CALL = helperId("tail_call");

export class CertificateWalk {
  readonly #program: Program;
  readonly #start: number;
  readonly #trail: Trail;
  /** The nodes at which global functions begin, by first instruction. */
  readonly #roots: ReadonlyMap<number, number>;
  /** Where exceptions are thrown. */
  readonly #throwing: ReadonlySet<number>;
  readonly #longestRun: number;
  #steps = 0;
  /** Where the run was when the machine was last seen: the instruction there is about to have been executed. Nothing before the first. */
  #stop: Stop | undefined;
  /** What the counters of the loops that the node is inside of were when their heads were passed, outermost first. */
  #ghosts: bigint[] = [];
  /** The callers of the global function that the state is about, outermost first, and their frames. */
  readonly #waiting: Caller[] = [];
  #callers = 0;
  #done = false;
  /** The stop before, where the machine went on within the function. */
  #adjacent: Stop | undefined;
  #escape: Escape | undefined;

  /**
   * Takes over the abstract machine's memory until the next verification.
   *
   * @param rules  the kernel whose rules hold
   * @param longestRun  the number of instructions that no run is to exceed
   * @param thorough  compare all where a run comes for the first time, and not what the step may have changed alone
   */
  constructor(
    program: Program,
    certificate: Certificate,
    longestRun?: bigint,
    rules: Rules = DEFAULT_RULES,
    thorough = true,
  ) {
    reset();
    // No run of ours is longer than a number can say.
    this.#longestRun = longestRun === undefined ? Number.POSITIVE_INFINITY : Number(longestRun);
    this.#program = program;
    this.#start = certificate.nodes.length - 1;
    const thrown = program.kfuncs?.filter(({ name }) => name === THROW) ?? [];
    this.#throwing = new Set(thrown.map(({ insn }) => insn));
    this.#trail = new Trail(program, certificate, rules, thorough);
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
    this.#stop = undefined;
    this.#forgetCallers();
    if (this.#ghosts.length > 0) this.#ghosts = [];
    this.#steps = 0;
    this.#done = false;
    this.#escape = undefined;
    this.#trail.tidy([]);
  }

  /** To be called before each instruction of the run. */
  readonly observe = (pc: number, view: View): void => {
    if (this.#done) return;
    const last = this.#stop;
    let stop: Stop | undefined;
    this.#adjacent = undefined;
    if (last === undefined) stop = this.#enter(this.#start, view);
    else if (this.#leftByTailCall(last.pc, pc)) this.#done = true;
    else if (this.#throwing.has(last.pc)) stop = this.#enterExceptionCallback(pc, view);
    else stop = this.#advance(last, pc, view);
    if (stop === undefined) return;
    this.#steps += 1;
    if (this.#steps > this.#longestRun) {
      this.#end(pc, `the run is longer than ${this.#longestRun} instructions`, "termination");
      return;
    }
    // Before the step to a node that covers this state, which may know less, and after it: that tests the order on states too.
    const problem = this.#problem(stop, view, this.#adjacent) ?? this.#switchNode(stop, view);
    if (problem !== undefined) this.#end(pc, problem);
  };

  /** @param from  where the machine was inside of the abstract state, if it has come from there by one instruction */
  #problem(stop: Stop, view: View, from?: Stop): string | undefined {
    const expected = from === undefined ? this.#trail.whole(stop) : this.#trail.toLookAt(from, stop, view);
    return escape(this.#trail.machine, expected, view, this.#ghosts, this.#callers);
  }

  #forgetCallers(): void {
    if (this.#waiting.length > 0) this.#waiting.length = 0;
    this.#callers = 0;
  }

  #end(insn: number, message: string, kind: Escape["kind"] = "containment"): undefined {
    this.#escape = { kind, insn, message };
    this.#done = true;
  }

  /** After a successful tail call another program runs, of which this certificate says nothing. */
  #leftByTailCall(last: number, pc: number): boolean {
    const insn = this.#program.insns[last];
    if (insn === undefined || insn.imm !== TAIL_CALL || pc === last + 1) return false;
    const { operation } = insn.row;
    return operation.kind === "call" && operation.callee === "helper";
  }

  /** An exception has ended all functions; the machine goes on in the one that makes the result of it. */
  #enterExceptionCallback(pc: number, view: View): Stop | undefined {
    const root = this.#roots.get(pc);
    if (root === undefined) return this.#end(pc, "an exception callback without a root");
    this.#forgetCallers();
    return this.#enter(root, view);
  }

  /** Follows the machine, which has executed the instruction at `last`, to `pc`. Gives nothing if it cannot be where it is. */
  #advance(last: Stop, pc: number, view: View): Stop | undefined {
    const onwards = this.#trail.onwards(last);
    if (onwards.kind === "refused") {
      return this.#end(last.pc, `the abstract state is refused here: ${onwards.message}`);
    }
    let { next } = onwards;
    let from: Stop | undefined = last;
    if (onwards.callee !== undefined) return this.#enterFunction(last, onwards.callee, next, view);
    if (onwards.exit || (onwards.mayEnd && pc !== next.pc)) {
      const behind = this.#goBack();
      if (behind === undefined) return this.#end(last.pc, "the machine goes on after the program's end");
      next = behind;
      from = undefined;
    }
    const forked = onwards.forked?.pc === pc ? onwards.forked : undefined;
    // A jump to the next instruction: either side may be the one.
    if (next.pc === pc && !(forked !== undefined && this.#problem(next, view) !== undefined)) {
      this.#adjacent = from;
      return (this.#stop = next);
    }
    if (forked !== undefined) {
      this.#adjacent = from;
      return (this.#stop = forked);
    }
    return this.#end(last.pc, `the machine went on to insn ${pc}, which the verifier takes for impossible`);
  }

  /** The state behind a call waits; the walk goes on from the root of the function that is called. */
  #enterFunction(last: Stop, start: number, behind: Stop, view: View): Stop | undefined {
    const root = this.#roots.get(start);
    if (root === undefined) return this.#end(start, "a global function without a root");
    this.#waiting.push({ behind, ghosts: [...this.#ghosts], callers: this.#callers });
    this.#callers += last.frames;
    return this.#enter(root, view);
  }

  /** A global function has returned; gives nothing if it is the program that has ended. */
  #goBack(): Stop | undefined {
    const caller = this.#waiting.pop();
    if (caller === undefined) return undefined;
    this.#ghosts = [...caller.ghosts];
    this.#callers = caller.callers;
    return caller.behind;
  }

  /** The certificate's node from which the abstract state goes on. */
  #enter(node: number, view: View): Stop {
    const { loops, measure } = this.#trail.node(node);
    const stop = this.#trail.enter(node);
    // Setting a length takes long, and most states are inside of no loop.
    if (this.#ghosts.length !== loops.length) this.#ghosts.length = loops.length;
    if (measure !== undefined) this.#ghosts.push(numberIn(stop.state, view, measure.place, this.#callers));
    return (this.#stop = stop);
  }

  /** Where the certificate says that another state covers this one, that one goes on; says if that is not so. */
  #switchNode(stop: Stop, view: View): string | undefined {
    const covering = this.#trail.covering(stop);
    if (covering.kind === "none") return undefined;
    const { node } = covering;
    const before = covering.kind === "head" ? this.#ghosts[covering.depth] : undefined;
    const entered = this.#enter(node, view);
    const { measure } = this.#trail.node(node);
    if (covering.kind === "head" && measure !== undefined) {
      if (!isBeyond(measure, this.#ghosts[covering.depth] ?? 0n, before ?? 0n))
        return "the loop's counter has made no progress";
    }
    const problem = this.#problem(entered, view);
    this.#tidy(entered);
    return problem;
  }

  /** Long runs of large programs come to more states than are kept. */
  #tidy(entered: Stop): void {
    this.#trail.tidy([entered, ...this.#waiting.map(({ behind }) => behind)]);
  }
}

/** Whether a counter that was `before` has made progress. */
function isBeyond({ order, direction }: Measure, now: bigint, before: bigint): boolean {
  const as = (x: bigint): bigint =>
    order.signed ? BigInt.asIntN(order.bits, x) : BigInt.asUintN(order.bits, x);
  const [a, b] = [as(now), as(before)];
  return direction === "up" ? a > b : a < b;
}
