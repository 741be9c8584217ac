/** Messages about what the kernel keeps for a program: dynptrs, pointers in map values, strings that never change. */
import type { MessageClass } from "./message-class.ts";

const TYPES = "Register Type Safety";
const CALLS = "Call Type Safety";

const KPTRS: readonly MessageClass[] = [
  {
    pattern: /^Possibly NULL pointer passed to helper arg\d+/,
    category: TYPES,
    problem: "a pointer that may be null, where either null itself or an object is wanted",
    needed: "a comparison with null before the call",
    suggestion: "Compare it, and pass the pointer on one side and 0 on the other.",
    follow: "nothing",
  },
  {
    pattern:
      /^(?:kptr access (?:misaligned|size|cannot)|kptr in map can only|kptr cannot be accessed indirectly)/,
    category: "Memory Safety",
    problem: "access to a pointer in a map's value that is no plain load or store of it",
    needed: "a load or store of all its eight bytes, at its own place, by an instruction",
    suggestion:
      "Load and store the pointer by its name; leave it out of what is passed to helpers as memory.",
    follow: "nothing",
  },
  {
    pattern: /^store to referenced kptr disallowed/,
    category: "Resource Lifetime Safety",
    problem: "a store over a pointer that holds a reference",
    needed: "an exchange, so that what was there can be released",
    suggestion: "Use bpf_kptr_xchg, and release what it gives back.",
    follow: "nothing",
  },
  {
    pattern: /^(?:invalid kptr access, R\d+|BPF_ST imm must be 0 when storing to kptr)/,
    category: TYPES,
    problem: "something is put into a map's value that the pointer there cannot lead to",
    needed: "null, or a pointer to an object of the type that the map's value declares",
    suggestion: "Keep objects of other types in pointers of their own.",
  },
  {
    pattern:
      /^(?:off=-?\d+ (?:doesn't point to kptr|kptr isn't referenced)|map '.*' has to have BTF in order to use bpf_kptr)/,
    category: CALLS,
    problem: "an exchange where there is no pointer that holds a reference",
    needed: "the address of a field that is declared with __kptr",
    suggestion:
      "Pass the address of the field itself, in the value of a map that is declared with its types.",
    follow: "nothing",
  },
  {
    pattern: /^R\d+ has no valid kptr/,
    category: CALLS,
    problem: "an exchange in something that holds no pointers",
    needed: ({ name }) => `${name} to point to a field that is declared with __kptr`,
    suggestion: "Declare the field so, in the structure of the map's value or object.",
  },
  {
    pattern: /^R\d+ doesn't have constant offset/,
    category: CALLS,
    problem: "a field of a map's value at a place that is not known",
    needed: ({ name }) => `${name} to point to one known field`,
    suggestion: "Select the field by comparisons, not by arithmetic.",
  },
];

const STRINGS: readonly MessageClass[] = [
  {
    pattern:
      /^R\d+ (?:does not point to a readonly map|is not a constant address)|^string is not zero-terminated/,
    category: CALLS,
    problem: "a string that may change, or has no end",
    needed: "a string in a map that nobody can change, at a known place, with a zero at its end",
    suggestion: "Declare it as a constant of the program: static const char text[] = …;",
  },
  {
    pattern: /^(?:Invalid format string|the size of the format's arguments)/,
    category: CALLS,
    problem: "a format that the kernel does not print",
    needed:
      "conversions that the kernel knows (%d %u %i %x with l or ll, %c, %s, %p, %pK, %px, %ps, %pS, %pB, %pks, %pus, %pi4, %pi6), at most as many as there are arguments, of eight bytes each",
    suggestion:
      "Use BPF_SNPRINTF, which counts the arguments, and leave a space or punctuation behind %s and %p.",
    follow: "nothing",
  },
];

const DYNPTRS: readonly MessageClass[] = [
  {
    pattern: /(?:^|\n)Expected an initialized dynptr as arg #\d+/,
    category: CALLS,
    problem: "use of a dynptr that is none, or none any more",
    needed: ({ name }) => `${name} to point to the beginning of a dynptr that was made on every path to here`,
    suggestion:
      "Make it first (bpf_dynptr_from_mem, bpf_ringbuf_reserve_dynptr), pass its own address, and do not write to it or use it after it was given back.",
  },
  {
    pattern: /(?:^|\n)Expected a dynptr of type (\w+) as arg #\d+/,
    category: CALLS,
    problem: "a dynptr of another kind",
    needed: ({ name }, [, kind]) => `${name} to point to a dynptr of kind ${kind}`,
    suggestion: "Use the function for dynptrs of this kind.",
  },
  {
    pattern: /points into the dynptr that is to be copied there/,
    category: CALLS,
    problem: "a copy of a dynptr over a half of it",
    needed: ({ name }) => `${name} to point beside the dynptr`,
    suggestion: "Declare the copy as a variable of its own: struct bpf_dynptr copy;",
  },
  {
    pattern: /(?:^|\n)Dynptr has to be an uninitialized dynptr/,
    category: CALLS,
    problem: "no place where a dynptr can be made",
    needed: ({ name }) => `${name} to point to sixteen bytes of the stack, at a known multiple of 8`,
    suggestion: "Declare it as a variable of its own: struct bpf_dynptr ptr;",
  },
  {
    pattern: /^arg#\d+ expected pointer to stack or const struct bpf_dynptr/,
    category: CALLS,
    problem: "something else where a dynptr is wanted",
    needed: "the address of a dynptr on the stack",
    suggestion: "Pass the address of the variable that holds it.",
    follow: "nothing",
  },
  {
    pattern: /^the prog does not allow writes to packet data/,
    category: "Policy",
    problem: "a slice to write to, of a packet that the program may only read",
    needed: "a program type that may write to the packet",
    suggestion: "Use bpf_dynptr_slice, and copy what is to be changed.",
    follow: "nothing",
  },
  {
    pattern: /^cannot pass pointer to const bpf_dynptr/,
    category: CALLS,
    problem: "a dynptr that may not be changed, where the callee changes it",
    needed: "a dynptr of the program's own",
    suggestion: "What a callback is given may be read and written through, and not be changed itself.",
    follow: "nothing",
  },
  {
    pattern: /^Unsupported reg type \w+ for bpf_dynptr_from_mem/,
    category: CALLS,
    problem: "a dynptr of memory that may go before it does",
    needed: "a map's value",
    suggestion: "Put the data into a map's value (global data are one) and make the dynptr of that.",
    follow: "nothing",
  },
  {
    pattern: /^potential write to dynptr at off=-?\d+/,
    category: CALLS,
    problem: "a helper is to fill memory in which a dynptr lies",
    needed: "a buffer apart from the dynptr",
    suggestion: "Pass a buffer of its own, no larger than declared.",
    follow: "nothing",
  },
  {
    pattern: /^cannot overwrite referenced dynptr/,
    category: "Resource Lifetime Safety",
    problem: "a dynptr is overwritten that holds a record",
    needed: "the record to be submitted or discarded first",
    suggestion: "Submit or discard it on every path before its variable is used for something else.",
    follow: "nothing",
  },
  {
    pattern: /(?:^|\n)arg \d+ is an unacquired reference|^cannot release unowned const bpf_dynptr/,
    category: "Resource Lifetime Safety",
    problem: "a dynptr is given back that holds nothing",
    needed: "a dynptr that bpf_ringbuf_reserve_dynptr made, and that was not given back before",
    suggestion: "Submit or discard once, and what was reserved only.",
    follow: "nothing",
  },
];

export const OBJECT_CLASSES: readonly MessageClass[] = [...KPTRS, ...STRINGS, ...DYNPTRS];
