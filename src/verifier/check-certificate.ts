/**
 * The certificate checker: confirms that an accepted program's certificate proves what it claims, from the proved operators and the
 * transfer functions alone. It shares nothing with the exploration.
 *
 * For each node, every path from its state is executed until it exits, or stands at the `pc` of an earlier node listed in its edges whose state
 * includes the path's, or comes back to the head of a loop that it is inside of, with progress. Then every claim rests on earlier ones and on
 * the loops' measures, so all hold (ARCHITECTURE.md has the induction), and no run goes on for ever.
 *
 * A call of a global function ends no path: it goes on behind the call, and an earlier node must be the function's root, whose state includes the one that the
 * function begins in. What is set as a timer's callback must have a root, too; nothing rests on it.
 *
 * Nothing of a certificate is taken for granted: its states are looked at only when they are found to be well formed (well-formed.ts). The stack
 * that chains of calls use, of which no state tells, is noted on the way.
 */
import { allocate, release, reset } from "../absint/arena.ts";
import { stateIncludes } from "../absint/inclusion.ts";
import {
  fromBytes,
  ghostCount,
  initialise,
  LIVE_STATE_BYTES,
  pack,
  packedBytes,
  unpack,
} from "../absint/state.ts";
import { createMachine, type Machine, SCRATCH, STEP } from "../absint/transfer/machine.ts";
import { Rejection } from "../absint/transfer/rejection.ts";
import { step } from "../absint/transfer/step.ts";
import { Unsupported } from "../semantics/errors.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { admit } from "./admission.ts";
import type { Certificate, CertificateNode, Measure } from "./certificate.ts";
import type { ControlFlow } from "./control-flow.ts";
import { MAX_PASSAGES, passagesOf, passHead, progressOf } from "./measure.ts";
import {
  ASKED,
  asksOf,
  beginRoot,
  isTimer,
  type Root,
  rootNeeded,
  rootOfState,
  startOf,
  timerFunctions,
} from "./roots.ts";
import { StackUse } from "./stack-use.ts";
import { callsOf, nodeFlaw } from "./well-formed.ts";

export type CertificateCheck =
  | {
      readonly ok: true;
      /** What the check took. */
      readonly steps: number;
      /** No run of the program executes more instructions: calls of helpers count one, what a tail call goes on with none. */
      readonly longestRun: bigint;
    }
  /** `node` is the one that does not hold, -1 for the certificate as a whole. */
  | { readonly ok: false; readonly node: number; readonly reason: string };

/** Steps after which the checker gives up: a certificate may leave out the states that keep its paths short. */
export const STEP_LIMIT = 16_000_000;

/** The reason of a refusal by the limit: that says nothing of the certificate but that it takes long. */
export const TOO_LONG = "the paths from here are too long";

/** A number of instructions, exactly: a bigint only where it may be more than numbers can count, which is in loops inside of loops. */
type Count = number | bigint;

function plus(a: Count, b: Count): Count {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(a) + BigInt(b);
}

/**
 * How many instructions a run from a node executes at most, by where it ends: in the program's exit, or in the next passage of the head of a loop that
 * the node is inside of. Where nothing is said none ends.
 */
interface Costs {
  exit: Count | undefined;
  heads: Map<number, Count> | undefined;
}
const AT_EXIT: Costs = { exit: 0, heads: undefined };

/** Adds runs that execute `before` instructions and then go on as `rest` says. */
function addCosts(costs: Costs, before: Count, rest: Costs): void {
  if (rest.exit !== undefined) {
    const whole = plus(before, rest.exit);
    if (costs.exit === undefined || whole > costs.exit) costs.exit = whole;
  }
  if (rest.heads === undefined) return;
  costs.heads ??= new Map();
  for (const [head, cost] of rest.heads) {
    const whole = plus(before, cost);
    if (whole > (costs.heads.get(head) ?? -1)) costs.heads.set(head, whole);
  }
}

/** Where a path may end, besides the program's exit. */
interface Target {
  readonly state: number;
  /** What a run goes on to execute from there. */
  readonly costs: Costs;
  /** The head of a loop: whether a path has made progress, which is noted. */
  readonly advances?: () => boolean;
}

/** By instruction; undefined where there is none. */
type Targets = readonly (readonly Target[] | undefined)[];

/**
 * Checks a certificate against a program.
 *
 * @param limit  steps on all paths together after which it is refused
 * @param rules  the kernel whose rules hold
 * @throws Unsupported  for a program type or map type that is not modelled
 */
export function checkCertificate(
  program: Program,
  { nodes, roots }: Certificate,
  limit = STEP_LIMIT,
  rules: Rules = DEFAULT_RULES,
): CertificateCheck {
  let flow: ControlFlow;
  try {
    flow = admit(program, rules.profile);
  } catch (error) {
    return refused(error);
  }
  reset();
  const m = createMachine(program, rules);
  const states = nodes.map(({ state }) => {
    const at = allocate(state.length);
    fromBytes(state, at);
    return at;
  });
  const calls = callsOf(program.insns, flow.functions);
  for (const [index, node] of nodes.entries()) {
    const flaw = nodeFlaw(node, states[index] ?? 0, m, calls);
    if (flaw !== undefined) return { ok: false, node: index, reason: flaw };
  }
  const root = nodes.length - 1;
  const start = states[root];
  if (start === undefined || nodes[root]?.pc !== 0) {
    return { ok: false, node: -1, reason: "the last node is not the program's start" };
  }
  initialise(m.state);
  if (!stateIncludes(start, m.state, SCRATCH.value)) {
    return { ok: false, node: root, reason: "the last node does not cover the state a program starts in" };
  }
  const functions = rootsOf(m, nodes, states, roots);
  if (!(functions instanceof Map)) return functions;
  const stackUse = new StackUse();
  /** The nodes that have been confirmed, as what paths of others may end in. */
  const proved: Target[] = [];
  /** What paths of the current node may end in; and the instructions where there is something. */
  const targets: (Target[] | undefined)[] = program.insns.map(() => undefined);
  const aimed = new Int32Array(program.insns.length);
  let aims = 0;
  const asks = asksOf(program.insns);
  /** The longest run of each function whose root has been confirmed. */
  const longest = new Map<Root, Count>();
  /** What paths set as the callbacks of timers. */
  const timers = new Set<Root>();
  /** For each head, the least progress that a path that comes back makes. */
  const progress = new Map<number, bigint>();
  let steps = 0;
  for (const [index, node] of nodes.entries()) {
    const at = states[index];
    if (at === undefined) throw new Error("as many states as nodes");
    const flaw = structuralFlaw(nodes, index, at);
    if (flaw !== undefined) return { ok: false, node: index, reason: flaw };
    aim(index, node);
    const path = follow(m, node, at, targets, asks, stackUse, longest, timers, limit - steps);
    if (typeof path === "string") return { ok: false, node: index, reason: path };
    steps += path.steps;
    const passages = node.measure === undefined ? 1n : passagesFrom(at, node.measure, progress.get(index));
    if (passages > MAX_PASSAGES) {
      return { ok: false, node: index, reason: `the loop may go round ${passages} times` };
    }
    const own = node.measure === undefined ? path.costs : goneRound(path.costs, index, passages);
    proved.push({ state: at, costs: own });
    const root = functions.get(index);
    if (root !== undefined && !isTimer(root)) longest.set(root, own.exit ?? 0);
  }
  const begun = new Set(functions.values());
  const unproved = [...timers].find((root) => !begun.has(root));
  if (unproved !== undefined) {
    return { ok: false, node: -1, reason: `the timer's function at insn ${startOf(unproved)} has no root` };
  }
  try {
    stackUse.check(program, flow, timerFunctions([...timers]), rules.profile);
  } catch (error) {
    return refused(error);
  }
  const ends = [...functions]
    .filter(([, root]) => isTimer(root))
    .map(([index]) => proved[index]?.costs.exit ?? 0);
  const longestRun = ends.reduce((a, b) => (a > b ? a : b), proved[root]?.costs.exit ?? 0);
  return { ok: true, steps, longestRun: BigInt(longestRun) };

  /** Changes `targets` to what the paths of a node may end in. */
  function aim(index: number, node: CertificateNode): void {
    for (; aims > 0; aims -= 1) targets[aimed[aims - 1] ?? 0] = undefined;
    for (const to of node.edges) addTarget(nodes[to]?.pc ?? 0, proved[to]);
    if (node.measure !== undefined) aimAtHeads([...node.loops, index]);
    else if (node.loops.length > 0) aimAtHeads(node.loops);
  }

  function aimAtHeads(heads: readonly number[]): void {
    heads.forEach((head, ghost) => {
      const measure = nodes[head]?.measure;
      if (measure === undefined) throw new Error("the head of a loop has a measure");
      const advances = (): boolean => {
        const made = progressOf(m.state, measure, ghost);
        const least = progress.get(head);
        if (made > 0n && (least === undefined || made < least)) progress.set(head, made);
        return made > 0n;
      };
      const costs = { exit: undefined, heads: new Map([[head, 0]]) };
      addTarget(nodes[head]?.pc ?? 0, { state: states[head] ?? 0, costs, advances });
    });
  }

  function addTarget(pc: number, target: Target | undefined): void {
    if (target === undefined) throw new Error("an edge leads to an earlier node");
    const list = targets[pc];
    if (list !== undefined) {
      list.push(target);
      return;
    }
    targets[pc] = [target];
    aimed[aims] = pc;
    aims += 1;
  }
}

/** What is proved from each of the nodes that are said to be roots; or what is wrong with one of them. */
function rootsOf(
  m: Machine,
  nodes: readonly CertificateNode[],
  states: readonly number[],
  roots: readonly number[],
): Map<number, Root> | CertificateCheck {
  const found = new Map<number, Root>();
  for (const index of roots) {
    const node = nodes[index];
    const state = states[index];
    if (node === undefined || state === undefined || index === nodes.length - 1) {
      return { ok: false, node: -1, reason: `node ${index} is not the start of a function` };
    }
    const root = rootOfState(state, node.pc);
    if (found.has(index) || [...found.values()].includes(root)) {
      return { ok: false, node: index, reason: "the function has another root" };
    }
    if (node.loops.length > 0) {
      return { ok: false, node: index, reason: "a function's start is inside of a loop" };
    }
    try {
      if (!beginRoot(m, root)) {
        return { ok: false, node: index, reason: "it is not the start of a global function" };
      }
    } catch (error) {
      return refused(error, index);
    }
    if (!stateIncludes(state, m.state, SCRATCH.value)) {
      return { ok: false, node: index, reason: "it does not cover the state that the function starts in" };
    }
    found.set(index, root);
  }
  return found;
}

/** A refusal of the program as a whole, or of a function. */
function refused(error: unknown, node = -1): CertificateCheck {
  if (error instanceof Rejection) return { ok: false, node, reason: error.message };
  throw error;
}

/** How often the head may be passed; `progress` is undefined if no path comes back to it. */
const passagesFrom = (state: number, measure: Measure, progress: bigint | undefined): bigint =>
  progress === undefined ? 1n : passagesOf(state, measure, progress);

/** The costs of a loop: of all passages but the last one that come back, and of one that does not. */
function goneRound(costs: Costs, head: number, passages: bigint): Costs {
  const before = (passages - 1n) * BigInt(costs.heads?.get(head) ?? 0);
  const others = new Map(costs.heads);
  others.delete(head);
  const own: Costs = { exit: undefined, heads: undefined };
  addCosts(own, before, { exit: costs.exit, heads: others });
  return own;
}

/** What is wrong with a node's place among the others, if anything is. */
function structuralFlaw(nodes: readonly CertificateNode[], index: number, at: number): string | undefined {
  const node = nodes[index];
  if (node === undefined) throw new Error("a node");
  for (const to of node.edges) if (to < 0 || to >= index) return "an edge does not lead to an earlier node";
  if (ghostCount(at) !== node.loops.length) return "not as many ghosts as loops";
  if (index === nodes.length - 1 && node.loops.length > 0) return "the program's start is inside of a loop";
  if (node.loops.length === 0 && node.measure === undefined) return intoLoop(nodes, node.edges, node.loops);
  for (const [depth, head] of node.loops.entries()) {
    const outer = nodes[head];
    if (head <= index || outer?.measure === undefined) return "a loop without a later head";
    if (!isPrefix(outer.loops, node.loops) || outer.loops.length !== depth)
      return "loops that are not inside each other";
  }
  const inside = node.measure === undefined ? node.loops : [...node.loops, index];
  return intoLoop(nodes, node.edges, inside);
}

/** What is wrong with edges of a node inside of loops: none may lead into others. */
function intoLoop(
  nodes: readonly CertificateNode[],
  edges: readonly number[],
  inside: readonly number[],
): string | undefined {
  for (const to of edges) {
    const loops = nodes[to]?.loops;
    if (loops !== undefined && !isPrefix(loops, inside)) return "an edge leads into a loop, not to its head";
  }
  return undefined;
}

const isPrefix = (prefix: readonly number[], list: readonly number[]): boolean =>
  prefix.length === 0 || (prefix.length <= list.length && prefix.every((x, i) => x === list[i]));

/** What following all paths from a node came to. */
interface Followed {
  readonly steps: number;
  readonly costs: Costs;
}

/** The side of a jump that is followed later. */
interface Waiting {
  readonly pc: number;
  readonly at: number;
  /** The length of the block if the state is packed; 0 if it is a live one. */
  readonly packed: number;
  readonly length: number;
  readonly called: Count;
}

/** So many states that wait are left as they are, each in a block in which it can be executed; more are packed. */
const MAX_LIVE = 32;

/** The forked side waits, in its block if few others do: the machine gets another one. */
function setAside(m: Machine, waiting: number, length: number, called: Count): Waiting {
  const { forked: at, forkedPc: pc } = m;
  if (waiting < MAX_LIVE) {
    m.forked = allocate(LIVE_STATE_BYTES);
    return { pc, at, packed: 0, length, called };
  }
  const packed = packedBytes(at);
  const saved = allocate(packed);
  pack(at, saved);
  return { pc, at: saved, packed, length, called };
}

/** Goes on with a side that has waited. */
function takeUp(m: Machine, { pc, at, packed }: Waiting): void {
  m.pc = pc;
  if (packed === 0) {
    release(m.state, LIVE_STATE_BYTES);
    m.state = at;
  } else {
    unpack(at, m.state);
    release(at, packed);
  }
}

/**
 * Executes every path from a node, or says what is wrong.
 *
 * @param asks  what to ask before each instruction
 * @param longest  the functions that may be called, and the most instructions that each executes
 * @param timers  gets what is set as the callback of a timer
 */
function follow(
  m: Machine,
  node: CertificateNode,
  at: number,
  targets: Targets,
  asks: Uint8Array,
  stackUse: StackUse,
  longest: ReadonlyMap<Root, Count>,
  timers: Set<Root>,
  limit: number,
): Followed | string {
  const pending: Waiting[] = [];
  unpack(at, m.state);
  m.pc = node.pc;
  if (node.measure !== undefined && !passHead(m.state, node.measure))
    return "the loop's counter is not a number";
  let steps = 0;
  /** Instructions on the path so far. */
  let length = 0;
  /** Instructions that global functions that were called on it execute at most. */
  let called: Count = 0;
  const costs: Costs = { exit: undefined, heads: undefined };
  for (;;) {
    const end = length === 0 ? undefined : coveredBy(m, targets[m.pc]);
    let ended = end !== undefined;
    if (end === undefined) {
      steps += 1;
      length += 1;
      if (steps > limit) return TOO_LONG;
      if (m.program.insns[m.pc] === undefined) return `a path leaves the program at insn ${m.pc}`;
      const asked = asks[m.pc];
      if (asked === ASKED.exit) stackUse.record(m);
      const root = asked === ASKED.root ? rootNeeded(m) : undefined;
      if (root !== undefined && isTimer(root)) timers.add(root);
      else if (root !== undefined) {
        const most = longest.get(root);
        if (most === undefined) return `insn ${m.pc}: the function at insn ${root} has no earlier root`;
        called = plus(called, most);
      }
      try {
        const outcome = step(m);
        if (outcome === STEP.fork) pending.push(setAside(m, pending.length, length, called));
        ended = outcome === STEP.exit;
      } catch (error) {
        if (error instanceof Rejection) return `insn ${m.pc}: ${error.message}`;
        if (error instanceof Unsupported) return `insn ${m.pc}: not modelled: ${error.message}`;
        throw error;
      }
    }
    if (!ended) continue;
    stackUse.record(m);
    addCosts(costs, plus(called, length), end?.costs ?? AT_EXIT);
    const next = pending.pop();
    if (next === undefined) return { steps, costs };
    takeUp(m, next);
    length = next.length;
    called = next.called;
  }
}

/** The first of the targets that the machine's state ends in. */
function coveredBy(m: Machine, targets: readonly Target[] | undefined): Target | undefined {
  if (targets === undefined) return undefined;
  for (const target of targets) {
    const { state, advances } = target;
    if (stateIncludes(state, m.state, SCRATCH.value) && (advances === undefined || advances())) return target;
  }
  return undefined;
}
