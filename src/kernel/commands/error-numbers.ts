/** Negative error numbers by their names. */
import * as errors from "../../vm/errno.ts";

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(errors));

/** @throws Error  for a name that no error has */
export function numberOfError(name: string): number {
  const number = NUMBERS.get(name);
  if (number === undefined) throw new Error(`no error is called ${name}`);
  return number;
}
