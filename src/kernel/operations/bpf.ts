/**
 * Calls of bpf(2): the command by name and its attribute by the names of linux/bpf.h. A field that is left out is zero. Where the attribute
 * holds an address, a trace holds what lies there.
 */
import { z } from "zod";
import { inProcess } from "./fields.ts";

const COMMAND_NAMES = [
  "map_create",
  "map_lookup_elem",
  "map_update_elem",
  "map_delete_elem",
  "prog_load",
  "obj_pin",
  "obj_get",
  "map_get_fd_by_id",
  "prog_get_fd_by_id",
] as const;

const hex = z.string().regex(/^([0-9a-f]{2})*$/, "expected pairs of hexadecimal digits");

/** A number (also of a bad address); 64 bits that a number cannot hold; bytes; or a text, which ends with NUL in memory. */
const attributeValue = z.union([
  z.int(),
  z.strictObject({ u64: z.string().regex(/^0x[0-9a-f]{1,16}$/) }),
  z.strictObject({ hex }),
  z.strictObject({ text: z.string() }),
]);

export const bpfOperation = inProcess("bpf", {
  command: z.enum(COMMAND_NAMES),
  attr: z.record(z.string(), attributeValue),
  /** Bytes of the attribute that are passed, if not those that the command has. */
  size: z.int().nonnegative().optional(),
  /** What follows the command's own fields. */
  tail: hex.optional(),
});

export type BpfOperation = z.infer<typeof bpfOperation>;
export type AttributeValue = z.infer<typeof attributeValue>;
