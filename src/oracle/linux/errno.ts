/** Errors of the kernel, by name. */
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

/** `ENOTSUPP` exists inside the kernel only, and bpf(2) lets it out. */
const ENOTSUPP = 524;

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]),
  // Two names have one number: the kernel's own sources write these.
  [constants.errno.EAGAIN, "EAGAIN"],
  [constants.errno.EOPNOTSUPP, "EOPNOTSUPP"],
  [ENOTSUPP, "ENOTSUPP"],
  // Node does not know it.
  [77, "EBADFD"],
]);

const WORDS = getSystemErrorMap();

/** The number of an error, by its name. */
export function errorNumber(name: string): number | undefined {
  for (const [number, known] of NAMES) if (known === name) return number;
  return undefined;
}

/** `EACCES` for 13; `errno 1234` for a number without a name. */
export function errnoName(number: number): string {
  return NAMES.get(number) ?? `errno ${number}`;
}

/** `Permission denied (EACCES)`: the C library's words, where Node knows them. */
export function errnoText(name: string): string {
  if (name === "ENOTSUPP") return "not supported (ENOTSUPP)";
  const number = errorNumber(name);
  const words = number === undefined ? undefined : WORDS.get(-number)?.[1];
  return words === undefined ? name : `${words} (${name})`;
}

/** bpf(2) failed in a place where that is neither a verdict nor an answer. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  /** `EINVAL`, … */
  readonly errno: string;
  /** What the kernel wrote about it, if anything. */
  readonly log: string;

  constructor(what: string, errno: string, log = "") {
    super(`${what}: ${errnoText(errno)}`);
    this.errno = errno;
    this.log = log;
  }
}
