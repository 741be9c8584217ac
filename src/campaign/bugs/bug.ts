/**
 * Seeded bugs: faults that verifiers have had, put into this one on purpose, to find out which instruments would have found them.
 *
 * A bug is a list of edits of the code that soundcheck itself is made of. They are never applied in place: a copy of the code is made in a temporary
 * directory, patched, and run in processes of its own (`copy.ts`). So a bug costs nothing where it is not, and no option of any other command leads to one.
 * The sound version of each is the code as it is.
 */

/** What kind of fault it is, as the catalogue of verifiers' bugs has it. */
export const CLASSES = {
  T: "transfer functions",
  S: "synchronisation of bounds",
  B: "refinement by branches",
  P: "pruning and what is forgotten",
  L: "linked registers",
  PT: "pointers",
  ST: "the stack",
  H: "arguments and results of helpers",
  LT: "lifetimes, references, maps",
  R: "what instructions do when they run",
  C: "control flow and decoding",
} as const;

export type BugClass = keyof typeof CLASSES;

/** Which part of soundcheck the edits are in. */
export const PARTS = {
  verifier: "transfer functions and the order on states, which exploration and checker share",
  explorer: "the exploration alone, which the checker does not trust",
  machine: "what instructions and helpers do",
  objects: "the runtime of maps, programs and what keeps them",
} as const;

export type BugPart = keyof typeof PARTS;

/** One place in the code: a text that occurs there exactly once, in the source and as built, and what stands there instead. */
export interface Edit {
  /** The module, from the code's directory on, without its ending: `absint/transfer/stack`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface SeededBug {
  /** Names it on the command line. */
  readonly id: string;
  /** The historical bugs that it stands for: CVEs, commits of Linux, years. */
  readonly stands: string;
  readonly class: BugClass;
  readonly part: BugPart;
  /** What is wrong, in one sentence. */
  readonly fault: string;
  readonly edits: readonly [Edit, ...Edit[]];
}

/** Makes the bugs of one class. */
export const ofClass =
  (of: BugClass) =>
  (
    id: string,
    part: BugPart,
    stands: string,
    fault: string,
    ...edits: readonly [Edit, ...Edit[]]
  ): SeededBug => ({
    id,
    stands,
    class: of,
    part,
    fault,
    edits,
  });

/** An edit of one place. */
export const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });
