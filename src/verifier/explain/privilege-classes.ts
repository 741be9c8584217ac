/** Messages to those who load programs without capabilities. */
import type { MessageClass } from "./message-class.ts";

const POLICY = "Policy";

export const PRIVILEGE_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^R\d+ leaks addr (into|as) ([\w ]+)/,
    category: POLICY,
    problem: "an address of the kernel's gets out of the program",
    needed: ({ name }, [, , place]) => `${name} to be a number where it goes: ${place}`,
    suggestion:
      "Store what the pointer points to, not the pointer; a loader with cap_perfmon may load programs that see addresses.",
  },
  {
    pattern: /^(?:leaking pointer from stack|attempt to corrupt spilled pointer)/,
    category: POLICY,
    problem: "bytes of an address are treated as numbers",
    needed:
      "pointers on the stack to be stored and loaded whole, and to be left alone by helpers and atomic operations",
    suggestion:
      "Use other stack memory for numbers than for pointers; let no structure or union share bytes of a pointer.",
    follow: "access",
  },
  {
    pattern: /^R\d+ (?:partial copy of pointer|sign-extension part of pointer|pointer arithmetic prohibited)/,
    category: POLICY,
    problem: "part of an address as a number",
    needed: ({ name }) => `${name} to be a number`,
    suggestion: "Do not compute with addresses; a loader with cap_perfmon may.",
  },
  {
    pattern: /^R\d+ pointer comparison prohibited/,
    category: POLICY,
    problem: "a comparison that tells something of an address",
    needed: ({ name }) =>
      `${name} to be a number, or one of the comparisons that pointers have: with null, and of packet data with data_end`,
    suggestion: "Compare what the pointers point to; write checks of packets as data + n > data_end.",
  },
  {
    pattern: /^R\d+ tried to \w+ (?:beyond pointer bounds|from different maps)/,
    category: POLICY,
    problem: "a number added to a pointer that cannot be kept in bounds under speculation",
    needed: "a pointer into its object, and a number that is in the same bounds on all paths",
    suggestion: "Compute the whole index first, bound it, and add it once to the start of the object.",
    follow: "destination",
    withOthers: true,
  },
  {
    pattern: /^R\d+ has unknown scalar with mixed signed bounds/,
    category: POLICY,
    problem: "a number added to a pointer that cannot be kept in bounds under speculation",
    needed: "a number whose sign is known",
    suggestion: "Bound the number on both sides, or use an unsigned one; index arrays from their start.",
    follow: "source",
  },
  {
    pattern: /^R\d+ has pointer with unsupported alu operation/,
    category: POLICY,
    problem: "a register added to a pointer that takes only constants",
    needed: "a constant in the instruction, or a pointer to the stack or a map's value",
    suggestion: "Use constant offsets; programs that walk through packets need a loader with cap_perfmon.",
    follow: "destination",
  },
  {
    pattern:
      /^R\d+ (?:variable stack access|variable offset stack access|stack pointer arithmetic goes|pointer arithmetic of map value goes)/,
    category: POLICY,
    problem: "a pointer that leaves its object, or is at no known place of the stack",
    needed: "a pointer inside of its object after each step, on the stack at a constant offset",
    suggestion:
      "Keep arrays with variable indices in a map; check an index before it is added to the pointer.",
  },
  {
    pattern: /^'struct \w+' access is allowed only to CAP_PERFMON/,
    category: POLICY,
    problem: "a look into the kernel's own structures",
    needed: "a loader with cap_perfmon",
    suggestion: "Load the program with CAP_PERFMON beside CAP_BPF, or use the fields of the context.",
    follow: "nothing",
  },
  {
    pattern: /^kernel variables that hold pointers/,
    category: POLICY,
    problem: "a look at the kernel's own pointers",
    needed: "a loader with cap_perfmon",
    suggestion:
      "Load the program with CAP_PERFMON beside CAP_BPF; variables that are numbers may be read without.",
    follow: "nothing",
  },
  {
    pattern: /^R\d+ [\w]+: access is allowed only to CAP_PERFMON/,
    category: POLICY,
    problem: "a look at bytes that may be anywhere in the kernel",
    needed: "a loader with cap_perfmon",
    suggestion:
      "Load the program with CAP_PERFMON beside CAP_BPF, or read from memory that is the program's.",
  },
  {
    pattern: /^loading\/calling other bpf or kernel functions/,
    category: POLICY,
    problem: "functions in a program whose loader lacks cap_bpf",
    needed: "a loader with cap_bpf",
    suggestion:
      "Let the compiler inline functions (static __always_inline), or load the program with CAP_BPF.",
    follow: "nothing",
  },
  {
    pattern: /^back-edge from insn (\d+) to (\d+)/,
    category: "Program Structure",
    problem: "a loop in a program whose loader lacks cap_bpf",
    needed: (_, [, from, to]) => `no way back from insn ${from} to ${to}`,
    suggestion: "Unroll the loop (#pragma unroll), or load the program with CAP_BPF and CAP_PERFMON.",
    follow: "nothing",
  },
  {
    pattern: /^programs of type \w+ are for loaders with (.*)/,
    category: POLICY,
    problem: "a type of program that not everybody may load",
    needed: (_, [, capabilities]) => `a loader with ${capabilities}`,
    suggestion: "Without capabilities there are socket filters and cgroup socket buffer programs.",
    follow: "nothing",
  },
  {
    pattern: /^expected attach type of \w+ programs: (.*); not/,
    category: POLICY,
    problem: "an attach type that programs of this type do not have",
    needed: (_, [, known]) => `an expected attach type: ${known}`,
    suggestion:
      "Name the section as libbpf does (cgroup/connect4, sk_lookup, …), or set the expected attach type.",
    follow: "nothing",
  },
  {
    pattern: /can(?: only)? be sleepable/,
    category: "Execution Context Safety",
    problem: "a program that may sleep where its type does not allow it, or must and does not",
    needed: "sleepable programs of the types that have them; programs of type syscall are always",
    suggestion: "Drop the .s of the section's name, or use a type that sleeps.",
    follow: "nothing",
  },
  {
    pattern: /^invalid size of register spill/,
    category: "Register Type Safety",
    problem: "part of a pointer is stored on the stack",
    needed: ({ name }) => `all eight bytes of ${name} to be stored, or a number`,
    suggestion: "Do not cast pointers to smaller integers; store them as pointers.",
    follow: "source",
  },
];
