/** Messages about the program's own functions: global ones, and those that may leave by a tail call. */
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
