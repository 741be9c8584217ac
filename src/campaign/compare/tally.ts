/** Comparisons counted: how many agree, by whatever they are grouped by, and what is not modelled. */
import type { Comparison } from "./compare.ts";
import { isUnexplained, RELATIONS, type Relation } from "./relation.ts";

export interface Tally {
  /** By kind of relation; every kind is there. */
  readonly counts: Readonly<Record<Relation["kind"], number>>;
  /** Of each kind, those whose reason is not known. */
  readonly unexplained: Readonly<Record<Relation["kind"], number>>;
  readonly programs: number;
  /** Programs that both verifiers gave a verdict on. */
  readonly compared: number;
  /** Of these, those with the same verdict. */
  readonly agreed: number;
}

const none = (): Record<Relation["kind"], number> => ({
  "we accept": 0,
  "we reject": 0,
  unsupported: 0,
  errno: 0,
  message: 0,
  same: 0,
  "not comparable": 0,
});

export function tally(comparisons: readonly Comparison[]): Tally {
  const counts = none();
  const unexplained = none();
  for (const { relation } of comparisons) {
    counts[relation.kind]++;
    if (isUnexplained(relation)) unexplained[relation.kind]++;
  }
  const agreed = counts.same + counts.errno + counts.message;
  return {
    counts,
    unexplained,
    programs: comparisons.length,
    compared: agreed + counts["we accept"] + counts["we reject"],
    agreed,
  };
}

/** The groups by a key, those with most comparisons first. */
export function grouped(
  comparisons: readonly Comparison[],
  key: (comparison: Comparison) => string,
): ReadonlyMap<string, readonly Comparison[]> {
  const groups = new Map<string, Comparison[]>();
  for (const comparison of comparisons) {
    const name = key(comparison);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [comparison]);
    else group.push(comparison);
  }
  return new Map([...groups].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1)));
}

/**
 * What is not modelled, with the programs that the other verifier has a verdict on and we have none: each is counted for the first feature that
 * is met in it.
 */
export function unsupportedFeatures(
  comparisons: readonly Comparison[],
): readonly { readonly feature: string; readonly programs: number }[] {
  const blocked = comparisons.filter(({ relation }) => relation.kind === "unsupported");
  return [...grouped(blocked, ({ ours }) => generalised(ours.message ?? ""))].map(
    ([feature, { length }]) => ({
      feature,
      programs: length,
    }),
  );
}

/** Without the names that a program gives: `map counts: spin_lock in the value` is about the lock. */
function generalised(feature: string): string {
  return feature.replace(/^map \S+: /, "map with ");
}

/** Comparisons with what matters most first, otherwise in their order. */
export function byWeight(comparisons: readonly Comparison[]): readonly Comparison[] {
  const weight = ({ relation }: Comparison): number =>
    RELATIONS.indexOf(relation.kind) + (isUnexplained(relation) ? 0 : RELATIONS.length);
  return comparisons.toSorted((a, b) => weight(a) - weight(b));
}
