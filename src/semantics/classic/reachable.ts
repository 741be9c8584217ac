/** Which instructions of a filter some path reaches. */
import type { Filter } from "./instruction.ts";
import { classicRow } from "./table.ts";

/** By instruction; of a filter that the checker has passed. */
export function reachable(filter: Filter): readonly boolean[] {
  const reached = filter.map(() => false);
  reached[0] = true;
  for (const [pc, { code, jt, jf, k }] of filter.entries()) {
    if (reached[pc] !== true) continue;
    const kind = classicRow(code)?.operation.kind;
    if (kind === "goto") reached[pc + 1 + k] = true;
    else if (kind === "jump") {
      reached[pc + 1 + jt] = true;
      reached[pc + 1 + jf] = true;
    } else if (kind !== "return") reached[pc + 1] = true;
  }
  return reached;
}
