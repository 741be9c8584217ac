/** On which fields of a packed operand a term depends. */
import { argumentsOf, type Fold, type Term } from "../../src/semantics/term/node.ts";
import { ALL_FIELDS, FIELDS } from "./small.ts";

/**
 * The fields of the variable called `name` that occur in `term`, a bit each. Of a fold only the components count that can reach the
 * one taken, so that a loop over a whole part does not tie all its components together.
 */
export function fieldsUsed(term: Term, name: string): number {
  const seen = new Set<Term>();
  const visit = (t: Term): number => {
    if (seen.has(t)) return 0;
    seen.add(t);
    if (t.op === "var") return t.name === name ? ALL_FIELDS : 0;
    if (t.op === "extract" && t.arg.op === "var") return t.arg.name === name ? 1 << fieldAt(t, t.arg) : 0;
    const parts = t.op === "fold" ? reaching(t.fold, t.position) : argumentsOf(t);
    return parts.reduce((fields, part) => fields | visit(part), 0);
  };
  return visit(term);
}

function fieldAt({ low, width }: { low: number; width: number }, packed: Term): number {
  const size = packed.width / FIELDS.length;
  if (low % size !== 0 || width > size)
    throw new Error(`bits ${low}.. of a packed part are not of one field`);
  return low / size;
}

/** Initial values and steps of the components that decide about the one at `position`, and the condition. */
function reaching(fold: Fold, position: number): readonly Term[] {
  const needed = new Set([position]);
  const condition = fold.condition === undefined ? [] : [fold.condition];
  for (const t of condition) for (const p of componentsIn(t, fold.level)) needed.add(p);
  for (const p of needed) for (const q of componentsIn(fold.step[p]!, fold.level)) needed.add(q);
  return [...condition, ...[...needed].flatMap((p) => [fold.init[p]!, fold.step[p]!])];
}

/** The state components of the fold at `level` that occur in a term of its step. */
function componentsIn(term: Term, level: number): ReadonlySet<number> {
  const found = new Set<number>();
  const seen = new Set<Term>();
  const visit = (t: Term): void => {
    if (seen.has(t) || (t.bound & (1 << level)) === 0) return;
    seen.add(t);
    if (t.op === "bound" && t.level === level && t.position !== "index") found.add(t.position);
    const inner = t.op === "fold" ? [...t.fold.step, ...(t.fold.condition ? [t.fold.condition] : [])] : [];
    for (const part of [...argumentsOf(t), ...inner]) visit(part);
  };
  visit(term);
  return found;
}
