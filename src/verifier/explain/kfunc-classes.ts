/** Messages about kernel functions: who may call them, and what their arguments must be. */
import type { MessageClass } from "./message-class.ts";

const CALLS = "Call Type Safety";

export const KFUNC_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^cannot call kernel function from non-GPL/,
    category: "Policy",
    problem: "a kernel function in a program that is not under the GPL",
    needed: "a license that is compatible with the GPL",
    suggestion: 'Declare it, if it is so: char LICENSE[] SEC("license") = "GPL";',
    follow: "nothing",
  },
  {
    pattern: /^calling kernel function (\w+) is not allowed/,
    category: "Policy",
    problem: "a kernel function that programs of this type do not have",
    needed: (_, [, name]) => `a program type that may call ${name}`,
    suggestion: "Use another program type, or a helper that does the same.",
    follow: "nothing",
  },
  {
    pattern: /^(?:cannot find address for kernel function|invalid kernel function call not eliminated)/,
    category: "Policy",
    problem: "a kernel function that the kernel does not have",
    needed: "a function of the kernel that the program is loaded into",
    suggestion:
      "Ask whether the kernel has it (bpf_ksym_exists) before the call. Newer kernels have some without _impl at the end of their names.",
    follow: "nothing",
  },
  {
    pattern: /^metadata kfuncs require device-bound program/,
    category: "Policy",
    problem: "a question to the device of a program that is bound to none",
    needed: "a program that is loaded for one device",
    suggestion: "Load the program for the device (bpf_program__set_ifindex, BPF_F_XDP_DEV_BOUND_ONLY).",
    follow: "nothing",
  },
  {
    pattern: /^program must be sleepable to call sleepable kfunc/,
    category: "Execution Context Safety",
    problem: "a call that may sleep where nothing may",
    needed: "a sleepable program",
    suggestion: "Load the program as sleepable (SEC names that end in .s) where its type allows it.",
    follow: "nothing",
  },
  {
    pattern: /^css_task_iter is only allowed in/,
    category: "Execution Context Safety",
    problem: "an iterator over a control group's tasks where an interrupt may have its lock",
    needed: "a sleepable program, one of an iterator, or one at a hook of security modules",
    suggestion: "Go through the tasks in a sleepable program (SEC names that end in .s) or in iter/cgroup.",
    follow: "nothing",
  },
  {
    pattern: /^Possibly NULL pointer passed to trusted arg(\d)/,
    category: CALLS,
    problem: "an argument that may be null",
    needed: (_, [, index]) => `a pointer in R${Number(index) + 1} that is known not to be null`,
    suggestion: "Compare the pointer with null before the call: if (!p) return …",
    follow: "nothing",
  },
  {
    pattern: /^R\d+ is not a scalar/,
    category: CALLS,
    problem: "an argument of the wrong kind",
    needed: ({ name }) => `${name} to be a number`,
    suggestion: "Look up the function's parameters and their order.",
  },
  {
    pattern: /^R\d+ (?:must be a known constant|is not a const)/,
    category: CALLS,
    problem: "an argument that may have several values where one is needed",
    needed: ({ name }) => `one value of ${name}, the same on every path to here`,
    suggestion: "Pass a constant.",
  },
  {
    pattern: /^R\d+ must be (?:referenced or trusted|a rcu pointer)/,
    category: "Resource Lifetime Safety",
    problem: "an object that may be gone",
    needed: ({ name }) =>
      `${name} to point to an object that is held, or known to live as long as the program runs`,
    suggestion:
      "Acquire the object first (bpf_task_acquire, bpf_cgroup_acquire, …), or use it inside of bpf_rcu_read_lock and bpf_rcu_read_unlock.",
  },
  {
    pattern: /^arg#\d+ expected pointer to ctx, but got (\w+)/,
    category: CALLS,
    problem: "an argument of the wrong kind",
    needed: "the program's context, as it got it",
    suggestion: "Pass the context; keep it in a register that survives calls (R6 to R9).",
    follow: "nothing",
  },
  {
    pattern: /^arg#\d+ (?:pointer type (.*) must point to|is \w+ expected)|^R\d+ is \w+ expected/,
    category: CALLS,
    problem: "an argument of the wrong kind",
    needed:
      "a pointer to an object of the kernel of the parameter's type, or to memory of numbers where that stands for it",
    suggestion: "Look up the function's parameters and their order; what was released is a number.",
    follow: "nothing",
  },
  {
    pattern: /^kernel function \w+ args#\d+ expected pointer to (\w+ \w+)/,
    category: CALLS,
    problem: "an object of another type",
    needed: (_, [, type]) => `a pointer to ${type ?? "another type"}`,
    suggestion: "Look up the function's parameters and their order.",
  },
  {
    pattern: /^(?:nested|unmatched) |requires RCU critical section|expected an RCU CS/,
    category: "Execution Context Safety",
    problem: "a section that must be opened first, or closed",
    needed:
      "sections to be opened and closed in pairs on every path, and what needs one to begin and end inside of the same",
    suggestion:
      "Call bpf_rcu_read_lock before, and bpf_rcu_read_unlock when nothing of the section is needed any more.",
    follow: "nothing",
  },
  {
    pattern: /expected an initialized (\w+)[ \w]* as arg ?#/,
    category: CALLS,
    problem: "an object on the stack that is not there",
    needed: (_, [, what]) => `an ${what} that was made, not given back, and not written over since`,
    suggestion: "Make it before, give it back once, and leave its bytes to the kernel.",
    follow: "nothing",
  },
  {
    pattern: /expected uninitialized (\w+)[ \w]* as arg ?#|expected pointer to an iterator on stack/,
    category: CALLS,
    problem: "no place for an object of the kernel",
    needed: "a variable on the stack, aligned to 8 bytes, that holds no such object already",
    suggestion: "Give the old one back first, or use another variable.",
    follow: "nothing",
  },
  {
    pattern: /^(?:cannot access ptr member|only read is supported|R\d+ cannot write into ptr_)/,
    category: "Memory Safety",
    problem: "access to an object of the kernel that is not supported",
    needed: "a load of one field, of the field's size",
    suggestion: "Read fields as the structure has them, pointers whole; what writes to them are functions.",
  },
  {
    pattern: /^release (?:kernel function|kfunc) \w+ expects/,
    category: "Resource Lifetime Safety",
    problem: "something is released that the program does not hold",
    needed: "what a function gave that acquires, and not released before",
    suggestion: "Release once, and only what was acquired.",
    follow: "nothing",
  },
];
