/**
 * Programs that hold objects, drawn by chance: records of ring buffers, dynptrs, objects of their own types in lists, trees and map values, iterators, timers, exceptions. After
 * each operation a program writes down what came of it, in the map `out`. They are accepted by construction.
 */
import { readFileSync } from "node:fs";
import { generator } from "../../src/campaign/random.ts";
import { readPrograms } from "../../src/object/read.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { DYNPTR_OPERATIONS, RING_OPERATIONS } from "./dynptr-operations.ts";
import { OBJECT_OPERATIONS, OTHER_OPERATIONS } from "./object-operations.ts";
import { LINK, type Operation, TYPE, Writer } from "./object-writer.ts";

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
const RING_SIZE = 4096;

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

const KEPT_FIELDS = [
  [8, "own_plain", 20],
  [16, "own_holder", 48],
  [24, "own_item", 51],
  [32, "own_both", 54],
  [40, "own_list", 57],
].map(([offset, type, struct]) => ({ kind: "kptr_ref", offset, type, struct }));

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
  function overwritten(w) {
    if (w.random.below(2) === 0) w.overwrite("m", 24);
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
