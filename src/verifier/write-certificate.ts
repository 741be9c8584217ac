/** The certificate of what was explored. */
import { toBytes } from "../absint/state.ts";
import type { Certificate, CertificateNode } from "./certificate.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Explored } from "./explore.ts";
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
    for (const checkpoint of finished) nodes.push(nodeOf(checkpoint, first));
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

/** @param first  the position of the first node that the checkpoint's rank counts from */
function nodeOf({ pc, at, edges, loops, head }: Checkpoint, first: number): CertificateNode {
  const node = {
    pc,
    state: toBytes(at),
    edges: [...edges].map((to) => first + to.rank).sort((a, b) => a - b),
    loops: loops.map((loop) => first + loop.rank),
  };
  return head?.measure === undefined ? node : { ...node, measure: head.measure };
}
