/**
 * Code for a graph of values: where each value is computed, and what is kept in a local.
 *
 * A region is the function's body, the body of a loop, or a branch. A value goes to the deepest region that holds all its uses, but
 * out of every loop on which it does not depend. So a shared value is computed once, before the first use; a value of which one
 * branch alone has need is computed there alone; and what a loop does not change is computed before it.
 */
import type { FunctionBuilder } from "./function.ts";
import type { Load, Loop, Select, Value } from "./graph.ts";
import { binaryInstruction, isDivision, type StoreName, unaryInstruction } from "./instructions.ts";

/** `value` goes to memory at `offset` from the address in parameter `pointer`. */
export interface Store {
  readonly value: Value;
  readonly name: StoreName;
  readonly pointer: number;
  readonly offset: number;
}

type Node = Value | Loop;

/** A part of the code that is entered as a whole. */
interface Region {
  readonly parent: Region | undefined;
  readonly depth: number;
  /** Whose body this is. */
  readonly loop: Loop | undefined;
  /** What to compute before this region's loop or choice, since it is used inside but belongs outside. */
  readonly before: Set<Node>;
  /** Whether something costly is computed here. */
  costly: boolean;
}

interface Placement {
  readonly body: ReadonlyMap<Loop, Region>;
  readonly branches: ReadonlyMap<Select, readonly [Region, Region]>;
  /** Values that go to a local: used more than once, or from a deeper region. */
  readonly kept: ReadonlySet<Node>;
  /** The function's loads. */
  readonly loads: ReadonlySet<Load>;
}

function place(roots: readonly Value[]): Placement {
  const nodes: Node[] = [];
  const uses: Region[][] = [];
  const body = new Map<Loop, Region>();
  const branches = new Map<Select, readonly [Region, Region]>();
  const kept = new Set<Node>();
  const loads = new Set<Load>();
  const open = (parent: Region | undefined, loop?: Loop, before = new Set<Node>()): Region => ({
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    loop,
    before,
    costly: false,
  });
  const top = open(undefined);
  const use = (node: Node, region: Region): void => {
    const list = uses[node.id];
    if (list === undefined) {
      nodes[node.id] = node;
      uses[node.id] = [region];
    } else list.push(region);
  };
  for (const root of roots) use(root, top);

  // Uses have larger ids than what they use: by falling ids, all uses of a node are placed before it is.
  for (let id = Math.max(0, ...roots.map((r) => r.id)); id >= 0; id--) {
    const node = nodes[id];
    const from = uses[id];
    if (node === undefined || from === undefined) continue;
    const region = hoist(from.reduce(meet), node.loop);
    if (from.length > 1 || from[0] !== region) kept.add(node);
    for (const user of from) if (user !== region) childTowards(region, user).before.add(node);
    switch (node.kind) {
      case "loop": {
        markCostly(region);
        const inside = open(region, node);
        body.set(node, inside);
        for (const value of node.init) use(value, region);
        for (const value of node.step) use(value, inside);
        if (node.condition !== undefined) use(node.condition, inside);
        break;
      }
      case "select": {
        use(node.condition, region);
        if (node.a.costly || node.b.costly) {
          const before = new Set<Node>();
          const pair = [open(region, undefined, before), open(region, undefined, before)] as const;
          branches.set(node, pair);
          use(node.a, pair[0]);
          use(node.b, pair[1]);
        } else {
          use(node.a, region);
          use(node.b, region);
        }
        break;
      }
      case "unary":
        use(node.a, region);
        break;
      case "binary":
        if (isDivision(node.instruction.op)) markCostly(region);
        use(node.a, region);
        use(node.b, region);
        break;
      case "result":
        use(node.of, region);
        break;
      case "load":
        loads.add(node);
        break;
      case "constant":
      case "parameter":
      case "state":
        break;
    }
  }
  return { body, branches, kept, loads };
}

function markCostly(region: Region): void {
  for (let r: Region | undefined = region; r !== undefined && !r.costly; r = r.parent) r.costly = true;
}

/** The deepest region around both. */
function meet(a: Region, b: Region): Region {
  let [x, y] = [a, b];
  while (x !== y) {
    const [xUp, yUp] = [x.parent, y.parent];
    if (x.depth >= y.depth && xUp !== undefined) x = xUp;
    else if (yUp !== undefined) y = yUp;
    else throw new Error("regions of different functions");
  }
  return x;
}

/** Out of all loops within `loop`. */
function hoist(region: Region, loop: Loop | undefined): Region {
  let best = region;
  for (let r = region; r.parent !== undefined; r = r.parent) {
    if (r.loop === undefined) continue;
    if (r.loop === loop) break;
    best = r.parent;
  }
  return best;
}

/** The child of `ancestor` that is or holds `region`. */
function childTowards(ancestor: Region, region: Region): Region {
  let r = region;
  while (r.parent !== undefined && r.parent !== ancestor) r = r.parent;
  return r;
}

/** Writes code that stores every store's value, all loads being done before the first store, and leaves `result` on the stack. */
export function emit(code: FunctionBuilder, stores: readonly Store[], result: Value | undefined): void {
  const placement = place([...stores.map(({ value }) => value), ...(result === undefined ? [] : [result])]);
  const locals = new Map<Node, number>();
  const loopLocals = new Map<Loop, readonly number[]>();
  let loadsLeft = placement.loads.size;

  const localOf = (loop: Loop, position: number): number => {
    const local = loopLocals.get(loop)?.[position];
    if (local === undefined) throw new Error("a loop's state outside the loop");
    return local;
  };

  /** Leaves the value on the stack. */
  const push = (value: Value): void => {
    if (value.kind === "constant") return code.constant(value.type, value.value);
    if (value.kind === "parameter") return code.get(value.index);
    if (value.kind === "state") return code.get(localOf(value.of, value.position));
    if (value.kind === "result") {
      compute(value.of);
      return code.get(localOf(value.of, value.position));
    }
    const known = locals.get(value);
    if (known !== undefined) return code.get(known);
    operate(value);
    if (placement.kept.has(value)) {
      const local = code.local(value.type);
      locals.set(value, local);
      code.tee(local);
    }
  };

  const operate = (value: Value): void => {
    switch (value.kind) {
      case "load":
        code.get(value.pointer);
        code.load(value.name, value.offset);
        loadsLeft -= 1;
        break;
      case "unary":
        push(value.a);
        code.numeric(value.instruction);
        break;
      case "binary":
        push(value.a);
        push(value.b);
        code.numeric(value.instruction);
        break;
      case "select":
        choose(value);
        break;
      case "constant":
      case "parameter":
      case "state":
      case "result":
        throw new Error(`${value.kind} is no operation`);
    }
  };

  const choose = (value: Select): void => {
    const branches = placement.branches.get(value);
    for (const node of branches?.[0].before ?? []) compute(node);
    if (branches?.some((branch) => branch.costly) === true) {
      push(value.condition);
      code.if(value.type);
      push(value.a);
      code.else();
      push(value.b);
      code.end();
    } else {
      push(value.a);
      push(value.b);
      push(value.condition);
      code.select();
    }
  };

  /** Computes a node into its local, if it has none yet; leaves the stack as it was. */
  const compute = (node: Node): void => {
    if (node.kind === "loop") {
      if (!loopLocals.has(node)) run(node);
    } else if (node.kind === "result") compute(node.of);
    else if (
      node.kind !== "constant" &&
      node.kind !== "parameter" &&
      node.kind !== "state" &&
      !locals.has(node)
    ) {
      operate(node);
      const local = code.local(node.type);
      locals.set(node, local);
      code.set(local);
    }
  };

  const run = (loop: Loop): void => {
    const { init, step, condition, count } = loop;
    for (const node of placement.body.get(loop)?.before ?? []) compute(node);
    const state = init.map((value) => code.local(value.type));
    const counter = code.local("i32");
    for (const value of init) push(value);
    for (const local of state.toReversed()) code.set(local);
    code.constant("i32", 0n);
    code.set(counter);
    loopLocals.set(loop, [...state, counter]);
    code.block();
    code.loop();
    if (condition !== undefined) {
      push(condition);
      code.numeric(unaryInstruction("i32.eqz"));
      code.brIf(1);
    }
    // All of the next state is computed before any of it is assigned.
    const changed = step.flatMap((value, position) => {
      const same = value.kind === "state" && value.of === loop && value.position === position;
      return same ? [] : [{ value, local: localOf(loop, position) }];
    });
    for (const { value } of changed) push(value);
    for (const { local } of changed.toReversed()) code.set(local);
    code.get(counter);
    code.constant("i32", 1n);
    code.numeric(binaryInstruction("i32.add"));
    code.tee(counter);
    code.constant("i32", BigInt(count));
    code.numeric(binaryInstruction("i32.lt_u"));
    code.brIf(0);
    code.end();
    code.end();
  };

  const store = ({ value, name, pointer, offset }: Store): void => {
    code.get(pointer);
    push(value);
    code.store(name, offset);
  };
  const waiting: Store[] = [];
  for (const each of stores) {
    if (loadsLeft > 0) {
      compute(each.value);
      waiting.push(each);
    } else store(each);
    if (loadsLeft === 0) for (const late of waiting.splice(0)) store(late);
  }
  if (result === undefined) {
    if (waiting.length > 0) throw new Error("stores that wait for loads that never come");
    return;
  }
  if (waiting.length > 0) {
    compute(result);
    for (const late of waiting) store(late);
  }
  push(result);
}
