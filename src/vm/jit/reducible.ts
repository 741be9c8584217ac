/**
 * Loops of several entries, which no structured code has, get a single one: all ways to an entry set a label and lead to one block, which tells by the label where to go on.
 */
import { type Block, END, successorsAt } from "./flow.ts";
import { addPostorder } from "./postorder.ts";

/** Changes the blocks, and adds some, so that every loop has one entry. @param reachable  positions of the blocks that count */
export function makeReducible(blocks: Block[], reachable: readonly number[]): void {
  const all = [...reachable];
  const open: (readonly number[])[] = [all];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    for (const component of components(blocks, part)) {
      const inside = new Set(component);
      const entries = entriesOf(blocks, all, inside);
      if (entries.length > 1) {
        const { head, added } = dispatch(blocks, all, inside, entries);
        all.push(head, ...added.outside, ...added.inside);
        open.push([...component, ...added.inside]);
      } else open.push(component.filter((at) => at !== entries[0]));
    }
  }
}

/** The strongly connected components of a part that are loops: after Kosaraju and Sharir. */
function components(blocks: readonly Block[], part: readonly number[]): readonly (readonly number[])[] {
  const inside = new Set(part);
  const to = (at: number): readonly number[] => successorsAt(blocks, at).filter((each) => inside.has(each));
  const from = new Map<number, number[]>();
  for (const at of part) {
    for (const each of to(at)) {
      const list = from.get(each);
      if (list === undefined) from.set(each, [at]);
      else list.push(at);
    }
  }
  const order: number[] = [];
  const seen = new Uint8Array(blocks.length);
  for (const at of part) addPostorder(at, to, seen, order);
  const taken = new Uint8Array(blocks.length);
  const found: (readonly number[])[] = [];
  for (const at of order.toReversed()) {
    const component: number[] = [];
    addPostorder(at, (each) => from.get(each) ?? [], taken, component);
    const [only] = component;
    if (component.length > 1 || (only !== undefined && to(only).includes(only))) found.push(component);
  }
  return found;
}

/** The blocks of a part to which others lead that are not of it. */
function entriesOf(
  blocks: readonly Block[],
  all: readonly number[],
  inside: ReadonlySet<number>,
): readonly number[] {
  const entries = new Set<number>();
  for (const at of all) {
    if (inside.has(at)) continue;
    for (const to of successorsAt(blocks, at)) if (inside.has(to)) entries.add(to);
  }
  return [...entries];
}

interface Added {
  /** The new blocks that only ways from outside of the loop go through, and those inside of it, without its head. */
  readonly outside: readonly number[];
  readonly inside: readonly number[];
}

function dispatch(
  blocks: Block[],
  all: readonly number[],
  inside: ReadonlySet<number>,
  entries: readonly number[],
): { readonly head: number; readonly added: Added } {
  const add = (kind: number, label: number, next: number, taken: number): number => {
    blocks.push({ start: -1, end: -1, count: 0, kind, label, next, taken, shift: 0 });
    return blocks.length - 1;
  };
  const tests: number[] = [];
  let head = entries.at(-1) ?? 0;
  for (let i = entries.length - 2; i >= 0; i -= 1) {
    head = add(END.testLabel, i, head, entries[i] ?? 0);
    tests.push(head);
  }
  tests.pop();
  const setters = (): readonly number[] => entries.map((_, i) => add(END.setLabel, i, head, -1));
  const [fromOutside, fromInside] = [setters(), setters()];
  for (const at of all) {
    const block = blocks[at];
    if (block === undefined) continue;
    const through = inside.has(at) ? fromInside : fromOutside;
    const redirected = (to: number): number => {
      const entry = entries.indexOf(to);
      return entry < 0 ? to : (through[entry] ?? to);
    };
    block.next = redirected(block.next);
    block.taken = redirected(block.taken);
  }
  return { head, added: { outside: fromOutside, inside: [...fromInside, ...tests] } };
}
