/** Terms with parts replaced by others. */
import { rebuild, TermError, TRUE } from "./build.ts";
import type { Fold, Term } from "./node.ts";

type Replacements = ReadonlyMap<Term, Term>;
type Substitution = <N extends number>(term: Term<N>) => Term<N>;

function replacing(replacements: Replacements, concerned: (term: Term) => boolean): Substitution {
  for (const [from, to] of replacements)
    if (from.width !== to.width) throw new TermError(`width ${from.width} replaced by ${to.width}`);
  const known = new Map<Term, Term>(replacements);
  const replace = (term: Term): Term => {
    if (!concerned(term)) return term;
    let made = known.get(term);
    if (made === undefined) {
      made = rebuild(term, replace);
      known.set(term, made);
    }
    return made;
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- widths of replacements are checked, and rebuilding keeps them
  return <N extends number>(term: Term<N>) => replace(term) as Term<N>;
}

/** A function that replaces, everywhere in a term, each key by its value of the same width. Keys and values are closed. */
export function substitution(replacements: Replacements): Substitution {
  for (const term of [...replacements.keys(), ...replacements.values()])
    if (term.bound !== 0) throw new TermError("a substitution of or by what is bound in a fold");
  return replacing(replacements, () => true);
}

/** One step of a fold from a given state: whether it is taken at all, and the state after it. */
export interface Unfolded {
  readonly goesOn: Term<1>;
  readonly next: readonly Term[];
}

/** The step of a closed fold as terms over `state` and `index`, a term of the index's width. */
export function unfold(fold: Fold, state: readonly Term[], index: Term): Unfolded {
  const free = 1 << fold.level;
  const replacements = new Map<Term, Term>();
  const visited = new Set<Term>();
  const collect = (term: Term): Term => {
    if ((term.bound & free) === 0 || visited.has(term)) return term;
    visited.add(term);
    if (term.op === "bound" && term.level === fold.level) {
      const value = term.position === "index" ? index : state[term.position];
      if (value === undefined) throw new TermError(`no component ${term.position}`);
      replacements.set(term, value);
    } else rebuild(term, collect);
    return term;
  };
  for (const part of fold.step) collect(part);
  if (fold.condition !== undefined) collect(fold.condition);
  // Only what leans on this fold's state: another fold of its level, closed, has bound variables of the same names.
  const replace = replacing(replacements, (term) => (term.bound & free) !== 0);
  return {
    goesOn: fold.condition === undefined ? TRUE : replace(fold.condition),
    next: fold.step.map((part) => replace(part)),
  };
}
