/** What rejections of callbacks mean: functions that the program hands to helpers. */
import type { MessageClass } from "./message-class.ts";

const STRUCTURE = "Program Structure";

export const CALLBACK_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^missing btf func_info/,
    category: STRUCTURE,
    problem: "the address of a function of which nothing is declared",
    needed: "BTF that says what the program's functions are",
    suggestion: "Compile with -g, and load the program with the BTF of its object.",
    follow: "nothing",
  },
  {
    pattern: /^callback function not static/,
    category: STRUCTURE,
    problem: "the address of a global function",
    needed: "a static function",
    suggestion:
      "Declare the callback as static: global functions are verified by themselves, for any arguments.",
    follow: "nothing",
  },
  {
    pattern: /^callback function not allowed for map/,
    category: "Call Type Safety",
    problem: "a map whose elements cannot be gone through",
    needed: "an array or a hash table, for each processor or not",
    suggestion: "Keep the elements in a map of such a type, or go through the keys that you know.",
    follow: "nothing",
  },
  {
    pattern: /^write to change key R\d+ not allowed|^R\d+ cannot write into map_key/,
    category: "Memory Safety",
    problem: "a write to a map's key",
    needed: "memory of the program's own",
    suggestion: "Copy the key to the stack, change the copy, and insert or delete elements by it.",
  },
  {
    pattern: /^At callback return the register R0 has/,
    category: "Call Type Safety",
    problem: "a callback's result that the helper does not know",
    needed: "0 to go on, or 1 to stop",
    suggestion: "Return a constant, or compare the result with 0 and 1 first.",
  },
  {
    pattern: /^R0 not a scalar value/,
    category: "Call Type Safety",
    problem: "a callback without a number as its result",
    needed: "0 in R0 to go on, or 1 to stop",
    suggestion: "End every path of the callback with return 0 or return 1.",
  },
  {
    pattern: /^cannot tail call within callback/,
    category: STRUCTURE,
    problem: "a tail call where a helper waits for an answer",
    needed: "a tail call outside of all callbacks",
    suggestion:
      "Note in the callback's context which program is to be called, and call it after the helper has returned.",
    follow: "nothing",
  },
];
