/** Kernel functions on trees of objects. bpf_rbtree_add asks a function of the program where the object belongs, so it takes several steps. */
import { EINVAL } from "../errno.ts";
import type { Call } from "../helpers/call.ts";
import { startCalling } from "../helpers/callback.ts";
import type { HelperTable } from "../helpers/helper.ts";
import { handOver, linkAt, takeOut, treeAt } from "../objects/links.ts";
import { take } from "../objects/own.ts";
import type { Tree, TreeNode } from "../objects/tree.ts";
import { give } from "./own-objects.ts";

/** A pointer to the object's link; null if there is none. */
const look = (call: Call, tree: Tree, node: TreeNode | undefined): number | undefined =>
  node === undefined ? 0 : give(call, node.thing, tree.link);

/** The node of r2 if it is in the tree of r1. */
function member(call: Call): readonly [Tree, TreeNode | undefined] {
  const tree = treeAt(call);
  return [tree, tree.nodeOf(linkAt(call, 2, "rb_node").thing)];
}

function neighbour(call: Call, side: "left" | "right"): number | undefined {
  const [tree, node] = member(call);
  return look(call, tree, node?.[side]);
}

function remove(call: Call): number | undefined {
  const [tree, node] = member(call);
  if (node === undefined) return 0;
  tree.remove(node.thing);
  takeOut(call, { thing: node.thing, offset: tree.link }, tree);
  take(call, node.thing);
  return give(call, node.thing, tree.link);
}

/** More than the steps from the root of any tree to a leaf. */
const DEEPEST = 128;

/** Begins to look for the place of a new object in a tree. */
export function beginAddition(call: Call): void {
  const tree = treeAt(call);
  const link = linkAt(call, 2, "rb_node");
  const entry = call.functionStart(3);
  const { state } = call;
  const isNew = handOver(call, link, tree);
  let parent: TreeNode | undefined;
  let side: "left" | "right" = "left";
  let current = isNew ? tree.root : undefined;
  const region = state.things.regionOf(link.thing);
  startCalling(state, entry, {
    runs: DEEPEST,
    next() {
      const node = current;
      if (node === undefined) return undefined;
      return () => {
        state.setPointer(1, region, link.offset);
        state.setPointer(2, state.things.regionOf(node.thing), tree.link);
      };
    },
    answer(isLess) {
      parent = current;
      side = isLess === 0n ? "right" : "left";
      current = current?.[side];
      return false;
    },
    result() {
      if (isNew) tree.insert(link.thing, parent, side);
      return isNew ? 0 : EINVAL >>> 0;
    },
  });
}

export const TREE_FUNCTIONS: HelperTable = {
  bpf_rbtree_remove: remove,
  bpf_rbtree_first: (call) => {
    const tree = treeAt(call);
    return look(call, tree, tree.first);
  },
  bpf_rbtree_root: (call) => {
    const tree = treeAt(call);
    return look(call, tree, tree.root);
  },
  bpf_rbtree_left: (call) => neighbour(call, "left"),
  bpf_rbtree_right: (call) => neighbour(call, "right"),
};
