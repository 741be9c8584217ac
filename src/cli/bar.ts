/** The bar of a progress line on standard error. */
import { paintNote } from "./terminal.ts";

/** Columns of a bar. */
export const BAR = 20;

/** Takes away the line that the cursor is in. */
export const ERASE_LINE = "\r\u001b[2K";

export function bar(done: number, total: number): string {
  const filled = total === 0 ? BAR : Math.round((BAR * done) / total);
  return paintNote("green", "█".repeat(filled)) + paintNote("gray", "░".repeat(BAR - filled));
}
