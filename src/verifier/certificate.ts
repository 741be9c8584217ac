/**
 * The evidence of an accepted program: abstract states at program points, and which of them the paths from each end in.
 *
 * A node claims: from every machine state in γ(state), standing at `pc`, the program runs safely to its exit. Nodes are in an order such
 * that each rests on earlier ones alone, so the claims hold by induction and every run ends. The last node is the program's start.
 */
export interface CertificateNode {
  readonly pc: number;
  /** The state in its packed layout (absint/state.ts). */
  readonly state: Uint8Array;
  /** The earlier nodes that the paths from here may end in, ascending. */
  readonly edges: readonly number[];
}

export interface Certificate {
  readonly nodes: readonly CertificateNode[];
}
