/** The kernel's symbols, as proc(5) says that /proc/kallsyms lists them. */
import type { Kernel } from "./calls.ts";

/** Addresses by name. Names need not be unique: those of one are in the order of the list, and differ. */
export type Symbols = ReadonlyMap<string, readonly bigint[]>;

const KALLSYMS = "/proc/kallsyms";

const known = new WeakMap<Kernel, { readonly symbols: Symbols | undefined }>();

/** The symbols of a kernel; asked once. `undefined` if it does not list them. Loaders that may not see addresses see 0 for each. */
export function symbolsOf(kernel: Kernel): Symbols | undefined {
  let found = known.get(kernel);
  if (found === undefined) {
    const bytes = kernel.readFile(KALLSYMS);
    found = { symbols: bytes === undefined ? undefined : parse(new TextDecoder().decode(bytes)) };
    known.set(kernel, found);
  }
  return found.symbols;
}

function parse(text: string): Symbols | undefined {
  const symbols = new Map<string, bigint[]>();
  for (const [, digits, name] of text.matchAll(/^([0-9a-f]+) \S (\S+)/gm)) {
    if (digits === undefined || name === undefined) continue;
    const address = BigInt(`0x${digits}`);
    const others = symbols.get(name);
    if (others === undefined) symbols.set(name, [address]);
    else if (!others.includes(address)) others.push(address);
  }
  // A kernel that lists none does not tell what it has.
  return symbols.size === 0 ? undefined : symbols;
}
