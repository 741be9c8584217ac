/**
 * What a program attaches to, as a type of the kernel's BTF: programs of some types are verified against their target's prototype and load
 * only with its id. Source: libbpf's conventions for section names (Documentation/bpf/libbpf/program_types.rst).
 */
import type { Program } from "../semantics/program/program.ts";
import type { AttachType, ProgramType } from "../semantics/program/program-types.ts";
import type { Btf } from "./btf.ts";
import type { BtfKind } from "./btf-types.ts";

/** A target's BTF id, or in one line why there is none. */
export type AttachTarget = { readonly id: number } | { readonly missing: string };

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
  { type, attach, target }: Pick<Program, "type" | "attach" | "target">,
  kernel: Pick<Btf, "findKind"> | undefined,
): AttachTarget {
  if (type === "ext") return { missing: "a program of type ext replaces a function of another program" };
  if (type === "struct_ops") {
    return { missing: "a program of type struct_ops is a member of a structure of the kernel" };
  }
  const naming = attach === undefined ? undefined : NAMINGS[attach];
  if (naming === undefined || target === undefined)
    return { missing: "the program does not name its target" };
  if (kernel === undefined) return { missing: "the kernel does not tell its types" };
  const name = naming.prefix + target;
  const id = kernel.findKind(name, naming.kind);
  return id === undefined ? { missing: `the kernel has no ${naming.kind} ${name} in its BTF` } : { id };
}
