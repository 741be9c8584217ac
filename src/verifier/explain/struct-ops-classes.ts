/** Messages about programs that stand for callbacks of the kernel (`struct_ops`), and what they write of its objects. */
import type { MessageClass } from "./message-class.ts";

export const STRUCT_OPS_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^struct ops programs must have a GPL/,
    category: "Policy",
    problem: "a callback of the kernel in a program that is not under the GPL",
    needed: "a license that is compatible with the GPL",
    suggestion: 'Declare it, if it is so: char LICENSE[] SEC("license") = "GPL";',
    follow: "nothing",
  },
  {
    pattern: /^attach_btf_id .* is not a supported struct/,
    category: "Policy",
    problem: "a program for a structure whose callbacks are not for programs",
    needed: "a structure of callbacks that this kernel lets programs implement",
    suggestion:
      "Look for bpf_struct_ops_NAME in the kernel's BTF: its options decide which structures there are.",
    follow: "nothing",
  },
  {
    pattern: /^attach to (?:unsupported|invalid) member/,
    category: "Policy",
    problem: "a program for a member of a structure that no such program may stand for",
    needed: "a callback that the kernel lets programs implement, by such as may sleep or may not",
    suggestion: "Leave the member out, or load the program for it without (or with) the flag to sleep.",
    follow: "nothing",
  },
  {
    pattern: /^(?:no write support to \S+ at off|write access at off)/,
    category: "Memory Safety",
    problem: "a store to an object of the kernel where programs may not write",
    needed: "a field that the structure's callbacks may write, whole or from its start on",
    suggestion: "Write only fields that the kernel offers for that, in their own size.",
  },
  {
    pattern: /^R\d+ is ptr_\S+ invalid (?:variable|negative)/,
    category: "Memory Safety",
    problem: "access to an object of the kernel at a place that is not known, or in front of it",
    needed: ({ name }) => `${name} to point to one known field`,
    suggestion: "Select the field by comparisons, not by arithmetic.",
  },
];
