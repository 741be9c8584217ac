/** How a campaign shows itself while it works: a screen that is redrawn in place on a terminal, plain lines elsewhere. */
import type { Stats } from "../campaign/fuzz/stats.ts";
import type { Finding } from "../campaign/fuzz/store.ts";
import { type ScreenFacts, screenLines } from "./fuzz-screen.ts";
import { canRedraw, note, paintNote, printable } from "./terminal.ts";

/** Milliseconds between plain lines, and between drawings of the screen. */
const PLAIN_MS = 10_000;
const REDRAW_MS = 200;

/** A screen of our own without a cursor, and back to what was there. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[?25h\u001b[?1049l";

export interface FuzzDisplay {
  readonly show: (stats: Stats, findings: readonly Finding[]) => void;
  readonly found: (finding: Finding) => void;
  readonly say: (line: string) => void;
  /** The campaign has been asked to stop. */
  readonly stopping: () => void;
  /** Gives the terminal back. */
  readonly close: () => void;
}

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : ((100 * part) / whole).toFixed(1)} %`;
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

const plainLine = ({ tally, seconds, rate, coverage }: Stats, findings: readonly Finding[]): string =>
  [
    `${seconds.toFixed(0)} s: ${tally.programs} programs (${rate.now.toFixed(0)}/s)`,
    `${percent(tally.accepted, tally.programs)} accepted`,
    `${tally.runs} runs`,
    `coverage ${coverage.semantic}`,
    count(findings.length, "finding"),
  ].join(", ");

const findingLine = ({ key }: Finding): string =>
  `${paintNote(["red", "bold"], "finding")} ${printable(key)}`;

function plainDisplay(now: () => number): FuzzDisplay {
  let shown = now();
  return {
    show(stats, findings) {
      if (now() - shown < PLAIN_MS) return;
      shown = now();
      note(plainLine(stats, findings));
    },
    found: (finding) => note(findingLine(finding)),
    say: note,
    stopping: () => undefined,
    close: () => undefined,
  };
}

class Screen implements FuzzDisplay {
  readonly #now: () => number;
  readonly #facts: Pick<ScreenFacts, "version" | "directory">;
  #told: string | undefined;
  #stopping = false;
  #closed = false;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #last: { readonly stats: Stats; readonly findings: readonly Finding[] } | undefined;

  constructor(now: () => number, facts: Pick<ScreenFacts, "version" | "directory">) {
    this.#now = now;
    this.#facts = facts;
    process.stderr.write(ENTER);
    process.stderr.on("resize", this.#resized);
    // However the process ends, the terminal is given back.
    process.once("exit", this.close);
  }

  readonly #resized = (): void => {
    process.stderr.write("\u001b[2J");
    this.#draw();
  };

  readonly show = (stats: Stats, findings: readonly Finding[]): void => {
    this.#last = { stats, findings };
    if (this.#now() - this.#drawnAt >= REDRAW_MS) this.#draw();
  };

  readonly found = (): void => this.#draw();

  readonly say = (line: string): void => {
    this.#told = line;
    this.#draw();
  };

  readonly stopping = (): void => {
    this.#stopping = true;
    this.#draw();
  };

  readonly close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    process.removeListener("exit", this.close);
    process.stderr.removeListener("resize", this.#resized);
    process.stderr.write(LEAVE);
  };

  #draw(): void {
    this.#drawnAt = this.#now();
    if (this.#last === undefined) {
      process.stderr.write(`\u001b[H${printable(this.#told ?? "starting")}\u001b[K`);
      return;
    }
    // Some terminals say that they have no size.
    const [columns, rows] = [process.stderr.columns || 80, process.stderr.rows || 24];
    const facts = {
      ...this.#facts,
      stopping: this.#stopping,
      ...(this.#told === undefined ? {} : { told: this.#told }),
    };
    const lines = screenLines(this.#last.stats, this.#last.findings, facts, { columns, rows }, paintNote);
    process.stderr.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`);
  }
}

/** @param now milliseconds from any start */
export function fuzzDisplay(
  now: () => number,
  facts: Pick<ScreenFacts, "version" | "directory">,
): FuzzDisplay {
  return canRedraw() ? new Screen(now, facts) : plainDisplay(now);
}
