/** The certificate of what was explored. */
import { toBytes } from "../absint/state.ts";
import type { Certificate, CertificateNode } from "./certificate.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Explored } from "./explore.ts";

/**
 * The finished states of all starts: those of a function before those of its callers, the program's last; no function calls itself, over however many
 * others. States that covered no other are there too: a generalised state has more paths than the exploration took, and what bounded those bounds
 * these.
 */
export function writeCertificate(explored: readonly Explored[]): Certificate {
  const nodes: CertificateNode[] = [];
  const roots: number[] = [];
  const written = new Set<number>();
  const write = (start: number): void => {
    const found = explored.find((each) => each.start === start);
    if (found === undefined || written.has(start)) return;
    written.add(start);
    for (const called of found.calls) write(called);
    const first = nodes.length;
    for (const checkpoint of found.finished) nodes.push(nodeOf(checkpoint, first));
    if (start !== 0) roots.push(nodes.length - 1);
  };
  write(0);
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
