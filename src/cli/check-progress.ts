/** What is seen while `soundcheck check` works: one line that is redrawn on a terminal, plain lines elsewhere. */

import type { CheckProgress } from "../campaign/check.ts";
import { isFinding } from "../campaign/check-report.ts";
import { BAR, bar, ERASE_LINE } from "./bar.ts";
import { shorten } from "./table.ts";
import { canRedraw, note, noteColumns, paintNote, printable } from "./terminal.ts";

/** Milliseconds between redrawings, and between plain lines. */
const REDRAW_MS = 60;
const PLAIN_MS = 10_000;

function fileName(file: string): string {
  return file.split("/").at(-1) ?? file;
}

/** Follows a check; `now` is in milliseconds. */
export class ProgressDisplay {
  readonly #now: () => number;
  readonly #start: number;
  readonly #redraw = canRedraw();
  #shownAt: number;
  #findings = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
    this.#shownAt = this.#redraw ? Number.NEGATIVE_INFINITY : this.#start;
  }

  readonly show = (event: CheckProgress): void => {
    const { report } = event;
    if (report !== undefined && isFinding(report)) {
      this.#findings += 1;
      this.clear();
      const where = `${fileName(report.file)}: ${report.program.name}`;
      note(`${paintNote(["red", "bold"], "finding")} in ${printable(where)}`);
    }
    const now = this.#now();
    const last = event.done === event.total;
    if (now - this.#shownAt < (this.#redraw ? REDRAW_MS : PLAIN_MS) && !(last && this.#redraw)) return;
    this.#shownAt = now;
    if (this.#redraw) process.stderr.write(ERASE_LINE + this.#line(event, now));
    else note(this.#plainLine(event, now));
  };

  /** Takes the line away, before other output. */
  clear(): void {
    if (this.#redraw) process.stderr.write(ERASE_LINE);
  }

  #line({ done, total, file, program }: CheckProgress, now: number): string {
    const seconds = (now - this.#start) / 1000;
    const rate = done / Math.max(seconds, 0.001);
    const findings = this.#findings === 1 ? "1 finding" : `${this.#findings} findings`;
    const head = `${done}/${total}`.padStart(2 * `${total}`.length + 1);
    const left = Math.ceil((total - done) / rate);
    const tail = done === 0 ? "" : `${rate.toFixed(rate < 10 ? 1 : 0)}/s, ${left} s left`;
    const room = noteColumns() - BAR - head.length - tail.length - findings.length - 8;
    const where = shorten(printable(`${fileName(file)} ${program}`), Math.max(0, Math.min(room, 48)));
    const found = this.#findings === 0 ? findings : paintNote("red", findings);
    return `${bar(done, total)} ${head}  ${found}  ${tail}  ${paintNote("gray", where)}`;
  }

  #plainLine({ done, total, file, program }: CheckProgress, now: number): string {
    const seconds = Math.round((now - this.#start) / 1000);
    const findings = this.#findings === 1 ? "1 finding" : `${this.#findings} findings`;
    return `${seconds} s: ${done} of ${total} programs, ${findings}; at ${printable(`${fileName(file)}: ${program}`)}`;
  }
}
