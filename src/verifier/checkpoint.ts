/** What the exploration keeps: states where paths met, sides of forks that are still to be explored, and loops that are tried. */
import type { Marks } from "../absint/origins.ts";
import type { Measure, Place } from "./certificate.ts";
import type { Needs } from "./generalise.ts";
import type { Root } from "./roots.ts";

/** A state that was met where paths join. It is finished when every path from it has been explored to its end. */
export interface Checkpoint {
  readonly pc: number;
  /** The packed state in the arena, and its size. Of a finished checkpoint there is none, unless it is the head of a loop. */
  at: number;
  readonly bytes: number;
  readonly parent: Checkpoint | undefined;
  /** Paths from here that are not explored to their end yet. */
  open: number;
  /** Position in the order of finishing; -1 until then. */
  rank: number;
  /** The state when it is finished (finished.ts); 0 until then. */
  finished: number;
  /** What the paths from here used of the state. */
  readonly marks: Marks;
  /** Finished checkpoints that paths from here ended in, some more than once. */
  readonly edges: Checkpoint[];
  /** The roots that paths from here make necessary; undefined if none. */
  roots: Set<Root> | undefined;
  /** The heads of the loops that it is inside of, outermost first; when it is finished, those of them that its paths came back to. */
  loops: readonly Checkpoint[];
  /** How many of them that is. */
  needs: number;
  /** If it is where a loop of the program begins: how often the path passed there. */
  readonly passage: Passage | undefined;
  /** If its state is the invariant of a loop. */
  readonly head: Head | undefined;
}

/** Passing the same place of a loop again and again. */
export interface Passage {
  readonly previous: Checkpoint | undefined;
  readonly first: Checkpoint | undefined;
  readonly count: number;
  /** Instructions on the path up to here. */
  readonly pathLength: number;
  /** Instructions processed when the loop was entered. */
  readonly since: number;
}

/** One way to see progress, and the least that has been seen. */
export interface Advance {
  readonly measure: Measure;
  least: bigint | undefined;
}

/** The head of a loop that is explored from an invariant. */
export interface Head {
  /** The packed state that came to the loop and was widened. */
  readonly entry: number;
  /** The ways in which all paths that came back have made progress so far. */
  advances: readonly Advance[];
  /** The one that the certificate names; undefined as long as no path came back. */
  measure: Measure | undefined;
  /** What paths that came back were asked to keep of the invariant. */
  readonly needs: Needs;
  /** Set when all paths have been explored and used more of the invariant than that. */
  lacking: boolean;
}

/** A state with which a path goes on later. */
export interface Pending {
  readonly at: number;
  readonly bytes: number;
  readonly pc: number;
  readonly from: number;
  readonly checkpoint: Checkpoint;
  readonly loops: readonly Checkpoint[];
  /** Length of the path up to there. */
  readonly pathLength: number;
  /** What to go back to in a log. */
  readonly mark: number | undefined;
  /** The path's end, from `pathLength` on, where it is not what the exploration left there. */
  readonly detour?: readonly number[];
}

/** What is needed to undo the trial of a loop (loops/trial.ts). */
export interface Origin {
  readonly checkpoint: Checkpoint;
  readonly passage: Passage;
  readonly pc: number;
  /** Whether the kernel counts the passages: a helper that calls back, an iterator. */
  readonly counted: boolean;
  readonly at: number;
  readonly bytes: number;
  readonly inside: readonly Checkpoint[];
  readonly pathLength: number;
  readonly pending: number;
  readonly made: number;
  readonly finished: number;
  readonly trials: number;
  readonly processed: number;
  readonly wasted: number;
  readonly stackUse: ReadonlyMap<number, number>;
}

export interface Trial {
  readonly origin: Origin;
  readonly body: Uint8Array;
  /** The frames that are active in the loop. */
  readonly frames: number;
  readonly limits: readonly bigint[];
  /** What may be the counter, and which of them is taken for it. */
  readonly places: readonly Place[];
  readonly choice: number;
  /** Whether the invariant is made from the first passage, too. */
  readonly withFirst: boolean;
  readonly widenings: number;
  /** What is known of what the invariant is used for. */
  readonly needs: Needs;
  readonly head: Checkpoint;
  /** How often needs had been noted when it began (`Exploration`). */
  readonly noted: number;
  /** Whether all paths have come back or left; and how many instructions had been processed then. */
  closed: boolean;
  closedAt: number;
  /** The innermost of the trials before it that is not closed: none of those is as long as this one goes on. */
  readonly within: Trial | undefined;
  /** The paths that have left before that. */
  readonly left: Pending[];
}
