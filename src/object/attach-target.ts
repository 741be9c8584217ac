/**
 * What a program attaches to, as a type of the kernel's BTF: programs of some types are verified against their target's prototype and load
 * only with its id. Source: libbpf's conventions for section names (Documentation/bpf/libbpf/program_types.rst).
 */
import { callbackOf } from "../semantics/profile/lookup.ts";
import type { Program } from "../semantics/program/program.ts";
import type { AttachType, ProgramType } from "../semantics/program/program-types.ts";
import type { Btf } from "./btf.ts";
import type { BtfKind } from "./btf-types.ts";

/** A target's BTF id; for a callback, its structure's, and which member it is. */
export interface FoundTarget {
  readonly id: number;
  readonly member?: number;
}

/** A target, or in one line why there is none. */
export type AttachTarget = FoundTarget | { readonly missing: string };

interface Naming {
  readonly prefix: string;
  readonly kind: Extract<BtfKind, "func" | "typedef">;
}

const FUNCTION: Naming = { prefix: "", kind: "func" };

/** By which name the kernel's BTF knows a target. */
const NAMINGS: Partial<Record<AttachType, Naming>> = {
  trace_raw_tp: { prefix: "btf_trace_", kind: "typedef" },
  trace_fentry: FUNCTION,
  trace_fexit: FUNCTION,
  trace_fsession: FUNCTION,
  modify_return: FUNCTION,
  trace_iter: { prefix: "bpf_iter_", kind: "func" },
  lsm_mac: { prefix: "bpf_lsm_", kind: "func" },
  lsm_cgroup: { prefix: "bpf_lsm_", kind: "func" },
};

/** Whether programs of a type load only for a target. */
export function needsTarget(type: ProgramType): boolean {
  return type === "tracing" || type === "lsm" || type === "ext" || type === "struct_ops";
}

/** The target of a program of such a type in a kernel, whose BTF is given if it tells its types. */
export function attachTarget(
  program: Pick<Program, "type" | "attach" | "target">,
  kernel: Pick<Btf, "findKind" | "type"> | undefined,
): AttachTarget {
  const { type, attach, target } = program;
  if (type === "ext") return { missing: "a program of type ext replaces a function of another program" };
  if (type === "struct_ops") return callbackTarget(program, kernel);
  const naming = attach === undefined ? undefined : NAMINGS[attach];
  if (naming === undefined || target === undefined)
    return { missing: "the program does not name its target" };
  if (kernel === undefined) return { missing: "the kernel does not tell its types" };
  const name = naming.prefix + target;
  const id = kernel.findKind(name, naming.kind);
  return id === undefined ? { missing: `the kernel has no ${naming.kind} ${name} in its BTF` } : { id };
}

function callbackTarget(
  program: Pick<Program, "type" | "target">,
  kernel: Pick<Btf, "findKind" | "type"> | undefined,
): AttachTarget {
  const callback = callbackOf(program);
  if (callback === undefined) return { missing: "the program does not name a structure and its member" };
  if (kernel === undefined) return { missing: "the kernel does not tell its types" };
  const { struct, member } = callback;
  const id = kernel.findKind(struct, "struct");
  const found = id === undefined ? undefined : kernel.type(id);
  if (id === undefined || found?.kind !== "struct") {
    return { missing: `the kernel has no struct ${struct} in its BTF` };
  }
  const index = found.members.findIndex(({ name }) => name === member);
  return index < 0
    ? { missing: `the kernel's struct ${struct} has no member ${member}` }
    : { id, member: index };
}
