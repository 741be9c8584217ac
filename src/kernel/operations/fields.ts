/** What operations of all kinds are made of. */
import { z } from "zod";

/** A process by its number: 1 is there at the beginning, the others are numbered as they are made. */
const process = z.int().positive();

/** A descriptor of the operation's process. */
export const descriptor = z.int();

/** An absolute path, or one that begins at the process's directory. */
export const path = z.string();

/** The schema of an operation of one process; what is not named is an error. */
export const inProcess = <N extends string, S extends z.core.$ZodShape>(name: N, shape: S) =>
  z.strictObject({ process, do: z.literal(name), ...shape });
