/** Where ours is less precise than the kernel, and why that is let be: the table that the test goes by. */
import type { Loss } from "./kernel-measure.ts";

interface Deficit {
  readonly applies: (loss: Loss) => boolean;
  readonly reason: string;
}

const DEFICITS: readonly Deficit[] = [];

/** Why a loss is let be, if it is. */
export const reasonFor = (loss: Loss): string | undefined =>
  DEFICITS.find(({ applies }) => applies(loss))?.reason;
