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

/** So many bytes of states are made in the arena before they are copied out of it. */
const DRAFT_BYTES = 1 << 16;

/** The packed states, as parts of one block outside the arena. */
function statesOf(finished: readonly Checkpoint[]): readonly Uint8Array[] {
  const sizes = finished.map((checkpoint) => expandedBytes(checkpoint.finished));
  const block = new Uint8Array(sizes.reduce((a, b) => a + b, 0));
  const room = sizes.reduce((a, b) => Math.max(a, b), DRAFT_BYTES);
  const draft = allocate(room);
  /** What has been copied to the block, and what waits in the draft. */
  let copied = 0;
  let waiting = 0;
  const copyOut = (): void => {
    block.set(arena.u8.subarray(draft, draft + waiting), copied);
    copied += waiting;
    waiting = 0;
  };
  const states = finished.map((checkpoint, i) => {
    const size = sizes[i] ?? 0;
    if (waiting + size > room) copyOut();
    expand(checkpoint.finished, draft + waiting);
    waiting += size;
    const end = copied + waiting;
    return block.subarray(end - size, end);
  });
  copyOut();
  release(draft, room);
  return states;
}

const OF_NO_LOOP: readonly number[] = [];

/** @param first  the position of the first node that the checkpoint's rank counts from */
function nodeOf({ pc, edges, loops, head }: Checkpoint, state: Uint8Array, first: number): CertificateNode {
  const node = {
    pc,
    state,
    edges: inOrder(edges, first),
    loops: loops.length === 0 ? OF_NO_LOOP : loops.map((loop) => first + loop.rank),
  };
  return head?.measure === undefined ? node : { ...node, measure: head.measure };
}

/** Lists that are shorter are put in order as they are read: `sort` takes long to begin. */
const SHORT = 16;

/** Where short lists are put in order: what is taken of it has no room left over, of which lists that grow have much. */
const RANKS: number[] = Array.from({ length: SHORT }, () => 0);

/** The ranks of checkpoints, counted from `first`, from the lowest on, each once. */
function inOrder(checkpoints: readonly Checkpoint[], first: number): number[] {
  if (checkpoints.length > SHORT) {
    return [...new Set(checkpoints.map(({ rank }) => first + rank))].sort((a, b) => a - b);
  }
  let count = 0;
  for (const checkpoint of checkpoints) {
    const rank = first + checkpoint.rank;
    let at = count;
    while (at > 0 && (RANKS[at - 1] ?? 0) > rank) at -= 1;
    if (at > 0 && RANKS[at - 1] === rank) continue;
    for (let i = count; i > at; i -= 1) RANKS[i] = RANKS[i - 1] ?? 0;
    RANKS[at] = rank;
    count += 1;
  }
  return RANKS.slice(0, count);
}
