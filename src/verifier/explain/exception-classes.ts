/** Messages about exceptions: where none may be thrown, and what an exception callback must be. */
import type { MessageClass } from "./message-class.ts";

const TAGS =
  /^(?:multiple exception callback tags|exception callback '.*' (?:could not be found|must have global)|invalid exception callback insn_off|exception callback type id not found)/;

export const EXCEPTION_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^At program exit the register R1 has .* should have been in \[(-?\d+), (-?\d+)\]/,
    category: "Register Type Safety",
    problem: "an exception whose cookie is no result that the program type allows",
    needed: (_, [, least, greatest]) => `a cookie from ${least} to ${greatest}`,
    suggestion:
      "Throw one of the program type's results, or give the program an exception callback (__exception_cb): then that decides.",
  },
  {
    pattern: /^Unreleased reference id=\d+ alloc_insn=(\d+)[^]*\nbpf_throw in func#\d+ \('(\w+)'\)/,
    category: "Resource Lifetime Safety",
    problem: "a call of a function that may throw while something is held",
    needed: (_, [, insn, name]) =>
      `what was acquired at insn ${insn} to be released before ${name}() is called: if that throws, nobody does`,
    suggestion: "Release it before the call, or make the function return an error where it throws.",
    follow: "nothing",
  },
  {
    pattern: /^bpf_throw kfunc \(insn \d+\) cannot be called from callback/,
    category: "Execution Context Safety",
    problem: "an exception in a callback",
    needed:
      "a helper that calls back to get its answer; exceptions only in functions that the program calls itself",
    suggestion:
      "Return 1 to end the helper, note the error in the callback's context, and throw after the call.",
    follow: "nothing",
  },
  {
    pattern: /^exception cb only supports single integer argument/,
    category: "Program Structure",
    problem: "an exception callback with other parameters than the cookie",
    needed: "one number as parameter",
    suggestion: "Declare it so: int name(u64 cookie).",
    follow: "nothing",
  },
  {
    pattern:
      /^(?:Global function \w+\(\) doesn't return scalar|exception cb cannot return void|arg#\d+ reference type)/,
    category: "Program Structure",
    problem: "an exception callback of a type that cannot be verified",
    needed: "one number as parameter, and a number as the result",
    suggestion: "Declare it so: int name(u64 cookie).",
    follow: "nothing",
  },
  {
    pattern: /^insn \d+ cannot call exception cb directly/,
    category: "Program Structure",
    problem: "a call of the exception callback",
    needed: "a function that nobody but the kernel calls",
    suggestion: "Put what both need into a function of its own.",
    follow: "nothing",
  },
  {
    pattern: TAGS,
    category: "Program Structure",
    problem: "an exception callback that cannot be one",
    needed: "one global function of the program, named by one tag of the main function",
    suggestion:
      "Declare the callback as a global function that is not hidden, and name it once: __exception_cb(name).",
    follow: "nothing",
  },
];
