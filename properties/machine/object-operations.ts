/** Operations on objects of a program's own types, on iterators and sections, as programs that are drawn by chance do them. */
import { KEPT, LINK, type Operation, TYPE, VALUE, type Writer } from "./object-writer.ts";

/** The arguments for the list, and the link of the object in r9. */
function intoList(w: Writer, list: number, link: number, end: string): void {
  w.pointer(1, "r6", list);
  w.pointer(2, "r9", link);
  w.line("r3 = 0", "r4 = 0");
  w.call(`bpf_list_push_${end}_impl`);
}

function intoTree(w: Writer, tree: number, link: number, compare: string): void {
  w.pointer(1, "r6", tree);
  w.pointer(2, "r9", link);
  w.line(`r3 = func ${compare}`, "r4 = 0", "r5 = 0");
  w.call("bpf_rbtree_add_impl");
}

function popped(w: Writer, list: number): void {
  w.lock();
  w.pointer(1, "r6", list);
  w.call(`bpf_list_pop_${w.pick(["front", "back"])}`);
  w.line("r9 = r0");
  w.unlock();
}

/** Puts the pointer in r2 into a field of `kept`; what was there is told of. */
function exchanged(w: Writer, field: number, end: string): void {
  w.pointer(1, "r8", field);
  w.call("bpf_kptr_xchg");
  w.line("r9 = r0");
  w.tell(0, end);
}

export const OBJECT_OPERATIONS: readonly Operation[] = [
  function push(w) {
    const end = w.label();
    w.make(TYPE.item, end);
    w.lock();
    intoList(w, VALUE.items, LINK.item, w.pick(["front", "back"]));
    w.out("r0");
    w.unlock();
    w.line(`${end}:`);
  },
  function pop(w) {
    const end = w.label();
    popped(w, VALUE.items);
    w.tell(LINK.item, end);
    w.line(`${end}:`);
  },
  function look(w) {
    const end = w.label();
    w.lock();
    w.pointer(1, "r6", VALUE.items);
    w.call(`bpf_list_${w.pick(["front", "back"])}`);
    w.line(`if r0 == 0 goto ${end}`, `r2 = *(u64 *)(r0 -${LINK.item})`);
    w.out("r2");
    w.line(`${end}:`);
    w.unlock();
  },
  function add(w) {
    const end = w.label();
    w.make(TYPE.leaf, end);
    w.lock();
    intoTree(w, VALUE.leaves, LINK.leaf, "lessleaf");
    w.out("r0");
    w.unlock();
    w.line(`${end}:`);
  },
  function shape(w) {
    const [end, right, first] = [w.label(), w.label(), w.label()];
    const number = (index: number): void => {
      w.line(`r2 = *(u64 *)(r0 -${LINK.leaf})`, "r2 += 1");
      w.out("r2", index);
    };
    w.lock();
    w.pointer(1, "r6", VALUE.leaves);
    w.call("bpf_rbtree_root");
    w.line(`if r0 == 0 goto ${end}`, "r9 = r0");
    number(0);
    for (const [index, side, next] of [
      [1, "left", right],
      [2, "right", first],
    ] as const) {
      w.pointer(1, "r6", VALUE.leaves);
      w.line("r2 = r9");
      w.call(`bpf_rbtree_${side}`);
      w.line(`if r0 == 0 goto ${next}`);
      number(index);
      w.line(`${next}:`);
    }
    w.pointer(1, "r6", VALUE.leaves);
    w.call("bpf_rbtree_first");
    w.line(`if r0 == 0 goto ${end}`);
    number(3);
    w.line(`${end}:`);
    w.unlock();
  },
  function remove(w) {
    const [end, none, away] = [w.label(), w.label(), w.label()];
    const which = w.pick(["first", "root", "left", "right"]);
    w.lock();
    w.pointer(1, "r6", VALUE.leaves);
    w.call(`bpf_rbtree_${which === "first" ? "first" : "root"}`);
    w.line(`if r0 == 0 goto ${none}`);
    if (which === "left" || which === "right") {
      w.line("r2 = r0");
      w.pointer(1, "r6", VALUE.leaves);
      w.call(`bpf_rbtree_${which}`);
      w.line(`if r0 == 0 goto ${none}`);
    }
    w.line("r2 = r0");
    w.pointer(1, "r6", VALUE.leaves);
    w.call("bpf_rbtree_remove");
    w.line("r9 = r0");
    w.unlock();
    w.tell(LINK.leaf, end);
    w.line(`goto ${away}`, `${none}:`);
    w.unlock();
    w.line(`${end}:`, `${away}:`);
  },
  function both(w) {
    const end = w.label();
    const twice = w.pick([false, false, true]);
    w.make(TYPE.both, end);
    w.line("r1 = r9", "r2 = 0");
    w.call("bpf_refcount_acquire_impl");
    w.line("*(u64 *)(r10 -8) = r0");
    w.lock();
    intoList(w, VALUE.bothList, LINK.bothList, w.pick(["front", "back"]));
    w.out("r0");
    w.line("r9 = *(u64 *)(r10 -8)");
    if (twice) intoList(w, VALUE.bothList, LINK.bothList, "front");
    else intoTree(w, VALUE.bothTree, LINK.bothTree, "lessboth");
    w.out("r0", 1);
    w.unlock();
    w.line(`${end}:`);
  },
  function bothOut(w) {
    const [end, gone] = [w.label(), w.label()];
    popped(w, VALUE.bothList);
    w.line(`if r9 == 0 goto ${end}`, `r9 += -${LINK.bothList}`, "r2 = *(u64 *)(r9 +0)");
    w.out("r2");
    w.lock();
    w.pointer(1, "r6", VALUE.bothTree);
    w.pointer(2, "r9", LINK.bothTree);
    w.call("bpf_rbtree_remove");
    w.line("*(u64 *)(r10 -8) = r0");
    w.unlock();
    w.drop("r9");
    w.line("r9 = *(u64 *)(r10 -8)");
    w.tell(LINK.bothTree, gone);
    w.line(`${gone}:`, `${end}:`);
  },
  function put(w) {
    const end = w.label();
    w.make(TYPE.plain, end);
    w.line("r2 = r9");
    exchanged(w, KEPT.plain, end);
    w.line(`${end}:`);
  },
  function take(w) {
    const end = w.label();
    w.line("r2 = 0");
    exchanged(w, w.pick([KEPT.plain, KEPT.item]), end);
    w.line(`${end}:`);
  },
  function keepItem(w) {
    const end = w.label();
    popped(w, VALUE.items);
    w.line(`if r9 == 0 goto ${end}`, `r9 += -${LINK.item}`, "r2 = r9");
    exchanged(w, KEPT.item, end);
    w.line(`${end}:`);
  },
  function overwritten(w) {
    if (w.random.below(3) !== 0) return;
    if (w.pick([true, false])) w.overwrite("kept", 48);
    else w.overwrite("values", 80);
  },
  function keptItem(w) {
    const end = w.label();
    w.line("r2 = 0");
    w.pointer(1, "r8", KEPT.item);
    w.call("bpf_kptr_xchg");
    w.line(`if r0 == 0 goto ${end}`, "r9 = r0");
    w.lock();
    intoList(w, VALUE.items, LINK.item, "back");
    w.out("r0");
    w.unlock();
    w.line(`${end}:`);
  },
];

/** Where an iterator, or saved flags, lie on the stack. */
const SLOT = -24;

const MANY = [-3, -1, 0, 1, 2, 7, 40];

export const OTHER_OPERATIONS: readonly Operation[] = [
  function numbers(w) {
    const [again, end] = [w.label(), w.label()];
    const start = w.pick(MANY);
    const stop = w.pick([...MANY, 0x7fff_fff0]);
    // As many steps as that would take too long here.
    const from = stop > 100 && start >= 0 ? -0x7fff_fff0 : start;
    w.pointer(1, "r10", SLOT);
    w.line(`w2 = ${from}`, `w3 = ${stop}`);
    w.call("bpf_iter_num_new");
    w.out("r0");
    w.line("r9 = 0", `${again}:`);
    w.pointer(1, "r10", SLOT);
    w.call("bpf_iter_num_next");
    w.line(`if r0 == 0 goto ${end}`, "r2 = *(u32 *)(r0 +0)", "r9 += r2", `goto ${again}`, `${end}:`);
    w.pointer(1, "r10", SLOT);
    w.call("bpf_iter_num_destroy");
    w.out("r9", 1);
  },
  function sections(w) {
    const name = w.pick(["bpf_rcu_read", "bpf_preempt"]);
    const [enter, leave] = name === "bpf_preempt" ? ["_disable", "_enable"] : ["_lock", "_unlock"];
    w.call(`${name}${enter}`);
    w.line(`r2 = ${w.random.below(100)}`);
    w.out("r2");
    w.call(`${name}${leave}`);
  },
  function interrupts(w) {
    w.pointer(1, "r10", SLOT);
    w.call("bpf_local_irq_save");
    w.line(`r2 = ${w.random.below(100)}`);
    w.out("r2");
    w.pointer(1, "r10", SLOT);
    w.call("bpf_local_irq_restore");
  },
];
