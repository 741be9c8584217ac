/** One call of a kernel function: what its arguments have said while they are checked, and what the parts of its prototype are taken for. */
import type { KfuncFacts, KfuncFlag, KfuncValue } from "../../../semantics/profile/profile.ts";
import type { SlotPlace } from "../counted-slots.ts";
import type { Dynptr } from "../dynptr-slots.ts";
import type { Target } from "../machine.ts";

export interface KfuncCall {
  readonly facts: KfuncFacts;
  /** The reference that an argument rests on; 0 for none. */
  reference: number;
  /** The argument that is given back. */
  released: Target | undefined;
  /** Bytes of memory that an argument asks for as the result, and whether they may be written. */
  result: { readonly size: number; readonly readOnly: boolean } | undefined;
  /** Where the iterator is that the function is about. */
  iterator: SlotPlace | undefined;
  /** The dynptrs that it is given, in their order, but for those that it makes. */
  readonly dynptrs: Dynptr[];
  /** The dynptr that is given back. */
  releasedDynptr: Dynptr | undefined;
  /** The size of memory that has to be a known constant. */
  constantSize: number | undefined;
  /** Another argument that has to be a known constant; no function has two. */
  constant: number | undefined;
  /** Where on the stack of a function that was called the buffer is that a slice may be; 0 if it is elsewhere. */
  lent: number;
  /** Memory of the program's own stands where an object of the kernel might. */
  memoryAsObject: boolean;
  /** Buffers that the function may write, once all arguments are checked. */
  readonly filled: { readonly target: Target; readonly size: number }[];
}

export const newKfuncCall = (facts: KfuncFacts): KfuncCall => ({
  facts,
  reference: 0,
  released: undefined,
  result: undefined,
  iterator: undefined,
  dynptrs: [],
  releasedDynptr: undefined,
  constantSize: undefined,
  constant: undefined,
  lent: 0,
  memoryAsObject: false,
  filled: [],
});

export const hasKfuncFlag = ({ facts }: Pick<KfuncCall, "facts">, flag: KfuncFlag): boolean =>
  facts.flags.includes(flag);

/** Whether the function relies on its arguments being valid: what it gives back is. */
export const reliesOnArguments = (call: KfuncCall): boolean =>
  hasKfuncFlag(call, "trusted_args") || hasKfuncFlag(call, "release");

/** What is pointed to, in the kernel's words: `STRUCT task_struct`. What is no type at all has no name. */
export const pointeeText = ({ to = "?" }: KfuncValue): string =>
  to === "void" ? "UNKNOWN " : to.replace(/^(?:struct|union)(?= )/, (kind) => kind.toUpperCase());

/** Functions that take the program's context, whatever its type is called. */
const OF_CONTEXT = /^bpf_(?:cast_to_kern_ctx|session_\w+)$/;

/** Whether the function is one for work queues, or for work of tasks. */
export const ofWork = (name: string): boolean => /^bpf_(?:wq|task_work)_/.test(name);

/** What a parameter asks for, by its type and the end of its name. What is not modelled has its own class, so that it can be named. */
export type ArgumentClass =
  | "ignored"
  | "scalar"
  | "context"
  | "allocated"
  | "refcounted"
  | "dynptr"
  | "iterator"
  | "field"
  | "work"
  | "task_work"
  | "timer"
  | "text"
  | "map"
  | "interrupts"
  | "callback"
  | "object"
  | "sized"
  | "memory";

/** Fields of map values and allocated objects that functions of their own work on. */
const FIELDS: ReadonlySet<string> = new Set([
  "struct bpf_list_head",
  "struct bpf_list_node",
  "struct bpf_rb_root",
  "struct bpf_rb_node",
  "struct bpf_res_spin_lock",
]);

/** Pointers into arenas, to nodes that the program does not own, to maps by other names. */
const ELSEWHERE = /__(?:arena|nonown_allowed|const_map)/;

const ends = ({ name }: KfuncValue, suffix: string): boolean => name?.endsWith(suffix) === true;

export const isNullable = (value: KfuncValue): boolean => ends(value, "__nullable");
export const isOptional = (value: KfuncValue): boolean => ends(value, "__opt");
export const isKnownConstant = (value: KfuncValue): boolean => ends(value, "__k");
/** The size has to be a known constant. */
export const isConstantSize = (value: KfuncValue): boolean => ends(value, "__szk");

/** Whether the parameter after a pointer is the size of what it points to. */
const isSize = (value: KfuncValue | undefined): boolean =>
  value?.kind === "scalar" && (ends(value, "__sz") || isConstantSize(value));

/** The class of parameter `index`, but for what the register decides: `object` where that holds an object of the kernel. */
export function classOf(call: KfuncCall, index: number, context: string | undefined): ArgumentClass {
  const { args } = call.facts;
  const value = args[index];
  if (value === undefined) throw new Error(`${call.facts.name} has no parameter ${index}`);
  if (ends(value, "__ign") || ends(value, "__prog")) return "ignored";
  if (value.kind === "scalar") return "scalar";
  if (OF_CONTEXT.test(call.facts.name)) return "context";
  if (context !== undefined && value.to === `struct ${context}`) return "context";
  if (ends(value, "__alloc")) return "allocated";
  if (ends(value, "__refcounted_kptr")) return "refcounted";
  if (value.to === "struct bpf_dynptr") return "dynptr";
  if (ends(value, "__iter") || (index === 0 && ITERATES.some((flag) => hasKfuncFlag(call, flag))))
    return "iterator";
  if (value.to === "struct bpf_wq") return "work";
  if (value.to === "struct bpf_task_work") return "task_work";
  if (value.to === "struct bpf_timer") return "timer";
  // On newer kernels the map's parameter has another name.
  if (ofWork(call.facts.name) && ends(value, "__const_map")) return "map";
  if ((value.to !== undefined && FIELDS.has(value.to)) || ELSEWHERE.test(value.name ?? "")) return "field";
  if (ends(value, "__str")) return "text";
  if (ends(value, "__map") || (ends(value, "p__map") && value.to === "void")) return "map";
  if (ends(value, "__irq_flag")) return "interrupts";
  if (value.to === "func") return "callback";
  return isSize(args[index + 1]) ? "sized" : "memory";
}

const ITERATES: readonly KfuncFlag[] = ["iter_new", "iter_next", "iter_destroy"];
