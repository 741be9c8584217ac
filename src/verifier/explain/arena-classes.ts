/** Messages about arenas. */
import type { MessageClass } from "./message-class.ts";

export const ARENA_CLASSES: readonly MessageClass[] = [
  {
    pattern: /^addr_space_cast insn can only convert/,
    category: "Program Structure",
    problem: "a cast between address spaces that are not the arena's and the program's",
    needed: "a cast from address space 1 to 0, or from 0 to 1",
    suggestion:
      "Declare pointers into the arena with __attribute__((address_space(1))), and let the compiler cast.",
    follow: "nothing",
  },
  {
    pattern: /^addr_space_cast insn can only be used/,
    category: "Program Structure",
    problem: "a cast to a pointer into an arena in a program that refers to none",
    needed: "an instruction, anywhere in the program, that loads the arena's map",
    suggestion:
      "Refer to the map, as by a call that takes it; where the cast is enough, so is &map in an asm statement.",
    follow: "nothing",
  },
  {
    pattern: /^Only one arena per program/,
    category: "Program Structure",
    problem: "two arenas in one program",
    needed: "one arena",
    suggestion: "Put both areas into one arena, or split the program.",
    follow: "nothing",
  },
  {
    pattern: /^only one cgroup storage of each type is allowed/,
    category: "Program Structure",
    problem: "two storages of control groups of one type in one program",
    needed: "one of each type: one that all processors share, one of which each has its own",
    suggestion: "Put both values into one structure.",
    follow: "nothing",
  },
  {
    pattern: /^CAP_BPF and CAP_PERFMON are required to use arena/,
    category: "Policy",
    problem: "an arena in a program of a loader who may not see addresses",
    needed: "the capabilities CAP_BPF and CAP_PERFMON",
    suggestion: "Load it with these, or keep the data in a map of another type.",
    follow: "nothing",
  },
  {
    pattern: /^same insn cannot be used with different pointers/,
    category: "Register Type Safety",
    problem: "one load or store through pointers of different kinds, by the path that leads there",
    needed:
      "an instruction for each, since the kernel makes other instructions of those through a context, a socket, an object or an arena",
    suggestion: "Let the paths meet behind the access, not in front of it.",
    follow: "nothing",
  },
  {
    pattern: /^64-bit arithmetic on arena pointers and/,
    category: "Register Type Safety",
    problem:
      "one instruction that works on a pointer into the arena on one path and on something else on another",
    needed: "an instruction for each, since the kernel makes another one of what works on an arena",
    suggestion: "Let the paths meet behind the arithmetic, not in front of it.",
    follow: "nothing",
  },
  {
    pattern: /^pointer in R\d+ isn't map pointer/,
    category: "Call Type Safety",
    problem: "something else than a map where a kernel function takes one",
    needed: ({ name }) => `${name} to hold the address of a map`,
    suggestion: "Pass &map.",
  },
];
