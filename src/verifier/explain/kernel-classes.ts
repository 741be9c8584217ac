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
  {
    pattern: /^Unknown type ID \d+ passed|^kfunc bpf_rdonly_cast type ID|^kern ctx type id/,
    category: "Register Type Safety",
    problem: "a cast to a type that nothing can be read by",
    needed: "a structure of the kernel's, or void for its bytes",
    suggestion: "Name a structure: bpf_core_cast(pointer, struct …), or cast to void and read numbers.",
    follow: "nothing",
  },
  {
    pattern: /^unexpected __bpf_trap/,
    category: "Program Structure",
    problem: "a path to where the compiler thinks that none leads",
    needed: "a program whose every path is defined",
    suggestion:
      "Look for variables that are used and not initialised on some path, and for functions without a result.",
    follow: "nothing",
  },
  {
    pattern: /^arg#(\d) doesn't point to a const string/,
    category: "Call Type Safety",
    problem: "a string that may change",
    needed: (_, [, index]) => `a string constant of the program in R${Number(index) + 1}`,
    suggestion: "Declare it as a global constant: static const char name[] = …",
  },
  {
    pattern: /bpf_wq has to be at the constant offset/,
    category: "Call Type Safety",
    problem: "a work queue at a place that varies",
    needed: "the address of the work queue in a value of the map",
    suggestion: "Declare a struct bpf_wq in the map's value, and pass its address.",
  },
  {
    pattern:
      /doesn't point to 'struct bpf_(?:wq|task_work)'|(?:no valid|order to use) bpf_(?:wq|task_work)|^arg#\d doesn't point to a map value|^(?:workqueue|bpf_task_work) pointer in R\d/,
    category: "Call Type Safety",
    problem: "no work queue or task work of a map's value",
    needed: "the address of the work in a value of the map, and that map",
    suggestion:
      "Declare a struct bpf_wq or bpf_task_work in the map's value, and pass its address and the same map.",
    follow: "nothing",
  },
  {
    pattern: /^arg(\d) expected pointer to func/,
    category: "Call Type Safety",
    problem: "no function where one is to be called later",
    needed: (_, [, index]) => `a static function of the program in R${Number(index) + 1}`,
    suggestion: "Pass the function by its name.",
    follow: "nothing",
  },
  {
    pattern: /^tracing progs cannot use bpf_wq/,
    category: "Policy",
    problem: "a map with a work queue in a program that may interrupt anything",
    needed: "a map without one",
    suggestion: "Use a ring buffer to tell another program, or user space, what to do.",
    follow: "nothing",
  },
];
