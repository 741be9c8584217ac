/** Helpers that call a function of the program, any number of times, before they return. */
import type { Instruction } from "../isa/instruction.ts";
import type { Program } from "../program/program.ts";
import { HELPER_NAMES } from "./names.ts";

/** How often bpf_loop calls back at most; with a greater number it does not at all (BPF_MAX_LOOPS in linux/bpf.h). */
export const MAX_LOOPS = 8 * 1024 * 1024;

/** Records that bpf_user_ringbuf_drain looks at in one call at most. */
export const MAX_SAMPLES = 128 * 1024;

interface CallbackArguments {
  /** The register with the function. */
  readonly function: number;
  /** The register with what the function gets as its last argument. */
  readonly context: number;
}

const CALLING_BACK = {
  for_each_map_elem: { function: 2, context: 3 },
  find_vma: { function: 3, context: 4 },
  loop: { function: 2, context: 3 },
  user_ringbuf_drain: { function: 2, context: 3 },
} as const satisfies Readonly<Record<string, CallbackArguments>>;

/** The helpers by their names, without `bpf_`. */
export type CallingBack = keyof typeof CALLING_BACK;

const isCallingBack = (name: string): name is CallingBack => name in CALLING_BACK;

/** Where such a helper has its arguments. */
export const callbackArguments = (name: CallingBack): CallbackArguments => CALLING_BACK[name];

/** The helper with a number, if it is one that calls back. */
export function helperCallingBack(id: number): CallingBack | undefined {
  const name = HELPER_NAMES[id];
  return name !== undefined && isCallingBack(name) ? name : undefined;
}

/** The helper that an instruction calls, if it is one that calls back. */
export function callingBack(insn: Instruction | undefined): CallingBack | undefined {
  const operation = insn?.row.operation;
  const isCall = operation?.kind === "call" && operation.callee === "helper";
  return insn !== undefined && isCall ? helperCallingBack(insn.imm) : undefined;
}

/** Whether the kernel function of that name adds a node to a tree: it asks a function of the program where. */
export const isTreeAddition = (name: string): boolean => /^bpf_rbtree_add(?:_impl)?$/.test(name);

/** The instructions of a program that call what calls back. */
export function instructionsCallingBack({
  insns,
  kfuncs = [],
}: Pick<Program, "insns" | "kfuncs">): ReadonlySet<number> {
  const found = new Set(kfuncs.filter(({ name }) => isTreeAddition(name)).map(({ insn }) => insn));
  insns.forEach((insn, pc) => {
    if (callingBack(insn) !== undefined) found.add(pc);
  });
  return found;
}
