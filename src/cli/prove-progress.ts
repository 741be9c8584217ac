/** What is seen while `soundcheck prove` works: one line that is redrawn on a terminal, plain lines elsewhere. */
import { holds, type TheoremReport } from "../proof/run.ts";
import { bar, ERASE_LINE } from "./bar.ts";
import { canRedraw, note, paintNote, printable } from "./terminal.ts";

/** Milliseconds between redrawings, and between plain lines. */
const REDRAW_MS = 60;
const PLAIN_MS = 10_000;

/** Follows a run; `now` is in milliseconds. */
export class ProveDisplay {
  readonly #now: () => number;
  readonly #start: number;
  readonly #redraw = canRedraw();
  #shownAt: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
    this.#shownAt = this.#redraw ? Number.NEGATIVE_INFINITY : this.#start;
  }

  readonly show = (done: number, total: number, report: TheoremReport): void => {
    const { theorem, result } = report;
    if (!holds(report)) {
      this.clear();
      const what = result.kind === "proved" ? "a wrong version is not refuted" : result.kind;
      note(`${paintNote(["red", "bold"], what)}: ${printable(theorem.name)}`);
    }
    const now = this.#now();
    if (now - this.#shownAt < (this.#redraw ? REDRAW_MS : PLAIN_MS)) return;
    this.#shownAt = now;
    const seconds = Math.round((now - this.#start) / 1000);
    if (this.#redraw) {
      const line = `${bar(done, total)} ${done}/${total}  ${seconds} s  ${printable(theorem.name)}`;
      process.stderr.write(ERASE_LINE + line);
    } else note(`${seconds} s: ${done} of ${total} theorems; at ${printable(theorem.name)}`);
  };

  /** Takes the line away, before other output. */
  clear(): void {
    if (this.#redraw) process.stderr.write(ERASE_LINE);
  }
}
