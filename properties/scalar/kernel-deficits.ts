/** Where ours is less precise than the kernel, and why that is let be: the table that the test goes by. */
import type { Loss } from "./kernel-measure.ts";

interface Deficit {
  /** For which results; an instruction's name ends in `_imm` or `_reg` where it has both forms. */
  readonly applies: (loss: Loss) => boolean;
  readonly reason: string;
}

const isJump = ({ bounds }: Loss): boolean => bounds.target !== undefined;

const comparesWithItself = ({ bounds: { program, pc, row } }: Loss): boolean =>
  row.fields.src === "any" && program.insns[pc]?.src === program.insns[pc]?.dst;

const operation = ({ bounds }: Loss): string => bounds.row.name.replace(/(32|64).*/, "");

const DEFICITS: readonly Deficit[] = [
  {
    applies: (loss) => isJump(loss) && comparesWithItself(loss),
    reason: "a register beside itself: neither edge of the refinement uses that both operands are one number",
  },
  {
    applies: (loss) => operation(loss) === "or" || operation(loss) === "and",
    reason: "an operand that is 0 or -1: the kernel executes the instruction for each",
  },
];

/** Why a loss is let be, if it is. */
export const reasonFor = (loss: Loss): string | undefined =>
  DEFICITS.find(({ applies }) => applies(loss))?.reason;
