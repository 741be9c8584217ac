/**
 * Which code of the verifier ran: V8's precise coverage with counters of blocks, taken a batch at a time, of `src/verifier` and `src/absint`. What V8 tells of a function is which
 * ranges of it did not run; so coverage is kept by characters of the source, and a block that ever was told of counts as covered when its first character is.
 */
import { type Profiler, Session } from "node:inspector";

/** Half-open ranges of characters, flat: from, to, from, to … in order. */
export type Ranges = readonly number[];

/** What ran of one file. */
export interface FileCoverage {
  /** From the folder `verifier` or `absint` on, without the ending. */
  readonly file: string;
  readonly ran: Ranges;
  /** Where blocks begin that V8 has told of. */
  readonly blocks: readonly number[];
}

export type CodeCoverage = readonly FileCoverage[];

const OURS = /\/((?:verifier|absint)\/.*)\.[jt]s$/;

/** What ran of a file, painted in the order in which V8 tells it: inner ranges after those around them. */
function painted(functions: readonly Profiler.FunctionCoverage[]): Ranges {
  const last = Math.max(0, ...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
  const marks = new Uint8Array(last + 1);
  for (const { ranges } of functions)
    for (const { startOffset, endOffset, count } of ranges)
      marks.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return rangesOf(marks);
}

/** The last mark is none. */
function rangesOf(marks: Uint8Array): Ranges {
  const found: number[] = [];
  for (let at = marks.indexOf(1); at !== -1; ) {
    const end = marks.indexOf(0, at);
    found.push(at, end);
    at = marks.indexOf(1, end);
  }
  return found;
}

/** Counters of this process. They cost time from `start` on. */
export class Counters {
  #session: Session | undefined;

  start(): void {
    if (this.#session !== undefined) return;
    this.#session = new Session();
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** What ran since the last call. */
  take(): CodeCoverage {
    let taken: Profiler.TakePreciseCoverageReturnType | undefined;
    this.#session?.post("Profiler.takePreciseCoverage", (error, result) => {
      if (error === null) taken = result;
    });
    return (taken?.result ?? []).flatMap(({ url, functions }) => {
      const file = OURS.exec(url)?.[1];
      if (file === undefined) return [];
      const blocks = new Set(functions.flatMap(({ ranges }) => ranges.map(({ startOffset }) => startOffset)));
      return [{ file, ran: painted(functions), blocks: [...blocks] }];
    });
  }
}

/** What ran in all of a campaign. */
export class CodeMap {
  readonly #files = new Map<string, { marks: Uint8Array; readonly blocks: Set<number> }>();

  /** Gives what is new in it. */
  add(coverage: CodeCoverage): CodeCoverage {
    return coverage.flatMap(({ file, ran, blocks }) => {
      const known = this.#fileOf(file, ran.at(-1) ?? 0);
      for (const block of blocks) known.blocks.add(block);
      const fresh = new Uint8Array(known.marks.length);
      let any = false;
      for (let i = 0; i + 1 < ran.length; i += 2)
        for (let at = ran[i] ?? 0; at < (ran[i + 1] ?? 0); at += 1) {
          if (known.marks[at] === 1) continue;
          known.marks[at] = 1;
          fresh[at] = 1;
          any = true;
        }
      return any ? [{ file, ran: rangesOf(fresh), blocks: [] }] : [];
    });
  }

  #fileOf(file: string, end: number): { marks: Uint8Array; readonly blocks: Set<number> } {
    let known = this.#files.get(file);
    if (known === undefined) {
      known = { marks: new Uint8Array(end + 1), blocks: new Set() };
      this.#files.set(file, known);
    }
    if (known.marks.length <= end) {
      const longer = new Uint8Array(end + 1);
      longer.set(known.marks);
      known.marks = longer;
    }
    return known;
  }

  /** Blocks that ran, of those that were told of. */
  counts(): { readonly blocks: number; readonly blocksKnown: number } {
    let [blocks, blocksKnown] = [0, 0];
    for (const { marks, blocks: starts } of this.#files.values()) {
      blocksKnown += starts.size;
      for (const start of starts) blocks += marks[start] ?? 0;
    }
    return { blocks, blocksKnown };
  }

  /** All of it, to be kept. */
  all(): CodeCoverage {
    return [...this.#files].map(([file, { marks, blocks }]) => ({
      file,
      ran: rangesOf(marks),
      blocks: [...blocks],
    }));
  }
}

/** Whether two have a character in common. */
export function meets(a: CodeCoverage, b: CodeCoverage): boolean {
  return a.some(({ file, ran }) => {
    const other = b.find((each) => each.file === file)?.ran ?? [];
    for (let i = 0, j = 0; i + 1 < ran.length && j + 1 < other.length; ) {
      if ((ran[i + 1] ?? 0) <= (other[j] ?? 0)) i += 2;
      else if ((other[j + 1] ?? 0) <= (ran[i] ?? 0)) j += 2;
      else return true;
    }
    return false;
  });
}
