/** Messages about the program's own functions: global ones, those that may leave by a tail call, and those that timers call. */
import type { MessageClass } from "./message-class.ts";

const CALLS = "Call Type Safety";
const STRUCTURE = "Program Structure";

export const FUNCTION_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^R\d+ points into the packet, which the function may change\nCaller passes/,
    category: "Memory Safety",
    problem: "a packet pointer for a function that may move the packet",
    needed: ({ name }) => `${name} to stay valid as long as the function runs`,
    suggestion:
      "Copy what the function needs of the packet to the stack, or pass it the context and let it look itself.",
  },
  {
    pattern: /^arg#\d+ is expected to be non-NULL\nCaller passes/,
    category: CALLS,
    problem: "a pointer that may be null for an argument that must not be",
    needed: "a comparison of the pointer with null before the call",
    suggestion:
      "Compare it with null first, or take __arg_nonnull from the parameter and compare in the function.",
    follow: "nothing",
  },
  {
    pattern:
      /(?:^Global function \w+\(\) (?:doesn't return scalar|with \d+ > 5 args)|^Arg#\d+ type|^arg#\d+ (?:reference type|has (?:unsupported|invalid|pointer))).*\nCaller passes/,
    category: STRUCTURE,
    problem: "a global function with a type that no call can be checked against",
    needed:
      "at most five arguments, each a number, the context, or a pointer to a type of known size; and a number as the result",
    suggestion:
      "Make the function static, so that it is verified with the arguments of each call; or change its type.",
    follow: "nothing",
  },
  {
    pattern: /^R(\d+) is not a scalar\nCaller passes invalid args into func#\d+ \('(\w+)'\)/,
    category: CALLS,
    problem: "something other than a number for a number",
    needed: (_, [, register, callee]) => `a number in R${register}, as ${callee}() is declared`,
    suggestion:
      "Pass a number, declare the parameter as a pointer to the type that it points to, or make the function static.",
  },
  {
    pattern: /\nCaller passes invalid args into func#\d+ \('(\w+)'\)/,
    category: CALLS,
    problem: "an argument that a global function does not take",
    needed: (_, [, callee]) =>
      `arguments as ${callee}() is declared: a pointer leads to as many bytes as its type has, to be read and written`,
    suggestion:
      "Pass what the parameter's type says, or make the function static: then it is verified with the arguments of each call.",
  },
  {
    pattern: /^global function calls are not allowed while holding a lock/,
    category: "Execution Context Safety",
    problem: "a call of a global function with a lock held",
    needed: "a static function, or no lock",
    suggestion: "Make the function static, or unlock before the call.",
    follow: "nothing",
  },
  {
    pattern: /^global functions that may sleep are not allowed/,
    category: "Execution Context Safety",
    problem: "a call of a function that may sleep where nothing may",
    needed: "a sleepable program, outside of all sections",
    suggestion:
      "Load the program as sleepable (SEC names that end in .s), or leave the section before the call.",
    follow: "nothing",
  },
  {
    pattern: /^At async callback return the register R0 /,
    category: CALLS,
    problem: "a result that a timer does not take",
    needed: "0 in R0 on every path",
    suggestion: "Return 0 from the callback: a timer has nothing to ask of it.",
  },
  {
    pattern:
      /^(?:off -?\d+ doesn't point to 'struct bpf_timer'|R\d+ doesn't have constant offset\. bpf_timer|map '\w*' has (?:to have BTF in order to use|no valid) bpf_timer)/,
    category: CALLS,
    problem: "a pointer that is not one to a timer",
    needed: "the address of a struct bpf_timer in a map's value, of which the map's BTF says so",
    suggestion: "Put a struct bpf_timer into the value's structure, and pass its address: &value->timer.",
  },
  {
    pattern: /^bpf_timer cannot be accessed directly/,
    category: "Memory Safety",
    problem: "an access to a timer",
    needed: "no access to the bytes of a timer, which are the kernel's",
    suggestion: "Use bpf_timer_init, bpf_timer_set_callback, bpf_timer_start and bpf_timer_cancel.",
    follow: "nothing",
  },
  {
    pattern: /^tracing progs cannot use bpf_timer/,
    category: "Policy",
    problem: "a timer in a program that may interrupt anything",
    needed: "a program type that does not trace",
    suggestion: "Start timers from a program of another type, as XDP or a classifier.",
    follow: "nothing",
  },
  {
    pattern: /^timer pointer in R1/,
    category: CALLS,
    problem: "a timer and a map that do not belong together",
    needed: "the map in whose value the timer is",
    suggestion: "Pass bpf_timer_init the map that the element was looked up in.",
  },
  {
    pattern: /^At subprogram exit the register R0 is not a scalar value \((\w+)\)/,
    category: CALLS,
    problem: "a pointer as the result of a global function",
    needed: "a number in R0",
    suggestion: "Return a number; only static functions may return pointers.",
  },
  {
    pattern:
      /^(tail_call|LD_ABS) is (?:not allowed in subprogs without BTF|only allowed in functions that return 'int')/,
    category: STRUCTURE,
    problem: "a function that may return before its end, without a number as its result",
    needed: "a function that returns int, with BTF that says so",
    suggestion: (_, [, what]) =>
      `${what === "LD_ABS" ? "A legacy packet load" : "A tail call"} may end the function at any time: let it return int, and build with -g.`,
    follow: "nothing",
  },
];
