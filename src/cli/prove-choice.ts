/** Which theorems a command line means, and which solvers. */
import { generator } from "../campaign/random.ts";
import { findNative, type Native, nativeSolver } from "../proof/native.ts";
import type { MakeSolver } from "../proof/pool.ts";
import type { Provers } from "../proof/prove.ts";
import { NATIVE_NAMES, type SolverName } from "../proof/solver-names.ts";
import type { Theorem } from "../proof/theorem.ts";
import { type ChildOptions, z3Process } from "../proof/z3-process.ts";
import { InputError } from "../semantics/errors.ts";
import type { Logic } from "../semantics/term/z3.ts";

/** Theorems by name: a whole one, a subject, what comes before a `/`, or a pattern with `*`. @throws InputError for a name of nothing */
export function chosenTheorems(all: readonly Theorem[], names: readonly string[]): readonly Theorem[] {
  if (names.length === 0) return all;
  const meant = names.map((name) => {
    const matches = matcher(name);
    const found = all.filter(matches);
    if (found.length > 0) return new Set(found);
    throw new InputError(`no theorem is called ${name}; soundcheck prove --list lists them`);
  });
  return all.filter((theorem) => meant.some((some) => some.has(theorem)));
}

function matcher(pattern: string): (theorem: Theorem) => boolean {
  if (!pattern.includes("*")) {
    return ({ name, subject }) => name === pattern || subject === pattern || name.startsWith(`${pattern}/`);
  }
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  const whole = new RegExp(`^${parts.join(".*")}$`);
  return ({ name }) => whole.test(name);
}

/** Some of the theorems, by chance. */
export function sampled(theorems: readonly Theorem[], count: number, seed: number): ReadonlySet<Theorem> {
  const random = generator(seed);
  const left = [...theorems];
  const taken = new Set<Theorem>();
  while (taken.size < count && left.length > 0) {
    for (const theorem of left.splice(random.below(left.length), 1)) taken.add(theorem);
  }
  return taken;
}

interface Candidate {
  readonly make: MakeSolver;
  readonly logics: readonly Logic[];
  readonly title: string;
}

export interface ChosenSolvers {
  readonly solvers: Provers["solvers"];
  /** What to tell about them. */
  readonly notes: readonly string[];
}

/**
 * The solvers that are asked of each logic. By default the built-in one; to cross-check, two: those named, or the built-in one and the
 * first that the machine has. What a solver does not decide the built-in one does.
 *
 * @throws InputError if one is not there
 */
export async function chosenSolvers(
  names: readonly SolverName[],
  cross: boolean,
  child: ChildOptions,
): Promise<ChosenSolvers> {
  const builtin: Candidate = {
    make: () => z3Process(child),
    logics: ["bits", "integers"],
    title: "the built-in Z3",
  };
  const native = (found: Native): Candidate => ({
    make: () => nativeSolver(found),
    logics: found.logics,
    title: found.title,
  });
  const find = async (name: SolverName): Promise<Candidate> => {
    if (name === "builtin") return builtin;
    const found = await findNative(name);
    if (typeof found === "string") throw new InputError(found);
    return native(found);
  };
  const distinct = [...new Set<SolverName>(names.length === 0 ? ["builtin"] : names)];
  const wanted = cross ? 2 : 1;
  if (distinct.length > wanted)
    throw new InputError(cross ? "--cross takes two solvers" : "more than one --solver needs --cross");
  const chosen = await Promise.all(distinct.map(find));
  if (chosen.length < wanted) chosen.push(chosen[0] === builtin ? native(await firstNative()) : builtin);

  const notes = [`solvers: ${chosen.map(({ title }) => title).join(" and ")}`];
  const asked = (logic: Logic): readonly MakeSolver[] => {
    const able = chosen.filter(({ logics }) => logics.includes(logic));
    if (able.length < wanted && !able.includes(builtin)) able.push(builtin);
    if (able.length < wanted || able.some((one) => !chosen.includes(one)))
      notes.push(`of ${logic} ${able.map(({ title }) => title).join(" and ")} alone`);
    return able.map(({ make }) => make);
  };
  return { solvers: { bits: asked("bits"), integers: asked("integers") }, notes };
}

async function firstNative(): Promise<Native> {
  const reasons: string[] = [];
  for (const name of NATIVE_NAMES) {
    const found = await findNative(name);
    if (typeof found !== "string") return found;
    reasons.push(found);
  }
  throw new InputError(`no solver for a second opinion: ${reasons.join("; ")}`);
}
