/**
 * The certificate checker: confirms that an accepted program's certificate proves what it claims, from the proved operators and the
 * transfer functions alone. It shares nothing with the exploration.
 *
 * For each node, every path from its state is executed until it exits or stands at the `pc` of an earlier node listed in its edges
 * whose state includes the path's. Then every claim rests on earlier ones, so all hold, and no run goes on for ever.
 */
import { allocate, release, reset } from "../absint/arena.ts";
import { stateIncludes } from "../absint/inclusion.ts";
import { fromBytes, initialise, pack, packedBytes, unpack } from "../absint/state.ts";
import { createMachine, type Machine, SCRATCH, STEP } from "../absint/transfer/machine.ts";
import { Rejection } from "../absint/transfer/rejection.ts";
import { step } from "../absint/transfer/step.ts";
import { Unsupported } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Certificate } from "./certificate.ts";

export type CertificateCheck =
  | { readonly ok: true; readonly steps: number }
  /** `node` is the one that does not hold, -1 for the certificate as a whole. */
  | { readonly ok: false; readonly node: number; readonly reason: string };

/** Steps after which the checker gives up: a certificate may leave out the states that keep its paths short. */
const STEP_LIMIT = 16_000_000;

/**
 * Checks a certificate against a program.
 *
 * @param limit  steps on all paths together after which it is refused
 * @throws Unsupported  for a program type or map type that is not modelled
 */
export function checkCertificate(
  program: Program,
  { nodes }: Certificate,
  limit = STEP_LIMIT,
): CertificateCheck {
  reset();
  const m = createMachine(program);
  const states = nodes.map(({ state }) => {
    const at = allocate(state.length);
    fromBytes(state, at);
    return at;
  });
  const root = nodes.length - 1;
  const start = states[root];
  if (start === undefined || nodes[root]?.pc !== 0) {
    return { ok: false, node: -1, reason: "the last node is not the program's start" };
  }
  initialise(m.state);
  if (!stateIncludes(start, m.state, SCRATCH.value)) {
    return { ok: false, node: root, reason: "the last node does not cover the state a program starts in" };
  }
  let steps = 0;
  for (const [index, node] of nodes.entries()) {
    const at = states[index];
    if (at === undefined) throw new Error("as many states as nodes");
    if (node.edges.some((to) => to < 0 || to >= index)) {
      return { ok: false, node: index, reason: "an edge does not lead to an earlier node" };
    }
    const targets = new Map<number, number[]>();
    for (const to of node.edges) {
      const pc = nodes[to]?.pc ?? -1;
      targets.set(pc, [...(targets.get(pc) ?? []), states[to] ?? 0]);
    }
    const outcome = follow(m, node.pc, at, targets, limit - steps);
    if (typeof outcome === "string") return { ok: false, node: index, reason: outcome };
    steps += outcome;
  }
  return { ok: true, steps };
}

/** Executes every path from a node; gives the number of steps, or says what is wrong. */
function follow(
  m: Machine,
  pc: number,
  at: number,
  targets: ReadonlyMap<number, readonly number[]>,
  limit: number,
): number | string {
  const pending: { readonly pc: number; readonly at: number; readonly bytes: number }[] = [];
  unpack(at, m.state);
  m.pc = pc;
  let steps = 0;
  let first = true;
  for (;;) {
    const covered =
      !first && (targets.get(m.pc)?.some((to) => stateIncludes(to, m.state, SCRATCH.value)) ?? false);
    first = false;
    let ended = covered;
    if (!covered) {
      steps += 1;
      if (steps > limit) return "the paths from here are too long";
      if (m.program.insns[m.pc] === undefined) return `a path leaves the program at insn ${m.pc}`;
      try {
        const outcome = step(m);
        if (outcome === STEP.fork) {
          const bytes = packedBytes(m.forked);
          const saved = allocate(bytes);
          pack(m.forked, saved);
          pending.push({ pc: m.forkedPc, at: saved, bytes });
        }
        ended = outcome === STEP.exit;
      } catch (error) {
        if (error instanceof Rejection) return `insn ${m.pc}: ${error.message}`;
        if (error instanceof Unsupported) return `insn ${m.pc}: not modelled: ${error.message}`;
        throw error;
      }
    }
    if (!ended) continue;
    const next = pending.pop();
    if (next === undefined) return steps;
    unpack(next.at, m.state);
    release(next.at, next.bytes);
    m.pc = next.pc;
  }
}
