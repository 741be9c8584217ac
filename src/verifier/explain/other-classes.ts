/** Messages about registers and pointers, calls, what is held, the program's structure and the limits. */
import { MAP_TYPES } from "../../semantics/program/map-types.ts";
import type { MessageClass } from "./message-class.ts";
import { OBJECT_CLASSES } from "./object-classes.ts";

const TYPES = "Register Type Safety";
const CALLS = "Call Type Safety";

const REGISTERS: readonly MessageClass[] = [
  {
    pattern: /^R\d+ !read_ok/,
    category: TYPES,
    problem: "use of a register that holds nothing",
    needed: ({ name }) => `a value in ${name} on every path to here`,
    suggestion:
      "Give the variable a value on all paths. R1 to R5 do not survive calls: what is used after one belongs into R6 to R9 or on the stack.",
  },
  {
    pattern: /^R\d+ (?:invalid mem access|pointer arithmetic on|type=)\s*'?\w*_or_null/,
    category: TYPES,
    problem: "use of a pointer that may be null",
    needed: ({ name }) => `a comparison of ${name}, or of the pointer it is a copy of, with null`,
    suggestion:
      "Compare the result with null before it is used: if (!p) return …; and do so before anything is added to it.",
  },
  {
    pattern: /^R\d+ invalid mem access 'scalar'/,
    category: TYPES,
    problem: "access through a number",
    needed: ({ name }) => `${name} to be a pointer`,
    suggestion: ({ movedBy, endedBy }) =>
      movedBy !== undefined
        ? `${movedBy} may move the packet: read data and data_end from the context again after it, and compare again.`
        : endedBy !== undefined
          ? `The pointer is of use until ${endedBy} is called: access what it points to before, or keep a copy of what is needed.`
          : "A pointer stays one through + and - in 64 bits alone; what was read from memory that is no context field is a number. Kernel memory is read with bpf_probe_read_kernel or BPF_CORE_READ.",
  },
  {
    pattern: /^R\d+ invalid mem access '(\w+)'/,
    category: TYPES,
    problem: "access through a pointer that allows none",
    needed: ({ name }) => `${name} to point to memory that may be accessed directly`,
    suggestion: (_, [, kind]) =>
      kind === "pkt_end"
        ? "data_end may only be compared with; access the packet through data."
        : "Use the helper or function that takes this pointer.",
  },
  {
    pattern: /^only read from|^(?:access|write) (?:to|into) \w+ (?:is )?not (?:supported|allowed)/,
    category: TYPES,
    problem: "access to an object of the kernel that is not supported",
    needed: "an object with fields that may be accessed",
    suggestion: "Maps are used through helpers; the pointer itself leads to nothing of theirs.",
  },
  {
    pattern: /^R\d+ pointer arithmetic on (\w+) prohibited/,
    category: TYPES,
    problem: "arithmetic on a pointer that allows none",
    needed: "a pointer into memory",
    suggestion: (_, [, kind]) => `A ${kind} is used as it is.`,
  },
  {
    pattern:
      /^R\d+ (?:32-bit pointer arithmetic prohibited|bitwise operator|pointer arithmetic with|pointer .= pointer|tried to subtract pointer from scalar|subtraction from stack pointer|pointer .* pointer prohibited)/,
    category: TYPES,
    problem: "arithmetic that pointers do not have",
    needed: "pointer + number or pointer - number, in 64 bits",
    suggestion: "Do the arithmetic on numbers, and add the result to the pointer at the end.",
  },
  {
    pattern: /^frame pointer is read only/,
    category: TYPES,
    problem: "write to the frame pointer",
    needed: "another register as the destination",
    suggestion: "Copy R10 first.",
    follow: "nothing",
  },
  {
    pattern: /^(?:div by zero|invalid shift (-?\d+))/,
    category: "Program Structure",
    problem: "a constant operand that the instruction does not allow",
    needed: "a divisor other than 0, and a shift less than the width",
    suggestion: "Correct the constant.",
    follow: "nothing",
  },
  {
    pattern: /^BPF_ST stores into R\d+ ctx/,
    category: "Memory Safety",
    problem: "a constant stored to the context",
    needed: "a register with the value",
    suggestion: "Put the constant into a register and store that.",
  },
  {
    pattern: /^BPF_ATOMIC/,
    category: "Memory Safety",
    problem: "atomic access to memory that allows none",
    needed: "the stack or a map's value",
    suggestion: "Use plain loads and stores here.",
  },
  {
    pattern: /^cannot return stack pointer to the caller/,
    category: "Resource Lifetime Safety",
    problem: "a function returns a pointer to its own stack",
    needed: "a result that outlives the function's frame",
    suggestion: "Let the caller pass the memory.",
  },
  {
    pattern: /^At program exit the register R0 has .* should have been in \[(-?\d+), (-?\d+)\]/,
    category: TYPES,
    problem: "a result that the program type does not allow",
    needed: (_, [, least, greatest]) => `a result from ${least} to ${greatest}`,
    suggestion: "Return one of the program type's constants on every path; bound what is computed.",
  },
  {
    pattern: /^At program exit the register R0 is not a known value/,
    category: TYPES,
    problem: "a result that is no number",
    needed: "a number in R0",
    suggestion: "Return one of the program type's constants.",
  },
];

const HELPERS: readonly MessageClass[] = [
  {
    pattern: /^R\d+ type=(\w+) expected=(.*)/,
    category: CALLS,
    problem: "an argument of the wrong kind",
    needed: ({ name }, [, , expected]) => `${name} to be: ${expected}`,
    suggestion: (_, [, kind]) =>
      kind === "scalar"
        ? "Pass the address of an initialised variable on the stack or in a map, not a number."
        : "Look up the helper's arguments and their order.",
  },
  {
    pattern: /^R\d+ min value is negative, either use unsigned or/,
    category: CALLS,
    problem: "a size that may be negative",
    needed: ({ name }) => `a lower bound of ${name} of 0 or more`,
    suggestion: "Use an unsigned type for the size, or compare it with 0 before the call.",
  },
  {
    pattern: /^R\d+ unbounded memory access, use 'var &= const'/,
    category: CALLS,
    problem: "a size without an upper bound",
    needed: ({ name }) => `an upper bound of ${name}, no more than the memory has`,
    suggestion: "Bound the size directly before the call: if (n > sizeof(buffer)) return …; or n &= N - 1.",
  },
  {
    pattern: /^R\d+ invalid zero-sized read/,
    category: CALLS,
    problem: "a size that may be 0",
    needed: ({ name }) => `a lower bound of ${name} of 1 or more`,
    suggestion:
      "Bound the size on both sides before the call: if (size == 0 || size > sizeof(buffer)) return …; and use the same variable, unsigned, in the call.",
  },
  {
    pattern: /^invalid zero-sized read/,
    category: CALLS,
    problem: "memory of no bytes for an argument that needs some",
    needed: "a size of 1 or more; of a map, keys (or values) of that size",
    suggestion:
      "Compare a variable size with 0 before the call. Queues, stacks, bloom filters and ring buffers have no keys: use their own helpers (bpf_map_push_elem, bpf_map_pop_elem, bpf_map_peek_elem, bpf_ringbuf_*).",
  },
  {
    pattern: /^R\d+ is not a known constant/,
    category: CALLS,
    problem: "an argument that may have several values where one is needed",
    needed: ({ name }) => `one value of ${name}, the same on every path to here`,
    suggestion: "Pass a constant; for records of several sizes call once for each, or reserve the largest.",
  },
  {
    pattern: /^R\d+ allocation size exceeds u32 max/,
    category: CALLS,
    problem: "a size that no record can have",
    needed: ({ name }) => `a size in ${name} of less than 2^32, and no negative number`,
    suggestion: "Pass the record's size.",
  },
  {
    pattern: /^get_local_storage\(\) doesn't support non-zero flags/,
    category: CALLS,
    problem: "flags for a helper that has none",
    needed: "0 in R2",
    suggestion: "Pass 0 as the flags.",
    follow: "nothing",
  },
  {
    pattern: /^helper access to the packet is not allowed/,
    category: CALLS,
    problem: "a helper gets memory of the packet that takes none",
    needed: "memory on the stack or in a map",
    suggestion: "Copy the bytes to the stack first.",
  },
  {
    pattern: /^(?:program of this type cannot use helper|invalid func|unknown func) ?(.*)/,
    category: "Policy",
    problem: "a helper that programs of this type do not have",
    needed: ({ program: { type } }) => `a helper that programs of type ${type} have`,
    suggestion:
      "Use another helper or program type; `bpftool feature probe` lists what the running kernel has.",
    follow: "nothing",
  },
  {
    pattern: /^cannot call GPL-restricted function/,
    category: "Policy",
    problem: "a helper for programs under the GPL",
    needed: "a license that is compatible with the GPL",
    suggestion: 'Declare it, if it is so: char LICENSE[] SEC("license") = "GPL";',
    follow: "nothing",
  },
  {
    pattern: /might sleep in a non-sleepable/,
    category: "Execution Context Safety",
    problem: "a call that may sleep where nothing may",
    needed: "a sleepable program",
    suggestion:
      "Load the program as sleepable (SEC names that end in .s) where its type allows it, or use a helper that does not sleep.",
    follow: "nothing",
  },
  {
    pattern: /^Sleepable programs can only use/,
    category: "Policy",
    problem: "a map of a type that sleepable programs may not use",
    needed: "an array, a hash, a ring buffer or local storage",
    suggestion: "Use a map of those types, or a program that does not sleep.",
    follow: "nothing",
  },
  {
    pattern: /^(?:cannot pass map_type (\d+)|expected prog array map|invalid arg_type for sockmap\/sockhash)/,
    category: CALLS,
    problem: "a helper that does not take maps of this type",
    needed: (_, [, type]) =>
      `a map of a type that the helper takes${type === undefined ? "" : `; this one is of type ${MAP_TYPES[Number(type)] ?? type}`}`,
    suggestion: "Look up which map types go with the helper.",
    follow: "nothing",
  },
  {
    pattern: /^at the time of BPF_LD_ABS\|IND R6|^BPF_LD_\[ABS\|IND\]/,
    category: TYPES,
    problem: "a legacy packet load that is not possible here",
    needed: "a program type with a socket buffer, and the context in R6",
    suggestion: "Use bpf_skb_load_bytes or direct packet access.",
  },
  {
    pattern:
      /^(?:no direct value access support|direct value (?:access|offset)|a constant's place|invalid access to map value pointer|fd \d+ is not)/,
    category: "Memory Safety",
    problem: "an address inside a map that it does not have",
    needed: "an array of one element, and an offset inside it",
    suggestion: "Global data lie in arrays of one element; elements of other maps are looked up.",
    follow: "nothing",
  },
];

const HELD: readonly MessageClass[] = [
  {
    pattern: /^R\d+ must be referenced when passed to release function|^release helper \w+ expects/,
    category: "Resource Lifetime Safety",
    problem: "something is released that the program does not hold",
    needed: ({ name }) => `${name} to be what a helper gave that acquires, and not released before`,
    suggestion:
      "Release once, and only what was acquired: what the context, a cast or an element of a map gives is not the program's to release.",
  },
  {
    pattern: /^R\d+ must have zero offset when passed to release func/,
    category: "Resource Lifetime Safety",
    problem: "something is released through a pointer into its middle",
    needed: ({ name }) => `${name} as the helper gave it, with nothing added`,
    suggestion: "Keep the pointer that was acquired and release that one.",
  },
  {
    pattern: /^Unreleased reference id=\d+ alloc_insn=(\d+)/,
    category: "Resource Lifetime Safety",
    problem: "something that was acquired is not given back",
    needed: (_, [, insn]) => `what was acquired at insn ${insn} to be released on every path that ends`,
    suggestion:
      "Release it before each return, errors included; on the path where it is null there is nothing to release.",
    follow: "nothing",
  },
  {
    pattern: /^Leaking reference id=\d+ alloc_insn=(\d+)\. Release it first/,
    category: "Resource Lifetime Safety",
    problem: "something goes that another one rests on",
    needed: (_, [, insn]) => `what was acquired at insn ${insn} to be given back before`,
    suggestion: "Give things back in the opposite order: a file's dynptr before the file.",
    follow: "nothing",
  },
  {
    pattern: /(?:bpf_spin_lock|_lock.*region|lock is (?:taken|held)|rcu_read_lock|preempt|irq)/i,
    category: "Execution Context Safety",
    problem: "a section that must be closed first, or opened",
    needed:
      "sections to be opened and closed in pairs on every path, with nothing between that they do not allow",
    suggestion: "Keep the section short: nothing but loads, stores and arithmetic, and one way out.",
    follow: "nothing",
  },
];

const STRUCTURE: readonly MessageClass[] = [
  {
    pattern: /^infinite loop detected at insn (\d+)/,
    category: "Program Structure",
    problem: "a loop that does not end",
    needed: "something to change from one passage to the next that the end of the loop depends on",
    suggestion:
      "Let a counter grow in every passage and compare it with a constant: for (i = 0; i < N; i++), or use bpf_loop.",
    follow: "nothing",
  },
  {
    pattern: /^BPF program is too large/,
    category: "Verifier Limit",
    problem: "too many instructions on all paths together",
    needed: "no more than 1,000,000 processed instructions",
    suggestion:
      "Make loops shorter or use bpf_loop, and branches fewer: what was compared with many values may be masked or looked up instead.",
    follow: "nothing",
  },
  {
    pattern:
      /^(?:unreachable insn|jump out of range|jump into the middle|last insn is not|empty program|call to invalid destination|program of \d+ insns)/,
    category: "Program Structure",
    problem: "instructions that are no program",
    needed:
      "every instruction to be reachable, jumps to stay within their function, and functions to end in an exit or a jump",
    suggestion:
      "A compiler makes such programs only of undefined behaviour, such as a function without a return.",
    follow: "nothing",
  },
  {
    pattern: /^The address of function \w+ cannot be found|^Attaching tracing programs to function/,
    category: "Program Structure",
    problem: "a function that programs cannot attach to",
    needed: "a function of the kernel that is there and not closed",
    suggestion: "Attach to its caller, or to another that it calls.",
    follow: "nothing",
  },
  {
    pattern: /^\w+\(\) is not modifiable/,
    category: "Program Structure",
    problem: "a function whose result programs may not replace",
    needed: "one of the kernel's functions for that: security_…, or one where errors may be injected",
    suggestion: "Attach to its entry or exit if the result is only looked at.",
    follow: "nothing",
  },
  {
    pattern: /^\w+ is not sleepable/,
    category: "Execution Context Safety",
    problem: "a program that may sleep at a place where nothing may",
    needed: "a function or hook in which the kernel lets programs sleep",
    suggestion: "Load the program as one that does not sleep.",
    follow: "nothing",
  },
  {
    pattern: /^points to (disabled hook|wrong type name) (\w+)/,
    category: "Program Structure",
    problem: "a hook that programs may not attach to",
    needed: (_, [, , hook]) => `a hook that is open to programs, instead of ${hook}`,
    suggestion: "The kernel keeps a few security hooks to itself; choose one that is called near it.",
    follow: "nothing",
  },
  {
    pattern: /^(?:the call stack of (\d+) frames is too deep|tail_calls are not allowed)/,
    category: "Verifier Limit",
    problem: "calls that nest too deep",
    needed:
      "no more frames than the kernel allows (8; 16 since 7.3), no recursion, and 256 bytes of stack or less above a tail call",
    suggestion: "Inline functions, or replace recursion by a loop.",
    follow: "nothing",
  },
];

const RECURSION: MessageClass = {
  pattern: /^recursive call from (\w*)\(\) to (\w*)\(\)/,
  category: "Verifier Limit",
  problem: "a function that calls itself, by way of others or not",
  needed: (_, [, from, to]) =>
    from === "" || to === "" ? "no recursion" : `no call of ${to} from ${from}, which ${to} leads to`,
  suggestion: "Replace recursion by a loop.",
  follow: "nothing",
};

export const OTHER_CLASSES: readonly MessageClass[] = [
  ...REGISTERS,
  ...HELPERS,
  ...OBJECT_CLASSES,
  ...HELD,
  ...STRUCTURE,
  RECURSION,
];
