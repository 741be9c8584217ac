/** The failures a user can cause. A rejected program is data, and a broken invariant is an assertion: neither is an `InputError`. */

/**
 * Input that cannot be used: a truncated ELF file, an unknown key in a bundle, a bad mnemonic. Its message is one line that names
 * the place inside the input ("section .maps, offset 0x20", "line 3, column 7"); who opened the file adds its name with `inFile`.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** Something soundcheck knows of but does not model; the message names it. A verdict, never a guess: see the design's contracts. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

/** Runs `read` and puts the file's name before the message of any `InputError` it throws. */
export function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}
