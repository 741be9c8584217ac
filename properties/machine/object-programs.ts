/**
 * Programs that hold objects, drawn by chance: records of ring buffers, dynptrs, objects of their own types in lists, trees and map values, iterators, timers, exceptions. After
 * each operation a program writes down what came of it, in the map `out`. They are accepted by construction.
 */
import { readFileSync } from "node:fs";
import { generator, type Random } from "../../src/campaign/random.ts";
import { readPrograms } from "../../src/object/read.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";

export interface ObjectProgram {
  readonly program: Program;
  readonly asm: string;
  /** The helpers and kernel functions that it calls, a name for each call. */
  readonly calls: readonly string[];
}

/** Bytes of `out` for each operation. */
export const RECORD = 40;
const MOST_OPERATIONS = 8;
const OUT_SIZE = RECORD * MOST_OPERATIONS;
export const RING_SIZE = 4096;

/** A bundle of the corpus whose types have everything: what its maps and structures are called and where their fields are. */
const OBJECTS = "rbtree-an-object-added.prog.json";
const TIMERS = "timer-cancelled.prog.json";

interface Bundle {
  readonly btf: string;
  readonly maps: readonly { readonly name: string }[];
  readonly func_info?: readonly { readonly insn: number; readonly type_id: number }[];
}

function bundle(name: string): Bundle {
  const text = readFileSync(new URL(`../../corpus/verifier/${name}`, import.meta.url), "utf8");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the corpus's own file, which the reader checks below
  return JSON.parse(text) as Bundle;
}

const map = (name: string, value: number): object => ({
  name,
  type: "array",
  key_size: 4,
  value_size: value,
  max_entries: 1,
  flags: 0,
});
const RING = { name: "ring", type: "ringbuf", key_size: 0, value_size: 0, max_entries: RING_SIZE, flags: 0 };

/** Ids of the bundle's types. */
const TYPE = { leaf: 50, item: 51, both: 54, plain: 20, kept: 35, less: 18, main: 7, key: 6 } as const;
/** Where the lock, lists and trees are in a value, and links in objects. */
const VALUE = { items: 8, leaves: 24, bothList: 40, bothTree: 56 } as const;
const LINK = { item: 8, leaf: 8, bothList: 16, bothTree: 40 } as const;
const KEPT = { plain: 8, item: 24 } as const;
const KEPT_FIELDS = [
  [8, "own_plain", 20],
  [16, "own_holder", 48],
  [24, "own_item", 51],
  [32, "own_both", 54],
  [40, "own_list", 57],
].map(([offset, type, struct]) => ({ kind: "kptr_ref", offset, type, struct }));

/** Writes a program piece by piece. */
class Writer {
  readonly random: Random;
  readonly calls: string[] = [];
  text = "";
  /** Where in `out` the operation has its record. */
  at = 0;
  #labels = 0;

  constructor(random: Random) {
    this.random = random;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.random.below(list.length)];
    if (found === undefined) throw new Error("nothing to choose from");
    return found;
  }

  line(...lines: readonly string[]): void {
    for (const line of lines) this.text += `${line}\n`;
  }

  label(): string {
    this.#labels += 1;
    return `l${this.#labels}`;
  }

  call(name: string): void {
    this.calls.push(name.replace(/_impl$/, ""));
    this.line(`call ${name}`);
  }

  /** Writes a register to place `index` of the record. */
  out(register: string, index = 0): void {
    this.line(`*(u64 *)(r7 +${this.at + 8 * index}) = ${register}`);
  }

  lock(): void {
    this.line("r1 = r6");
    this.call("bpf_spin_lock");
  }

  unlock(): void {
    this.line("r1 = r6");
    this.call("bpf_spin_unlock");
  }

  pointer(register: number, base: string, offset: number): void {
    this.line(`r${register} = ${base}`);
    if (offset !== 0) this.line(`r${register} += ${offset}`);
  }

  /** r9 is a new object with a number in it; goes to `end` if there is no memory. */
  make(type: number, end: string): void {
    this.line(`r1 = ${type}`, "r2 = 0");
    this.call("bpf_obj_new_impl");
    this.line(`if r0 == 0 goto ${end}`, "r9 = r0", `*(u64 *)(r9 +0) = ${this.random.below(8)}`);
  }

  drop(register: string): void {
    this.line(`r1 = ${register}`, "r2 = 0");
    this.call("bpf_obj_drop_impl");
  }

  /** The number of the object that r9 owns, by a link, is written down, and the object dropped. */
  tell(link: number, end: string): void {
    this.line(`if r9 == 0 goto ${end}`);
    if (link !== 0) this.line(`r9 += -${link}`);
    this.line("r2 = *(u64 *)(r9 +0)");
    this.out("r2", 1);
    this.drop("r9");
  }
}

type Operation = (w: Writer) => void;

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

const OBJECT_OPERATIONS: readonly Operation[] = [
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

const SLOT = { iterator: -24, dynptr: -40, clone: -56, buffer: -128 } as const;
const BUFFER = 64;

/** Fills the buffer on the stack with bytes. */
function fillBuffer(w: Writer): void {
  for (let at = 0; at < BUFFER; at += 8) {
    w.line(`*(u64 *)(r10 ${SLOT.buffer + at}) = ${w.random.below(0x7fff_ffff)}`);
  }
}

const MANY = [-3, -1, 0, 1, 2, 7, 40];

const OTHER_OPERATIONS: readonly Operation[] = [
  function numbers(w) {
    const [again, end] = [w.label(), w.label()];
    const start = w.pick(MANY);
    const stop = w.pick([...MANY, 0x7fff_fff0]);
    // As many steps as that would take too long here.
    const from = stop > 100 && start >= 0 ? -0x7fff_fff0 : start;
    w.pointer(1, "r10", SLOT.iterator);
    w.line(`w2 = ${from}`, `w3 = ${stop}`);
    w.call("bpf_iter_num_new");
    w.out("r0");
    w.line("r9 = 0", `${again}:`);
    w.pointer(1, "r10", SLOT.iterator);
    w.call("bpf_iter_num_next");
    w.line(`if r0 == 0 goto ${end}`, "r2 = *(u32 *)(r0 +0)", "r9 += r2", `goto ${again}`, `${end}:`);
    w.pointer(1, "r10", SLOT.iterator);
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
    w.pointer(1, "r10", SLOT.iterator);
    w.call("bpf_local_irq_save");
    w.line(`r2 = ${w.random.below(100)}`);
    w.out("r2");
    w.pointer(1, "r10", SLOT.iterator);
    w.call("bpf_local_irq_restore");
  },
];

const FLAGS = [0, 0, 0, 0, 1, 2, 4];
const LENGTHS = [0, 1, 7, 8, 16, 33, 60, 64];

const RING_OPERATIONS: readonly Operation[] = [
  function output(w) {
    fillBuffer(w);
    w.line("r1 = map[ring]");
    w.pointer(2, "r10", SLOT.buffer);
    w.line(`r3 = ${w.pick(LENGTHS)}`, `r4 = ${w.pick(FLAGS)}`);
    w.call("bpf_ringbuf_output");
    w.out("r0");
  },
  function query(w) {
    w.line("r1 = map[ring]", `r2 = ${w.random.below(6)}`);
    w.call("bpf_ringbuf_query");
    w.out("r0");
  },
  function reserve(w) {
    const end = w.label();
    const size = w.pick([0, 1, 8, 24, 100, 1000, 4088, 4096, 8192]);
    w.line("r1 = map[ring]", `r2 = ${size}`, `r3 = ${w.pick([0, 0, 0, 1])}`);
    w.call("bpf_ringbuf_reserve");
    w.line(`if r0 == 0 goto ${end}`);
    if (size >= 8)
      w.line(`*(u64 *)(r0 +${8 * w.random.below(Math.floor(size / 8))}) = ${w.random.below(1000)}`);
    w.line("r2 = 1");
    w.out("r2");
    w.line("r1 = r0", `r2 = ${w.pick([0, 1, 2])}`);
    w.call(`bpf_ringbuf_${w.pick(["submit", "discard"])}`);
    w.line(`${end}:`);
  },
];

/** What is done with a dynptr; place 1 and on of the record are told in. */
const DYNPTR_STEPS: readonly ((w: Writer, at: number, index: number) => void)[] = [
  function read(w, at, index) {
    const size = w.pick(LENGTHS);
    w.pointer(1, "r10", SLOT.buffer);
    w.line(`r2 = ${size}`);
    w.pointer(3, "r10", at);
    w.line(`r4 = ${w.pick([0, 0, 1, 8, 50, 64, 300])}`, `r5 = ${w.pick([0, 0, 0, 1])}`);
    w.call("bpf_dynptr_read");
    w.line(`r2 = *(u64 *)(r10 ${SLOT.buffer})`, "r2 ^= r0");
    w.out("r2", index);
  },
  function write(w, at, index) {
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 0, 1, 8, 50, 64, 300])}`);
    w.pointer(3, "r10", SLOT.buffer);
    w.line(`r4 = ${w.pick(LENGTHS)}`, `r5 = ${w.pick([0, 0, 0, 0, 1, 4])}`);
    w.call("bpf_dynptr_write");
    w.out("r0", index);
  },
  function data(w, at, index) {
    const end = w.label();
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 0, 1, 8, 56, 60])}`, "r3 = 8");
    w.call("bpf_dynptr_data");
    w.line(`if r0 == 0 goto ${end}`, "r2 = *(u64 *)(r0 +0)", `*(u64 *)(r0 +0) = ${w.random.below(99)}`);
    w.out("r2", index);
    w.line(`${end}:`);
  },
  function size(w, at, index) {
    w.pointer(1, "r10", at);
    const name = w.pick(["bpf_dynptr_size", "bpf_dynptr_is_null", "bpf_dynptr_is_rdonly"]);
    w.call(name);
    // Of a truth value only the lowest byte is one, and a size has 32 bits on Linux 6.18.
    w.line(name === "bpf_dynptr_size" ? "w0 = w0" : "r0 &= 255");
    w.out("r0", index);
  },
  function adjust(w, at, index) {
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 1, 8, 30])}`, `r3 = ${w.pick([0, 8, 30, 60, 64, 100])}`);
    w.call("bpf_dynptr_adjust");
    w.out("r0", index);
  },
  function slice(w, at, index) {
    const end = w.label();
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 0, 1, 8, 50, 64])}`);
    w.pointer(3, "r10", SLOT.buffer);
    w.line("r4 = 8");
    w.call(w.pick(["bpf_dynptr_slice", "bpf_dynptr_slice_rdwr"]));
    w.line(`if r0 == 0 goto ${end}`, "r2 = *(u64 *)(r0 +0)");
    w.out("r2", index);
    w.line(`${end}:`);
  },
  function fill(w, at, index) {
    w.pointer(1, "r10", at);
    w.line(`r2 = ${w.pick([0, 1, 8, 50])}`, `r3 = ${w.pick(LENGTHS)}`, `r4 = ${w.random.below(256)}`);
    w.call("bpf_dynptr_memset");
    w.out("r0", index);
  },
];

function steps(w: Writer, at: number): void {
  for (let index = 1; index <= 3; index += 1) w.pick(DYNPTR_STEPS)(w, at, index);
}

/** A copy is made, and something done with it and with a copy of its bytes. */
function cloned(w: Writer): void {
  if (w.pick([true, false])) return steps(w, SLOT.dynptr);
  w.pointer(1, "r10", SLOT.dynptr);
  w.pointer(2, "r10", SLOT.clone);
  w.call("bpf_dynptr_clone");
  w.out("r0", 4);
  w.pointer(1, "r10", SLOT.clone);
  w.line(`r2 = ${w.pick([0, 4, 40])}`);
  w.pointer(3, "r10", SLOT.dynptr);
  w.line(`r4 = ${w.pick([0, 4, 40])}`, `r5 = ${w.pick([0, 1, 8, 24, 64])}`);
  w.call("bpf_dynptr_copy");
  w.out("r0", 3);
  for (const index of [1, 2]) w.pick(DYNPTR_STEPS)(w, w.pick([SLOT.clone, SLOT.dynptr]), index);
}

const DYNPTR_OPERATIONS: readonly Operation[] = [
  function ofRecord(w) {
    fillBuffer(w);
    w.line(
      "r1 = map[ring]",
      `r2 = ${w.pick([0, 8, 60, 100, 4096, 0x1000000])}`,
      `r3 = ${w.pick([0, 0, 0, 1])}`,
    );
    w.pointer(4, "r10", SLOT.dynptr);
    w.call("bpf_ringbuf_reserve_dynptr");
    w.out("r0");
    cloned(w);
    w.pointer(1, "r10", SLOT.dynptr);
    w.line(`r2 = ${w.pick([0, 1, 2])}`);
    w.call(`bpf_ringbuf_${w.pick(["submit", "discard"])}_dynptr`);
  },
  function ofValue(w) {
    fillBuffer(w);
    w.line("r1 = map_value[memory]+0", `r2 = ${w.pick([0, 8, 60, 64])}`, `r3 = ${w.pick([0, 0, 0, 1])}`);
    w.pointer(4, "r10", SLOT.dynptr);
    w.call("bpf_dynptr_from_mem");
    w.out("r0");
    cloned(w);
  },
  function ofPacket(w) {
    fillBuffer(w);
    w.line("r1 = *(u64 *)(r10 -16)", `r2 = ${w.pick([0, 0, 0, 1])}`);
    w.pointer(3, "r10", SLOT.dynptr);
    w.call("bpf_dynptr_from_skb");
    w.out("r0");
    cloned(w);
  },
];

const TIMER_OPERATIONS: readonly Operation[] = [
  function init(w) {
    w.pointer(1, "r6", 8);
    w.line("r2 = map[m]", `r3 = ${w.pick([0, 1, 2, 7, 8, 16])}`);
    w.call("bpf_timer_init");
    w.out("r0");
  },
  function callback(w) {
    w.pointer(1, "r6", 8);
    w.line("r2 = func later");
    w.call("bpf_timer_set_callback");
    w.out("r0");
  },
  function start(w) {
    w.pointer(1, "r6", 8);
    // Far enough not to happen before the program is gone.
    w.line("r2 = 1000000000000 ll", `r3 = ${w.pick([0, 0, 2, 4])}`);
    w.call("bpf_timer_start");
    w.out("r0");
  },
  function cancel(w) {
    w.pointer(1, "r6", 8);
    w.call("bpf_timer_cancel");
    w.out("r0");
  },
];

/** A look-up of a map's only element, into a register; the program ends if there is none. */
const lookUp = (name: string, register: string): string =>
  `*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[${name}]\ncall bpf_map_lookup_elem\nif r0 == 0 goto none\n${register} = r0\n`;

/** A function that compares the numbers of two objects, by links that lie so far behind them. */
const less = (name: string, link: number): string => `${name}:
r1 = *(u64 *)(r1 -${link})
r2 = *(u64 *)(r2 -${link})
r0 = 1
if r1 < r2 goto ${name}end
r0 = 0
${name}end:
exit
`;

/** Functions of the program, by name; only those that are used are part of it. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  lessleaf: less("lessleaf", LINK.leaf),
  lessboth: less("lessboth", LINK.bothTree),
  later: "later:\nr0 = 0\nexit\n",
};

/** The family of programs: what they do, and the types they have. */
export const FAMILIES = ["objects", "dynptrs", "timers"] as const;
export type Family = (typeof FAMILIES)[number];

const KFUNC =
  /^bpf_(?:obj|list|rbtree|refcount|iter|rcu|preempt|local_irq|throw|dynptr_(?:from_skb|size|is|adjust|slice|clone|copy|memset))/;

/** A program of a family, by a seed. */
export function objectProgram(family: Family, seed: number): ObjectProgram {
  const w = new Writer(generator(seed));
  const timers = family === "timers";
  const { btf, maps, func_info: functions = [] } = bundle(timers ? TIMERS : OBJECTS);
  const operations = {
    objects: [...OBJECT_OPERATIONS, ...OBJECT_OPERATIONS, ...OTHER_OPERATIONS],
    dynptrs: [...DYNPTR_OPERATIONS, ...DYNPTR_OPERATIONS, ...RING_OPERATIONS],
    timers: TIMER_OPERATIONS,
  }[family];
  w.line("*(u64 *)(r10 -16) = r1", "r7 = map_value[out]+0");
  if (timers) w.text += lookUp("m", "r6");
  else if (family === "objects") w.text += lookUp("values", "r6") + lookUp("kept", "r8");
  const count = 1 + w.random.below(MOST_OPERATIONS);
  for (let i = 0; i < count; i += 1) {
    w.at = RECORD * i;
    w.pick(operations)(w);
  }
  if (family === "objects" && w.random.below(4) === 0) {
    w.line(`w1 = ${w.random.below(3)}`);
    w.call("bpf_throw");
  }
  w.line("none:", "r0 = 0", "exit");
  const own = timers
    ? [map("out", OUT_SIZE), ...maps]
    : [
        map("out", OUT_SIZE),
        map("memory", 64),
        RING,
        ...maps.filter(({ name }) => name === "values"),
        { ...map("kept", 48), btf_key: TYPE.key, btf_value: TYPE.kept, fields: KEPT_FIELDS },
      ];
  const used = Object.entries(FUNCTIONS).filter(([name]) => w.text.includes(`func ${name}`));
  const asm = w.text + used.map(([, text]) => text).join("");
  const kfuncs = [...new Set([...asm.matchAll(/call (bpf_\w+)/g)].map(([, name = ""]) => name))].filter(
    (name) => KFUNC.test(name),
  );
  const info = [{ insn: 0, type_id: timers ? functions[0]?.type_id : TYPE.main }];
  let length = lengthOf(w.text, own, kfuncs);
  for (const [, text] of used) {
    info.push({ insn: length, type_id: timers ? functions[1]?.type_id : TYPE.less });
    length += lengthOf(text, own, kfuncs);
  }
  const source = {
    name: `${family} ${seed}`,
    type: timers ? "xdp" : "sched_cls",
    license: "GPL",
    asm: asm.trim().split("\n"),
    maps: own,
    btf,
    func_info: info,
    ...(kfuncs.length === 0 ? {} : { kfuncs }),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(source));
  const [program] = readPrograms("objects.prog.json", bytes).programs;
  if (program === undefined) throw new Error("a bundle has a program");
  return { program, asm, calls: w.calls };
}

/** Slots of a part of the program. */
function lengthOf(text: string, maps: readonly object[], kfuncs: readonly string[]): number {
  return assemble(text.replaceAll(/func \w+/g, "0 ll"), { maps: maps.map(named), kfuncs }).length;
}

/** As much of a map as the assembler wants to know. */
function named(definition: object): { readonly name: string } {
  if (!("name" in definition) || typeof definition.name !== "string") throw new Error("a map without a name");
  return { name: definition.name };
}
