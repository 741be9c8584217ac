/**
 * Calls of bpf(2): the command by name (one that there is not, by number) and its attribute by the names of linux/bpf.h. A field that is left out is zero. Where the attribute
 * holds an address, a trace holds what lies there, and behind it lies nothing: who reads or writes on meets EFAULT.
 *
 * What a call wrote is answered by the fields' names: those of the attribute, and those that hold the addresses of what changed.
 *
 * Roots and edges: a process's descriptor → map, program, BTF, link; a program → the maps that it uses, the maps and BTF of `fd_array` where that has a length, and the maps bound to it
 * (`prog_bind_map`); a map → the BTF that it was made with; a map of maps → the maps in it; a program array that user space still has → the programs in it.
 */
import { z } from "zod";
import { COMMAND_NAMES } from "../../semantics/abi/bpf-commands.ts";
import { inProcess } from "./fields.ts";

const hex = z.string().regex(/^([0-9a-f]{2})*$/, "expected pairs of hexadecimal digits");

/** A number (also of an address, which leads to nothing); 64 bits that a number cannot hold; bytes; or a text, which ends with NUL in memory. */
const attributeValue = z.union([
  z.int(),
  z.strictObject({ u64: z.string().regex(/^0x[0-9a-f]{1,16}$/) }),
  z.strictObject({ hex }),
  z.strictObject({ text: z.string() }),
]);

export const bpfOperation = inProcess("bpf", {
  command: z.union([z.enum(COMMAND_NAMES), z.int().nonnegative()]),
  attr: z.record(z.string(), attributeValue),
  /** Bytes of the attribute that are passed, if not those that the command has. */
  size: z.int().nonnegative().optional(),
  /** What follows the command's own fields. */
  tail: hex.optional(),
});

export type BpfOperation = z.infer<typeof bpfOperation>;
export type AttributeValue = z.infer<typeof attributeValue>;
