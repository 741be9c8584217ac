/**
 * The evidence of an accepted program: abstract states at program points, and which of them the paths from each end in.
 *
 * A node claims: from every machine state in γ(state), standing at `pc`, the program runs safely to its exit. Nodes are in an order such
 * that each rests on earlier ones alone, so the claims hold by induction and every run ends. The last node is the program's start.
 *
 * *Global functions* are not followed where they are called. Each that is called has a root of its own, a node at its first instruction whose state stands for
 * all arguments of its prototype: from there every run is safe until the function returns. Roots come before the nodes that call their functions.
 *
 * *Loops.* A node with a `measure` is the head of a loop. Nodes that its claim rests on may lie inside of the loop: they come before it, as all
 * do, and list it among their `loops`. Their state has a ghost (absint/state.ts), which stands for what the counter was when the run
 * last passed the head. A path from such a node may end in the head, too, where the head's state includes the path's and the counter has made
 * progress over the ghost. So a node inside of loops claims: if the head of each is safe from all states that have made progress
 * over its ghost, then every run from here is safe and ends. Since no counter makes progress for ever, the head is safe from all of its states.
 */

/** Where a number is kept: a register or a stack slot (slot s is the eight bytes from -8 * (s + 1) on) of an active frame. */
export type Place =
  | { readonly kind: "register"; readonly frame: number; readonly register: number }
  | { readonly kind: "slot"; readonly frame: number; readonly slot: number };

/** How two values of a counter are compared: by all 64 bits or the low 32, with or without a sign. */
export interface Order {
  readonly bits: 32 | 64;
  readonly signed: boolean;
}

/** Why a loop ends: each time that its head is passed, the number in a place is greater than before, or less. */
export interface Measure {
  readonly kind: "counter";
  readonly place: Place;
  readonly order: Order;
  readonly direction: "up" | "down";
}

export interface CertificateNode {
  readonly pc: number;
  /** The state in its packed layout (absint/state.ts), with as many ghosts as there are `loops`. */
  readonly state: Uint8Array;
  /** The earlier nodes that the paths from here may end in, ascending. */
  readonly edges: readonly number[];
  /** The heads of the loops that the node is inside of, outermost first: all of them later nodes, each inside of those before it. */
  readonly loops: readonly number[];
  /** If the node is the head of a loop. */
  readonly measure?: Measure;
}

export interface Certificate {
  readonly nodes: readonly CertificateNode[];
  /** The nodes that are the starts of global functions, ascending. The program's own start, the last node, is not among them. */
  readonly roots: readonly number[];
}
