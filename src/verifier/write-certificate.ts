/** The certificate of what was explored. */
import { allocate, arena, release } from "../absint/arena.ts";
import type { Certificate, CertificateNode } from "./certificate.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Explored } from "./explore.ts";
import { expand, expandedBytes } from "./finished.ts";
import { isTimer, PROGRAM, type Root } from "./roots.ts";

/**
 * The finished states of all roots: those of a function before those of its callers, the program's last; no function calls itself, over however many others.
 * States that covered no other are there too: a generalised state has more paths than the exploration took, and what bounded those bounds these.
 */
export function writeCertificate(explored: readonly Explored[]): Certificate {
  const nodes: CertificateNode[] = [];
  const roots: number[] = [];
  const written = new Set<Root>([PROGRAM]);
  const write = ({ finished }: Explored): void => {
    const first = nodes.length;
    const states = statesOf(finished);
    for (const [i, state] of states.entries()) {
      const checkpoint = finished[i];
      if (checkpoint !== undefined) nodes.push(nodeOf(checkpoint, state, first));
    }
  };
  const writeFunction = (one: Explored): void => {
    if (written.has(one.root)) return;
    written.add(one.root);
    for (const other of explored) if (!isTimer(other.root) && one.needs.has(other.root)) writeFunction(other);
    write(one);
    roots.push(nodes.length - 1);
  };
  // Nothing rests on what timers call: it runs by itself.
  for (const each of explored) if (!isTimer(each.root)) writeFunction(each);
  for (const each of explored) if (isTimer(each.root)) writeFunction(each);
  for (const each of explored) if (each.root === PROGRAM) write(each);
  return { nodes, roots };
}

/** The packed states, as parts of one block outside the arena. */
function statesOf(finished: readonly Checkpoint[]): readonly Uint8Array[] {
  const sizes = finished.map((checkpoint) => expandedBytes(checkpoint.finished));
  const block = new Uint8Array(sizes.reduce((a, b) => a + b, 0));
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  const draft = allocate(most);
  let offset = 0;
  const states = finished.map((checkpoint, i) => {
    const size = sizes[i] ?? 0;
    expand(checkpoint.finished, draft);
    block.set(arena.u8.subarray(draft, draft + size), offset);
    offset += size;
    return block.subarray(offset - size, offset);
  });
  release(draft, most);
  return states;
}

/** @param first  the position of the first node that the checkpoint's rank counts from */
function nodeOf({ pc, edges, loops, head }: Checkpoint, state: Uint8Array, first: number): CertificateNode {
  const node = {
    pc,
    state,
    edges: inOrder(edges, first),
    loops: loops.map((loop) => first + loop.rank),
  };
  return head?.measure === undefined ? node : { ...node, measure: head.measure };
}

/** Lists that are shorter are put in order as they are read: `sort` takes long to begin. */
const SHORT = 16;

/** The ranks of checkpoints, counted from `first`, from the lowest on, each once. */
function inOrder(checkpoints: readonly Checkpoint[], first: number): number[] {
  if (checkpoints.length > SHORT) {
    return [...new Set(checkpoints.map(({ rank }) => first + rank))].sort((a, b) => a - b);
  }
  const ranks: number[] = [];
  for (const checkpoint of checkpoints) {
    const rank = first + checkpoint.rank;
    let at = ranks.length;
    while (at > 0 && (ranks[at - 1] ?? 0) > rank) at -= 1;
    if (at > 0 && ranks[at - 1] === rank) continue;
    for (let i = ranks.length; i > at; i -= 1) ranks[i] = ranks[i - 1] ?? 0;
    ranks[at] = rank;
  }
  return ranks;
}
