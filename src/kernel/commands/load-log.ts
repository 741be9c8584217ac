/**
 * The log of a load: whether one may be asked for in this way, what is written, and what comes of a buffer that is too small. Its text is our verifier's, in the kernel's
 * format; the kernel's own text may have other numbers in it.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { closingLine, VerifierLog } from "../../verifier/log.ts";
import type { verify as Verify } from "../../verifier/verify.ts";
import { EFAULT, ENOSPC } from "../../vm/errno.ts";
import type { Attribute } from "./attribute.ts";
import { numberOfError } from "./error-numbers.ts";

/** Level 2 shows all paths; 4 is a summary alone, 8 how the buffer is filled. */
const LEVELS = 15;
const ALL_PATHS = 2;
const SOME_PATH = 3;
const FIXED = 8;
const MOST_SIZE = 0xffff_ffff >>> 2;

/** Where in the attribute `log_true_size` ends: shorter attributes are not written. */
const TRUE_SIZE_END = 144;

/** Whether a log may be asked for in this way: level and room are both there, or neither. */
export function isLogAsked(level: number, size: number, place: bigint): boolean {
  const isPlaced = place !== 0n;
  return isPlaced === size > 0 && !(isPlaced && level === 0) && (level & ~LEVELS) === 0 && size <= MOST_SIZE;
}

/** Writes a log's text into so much room: what is wrong then, 0 or a negative error number, and how long it is with its NUL. */
export function writeLog(
  text: string,
  level: number,
  size: number,
  write: (bytes: Uint8Array) => boolean,
): { readonly problem: number; readonly trueSize: number } {
  if (level === 0 || text === "") return { problem: 0, trueSize: 0 };
  const bytes = new TextEncoder().encode(`${text}\0`);
  const trueSize = bytes.length;
  if (size === 0) return { problem: 0, trueSize };
  const room = Math.min(trueSize, size);
  // Of a text that is too long the end is kept, unless the beginning is asked for.
  const kept = (level & FIXED) === 0 ? bytes.slice(trueSize - room) : bytes.slice(0, room);
  kept[room - 1] = 0;
  if (!write(kept)) return { problem: EFAULT, trueSize };
  return { problem: trueSize > size ? ENOSPC : 0, trueSize };
}

export class LoadLog {
  readonly isValid: boolean;
  readonly #level: number;
  readonly #size: number;
  #text = "";

  constructor(attr: Attribute<"prog_load">) {
    this.#level = attr.u32("log_level");
    this.#size = attr.u32("log_size");
    this.isValid = isLogAsked(this.#level, this.#size, attr.u64("log_buf"));
  }

  /** Notes what is wrong before any instruction is processed, and gives the error number back. */
  say<N extends number>(message: string, error: N): N {
    const nothing = { processed: 0, maxStatesPerInsn: 0, totalStates: 0, peakStates: 0 };
    this.#text += `${message === "" ? "" : `${message}\n`}${closingLine(nothing)}\n`;
    return error;
  }

  /** @returns 0 for accepted, or a negative error number. @throws Unsupported  for what the verifier does not model */
  verify(program: Program, rules: Rules, verifier: typeof Verify): number | undefined {
    const level = (this.#level & SOME_PATH) === 0 ? undefined : (this.#level & ALL_PATHS) === 0 ? 1 : 2;
    const log = level === undefined ? undefined : new VerifierLog(program, level);
    const verdict = verifier(program, log, rules);
    if (verdict.verdict === "unsupported") throw new Unsupported(`prog_load: ${verdict.feature}`);
    if (log !== undefined) this.#text += log.finish(verdict);
    else if (this.#level !== 0) this.#text += `${closingLine(verdict.statistics)}\n`;
    return verdict.verdict === "accept" ? undefined : numberOfError(verdict.errno);
  }

  /** Writes the log and its size. Returns 0, or a negative error number that replaces the verdict. */
  finish(attr: Attribute<"prog_load">): number {
    const write = (bytes: Uint8Array): boolean => attr.write("log_buf", bytes);
    const { problem, trueSize } = writeLog(this.#text, this.#level, this.#size, write);
    if (attr.size >= TRUE_SIZE_END && !attr.writeBack("log_true_size", trueSize)) return EFAULT;
    return problem;
  }
}
