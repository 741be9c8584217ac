/** The solvers that can be asked. */

/** Those that a machine may have, found on PATH, in the order in which they are looked for. */
export const NATIVE_NAMES = ["z3", "cvc5", "bitwuzla", "boolector"] as const;
export type NativeName = (typeof NATIVE_NAMES)[number];

/** With the one that comes along. */
export const SOLVER_NAMES = ["builtin", ...NATIVE_NAMES] as const;
export type SolverName = (typeof SOLVER_NAMES)[number];
