/**
 * The loops of a program's control flow: their heads, where a depth-first walk of a function comes back to what it is still inside of, and their
 * bodies, the instructions from which the head is reached again without leaving through it.
 */
import type { Slots } from "../../semantics/program/program.ts";
import { type ControlFlow, successors } from "../control-flow.ts";

export interface NaturalLoops {
  readonly isHead: (pc: number) => boolean;
  /** For each instruction, 1 if it is in the body of the loop with this head, the head included. */
  readonly bodyOf: (head: number) => Uint8Array;
}

export function naturalLoops(insns: Slots, { functions, callsBack }: ControlFlow): NaturalLoops {
  const latches = new Map<number, number[]>();
  for (const start of functions) walk(insns, start, latches);
  // A call that calls back is a loop by itself.
  for (const pc of callsBack) latches.set(pc, [...(latches.get(pc) ?? []), pc]);
  const bodies = new Map<number, Uint8Array>();
  let ways: readonly (readonly number[])[] | undefined;
  return {
    isHead: (pc) => latches.has(pc),
    bodyOf(head) {
      let body = bodies.get(head);
      if (body === undefined) {
        ways ??= predecessors(insns);
        body = bodyFrom(insns.length, head, latches.get(head) ?? [], ways);
        bodies.set(head, body);
      }
      return body;
    },
  };
}

const [UNSEEN, OPEN, DONE] = [0, 1, 2];

/** Notes, for each head in a function, from where the walk came back to it. */
function walk(insns: Slots, start: number, latches: Map<number, number[]>): void {
  const marks = new Uint8Array(insns.length);
  const path: { readonly pc: number; readonly next: readonly number[]; taken: number }[] = [];
  const enter = (pc: number): void => {
    marks[pc] = OPEN;
    path.push({ pc, next: successors(insns, pc), taken: 0 });
  };
  enter(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const to = top.next[top.taken];
    top.taken += 1;
    if (to === undefined) {
      marks[top.pc] = DONE;
      path.pop();
    } else if (marks[to] === OPEN) latches.set(to, [...(latches.get(to) ?? []), top.pc]);
    else if (marks[to] === UNSEEN) enter(to);
  }
}

function predecessors(insns: Slots): readonly (readonly number[])[] {
  const ways: number[][] = Array.from({ length: insns.length }, () => []);
  insns.forEach((insn, pc) => {
    if (insn !== undefined) for (const to of successors(insns, pc)) ways[to]?.push(pc);
  });
  return ways;
}

function bodyFrom(
  count: number,
  head: number,
  latches: readonly number[],
  ways: readonly (readonly number[])[],
): Uint8Array {
  const body = new Uint8Array(count);
  body[head] = 1;
  const pending = [...latches];
  for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
    if (body[pc] === 1) continue;
    body[pc] = 1;
    pending.push(...(ways[pc] ?? []));
  }
  return body;
}
