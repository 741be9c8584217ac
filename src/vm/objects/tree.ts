/**
 * Red-black trees as Linux builds them (lib/rbtree.c): programs see their shape, by asking for the root and for children, and by how often nodes are compared. Which of two
 * nodes comes first is for others to say.
 */
import type { InField } from "./field.ts";
import { leaveAll, type Thing } from "./thing.ts";

/** One object's links. */
export class TreeNode {
  readonly thing: Thing;
  parent: TreeNode | undefined;
  left: TreeNode | undefined;
  right: TreeNode | undefined;
  red = true;

  constructor(thing: Thing) {
    this.thing = thing;
  }
}

export class Tree implements InField {
  /** Where an object has the link by which it is in this tree. */
  readonly link: number;
  root: TreeNode | undefined;
  readonly #nodes = new Map<Thing, TreeNode>();

  constructor(link: number) {
    this.link = link;
  }

  leave(): void {
    this.root = undefined;
    const things = [...this.things];
    this.#nodes.clear();
    leaveAll(things, this.link);
  }

  nodeOf(thing: Thing): TreeNode | undefined {
    return this.#nodes.get(thing);
  }

  get first(): TreeNode | undefined {
    let node = this.root;
    while (node?.left !== undefined) node = node.left;
    return node;
  }

  /** Every object in it. */
  get things(): Iterable<Thing> {
    return this.#nodes.keys();
  }

  /** Hangs an object below `parent`, which has no child on that side, or makes it the root. */
  insert(thing: Thing, parent: TreeNode | undefined, side: "left" | "right"): void {
    const node = new TreeNode(thing);
    this.#nodes.set(thing, node);
    node.parent = parent;
    if (parent === undefined) this.root = node;
    else parent[side] = node;
    this.#afterInsert(node);
  }

  #rotate(node: TreeNode, side: "left" | "right"): void {
    const other = side === "left" ? "right" : "left";
    const up = node[other];
    if (up === undefined) throw new Error("a tree is rotated around nothing");
    node[other] = up[side];
    if (up[side] !== undefined) up[side].parent = node;
    this.#replace(node, up);
    up[side] = node;
    node.parent = up;
  }

  /** Puts `next` in the place that `node` has below its parent. */
  #replace(node: TreeNode, next: TreeNode | undefined): void {
    const { parent } = node;
    if (parent === undefined) this.root = next;
    else if (parent.left === node) parent.left = next;
    else parent.right = next;
    if (next !== undefined) next.parent = parent;
  }

  #afterInsert(start: TreeNode): void {
    let node = start;
    while (node.parent?.red === true && node.parent.parent !== undefined) {
      const grand = node.parent.parent;
      const side = grand.left === node.parent ? "left" : "right";
      const other = side === "left" ? "right" : "left";
      const uncle = grand[other];
      if (uncle?.red === true) {
        node.parent.red = false;
        uncle.red = false;
        grand.red = true;
        node = grand;
        continue;
      }
      if (node === node.parent[other]) {
        node = node.parent;
        this.#rotate(node, side);
      }
      if (node.parent !== undefined) node.parent.red = false;
      grand.red = true;
      this.#rotate(grand, other);
    }
    if (this.root !== undefined) this.root.red = false;
  }

  /** Takes an object out; says no if it is not in the tree. */
  remove(thing: Thing): boolean {
    const node = this.#nodes.get(thing);
    if (node === undefined) return false;
    this.#nodes.delete(thing);
    const { left, right } = node;
    if (left === undefined || right === undefined) {
      const child = left ?? right;
      const { parent, red } = node;
      this.#replace(node, child);
      if (!red) this.#afterRemoval(child, parent);
      return true;
    }
    // The next node in order takes its place.
    let next = right;
    while (next.left !== undefined) next = next.left;
    const { right: child, red } = next;
    let { parent } = next;
    if (parent === node) parent = next;
    else {
      this.#replace(next, child);
      next.right = right;
      right.parent = next;
    }
    this.#replace(node, next);
    next.left = left;
    left.parent = next;
    next.red = node.red;
    if (!red) this.#afterRemoval(child, parent);
    return true;
  }

  /** On the way through `start`, which may be nothing, below `above`, there is one black node too few. */
  #afterRemoval(start: TreeNode | undefined, above: TreeNode | undefined): void {
    let node = start;
    let parent = above;
    while (parent !== undefined && node?.red !== true) {
      const side = parent.left === node ? "left" : "right";
      const other = side === "left" ? "right" : "left";
      let sibling = parent[other];
      if (sibling?.red === true) {
        sibling.red = false;
        parent.red = true;
        this.#rotate(parent, side);
        sibling = parent[other];
      }
      if (sibling === undefined) throw new Error("a tree has ways of different lengths");
      if (sibling.left?.red !== true && sibling.right?.red !== true) {
        sibling.red = true;
        node = parent;
        parent = node.parent;
        continue;
      }
      if (sibling[other]?.red !== true) {
        const inner = sibling[side];
        if (inner !== undefined) inner.red = false;
        sibling.red = true;
        this.#rotate(sibling, other);
        sibling = parent[other] ?? sibling;
      }
      sibling.red = parent.red;
      parent.red = false;
      const outer = sibling[other];
      if (outer !== undefined) outer.red = false;
      this.#rotate(parent, side);
      node = this.root;
      break;
    }
    if (node !== undefined) node.red = false;
  }
}
