/** Messages about the kernel's own variables and objects, and who may look into them. */
import type { MessageClass } from "./message-class.ts";

export const KERNEL_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^R\d+ is ptr_.* access percpu memory/,
    category: "Memory Safety",
    problem: "access to a variable of which each processor has its own",
    needed: "the address of one processor's",
    suggestion:
      "Call bpf_this_cpu_ptr, or bpf_per_cpu_ptr and compare what it gives with null, and read through that.",
  },
  {
    pattern: /^Cannot access kernel 'struct [^']*' from non-GPL/,
    category: "Policy",
    problem: "a load from an object of the kernel in a program that is not under the GPL",
    needed: "a license that is compatible with the GPL",
    suggestion: 'Declare it, if it is so: char LICENSE[] SEC("license") = "GPL";',
    follow: "nothing",
  },
];
