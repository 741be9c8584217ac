/** The instruments by name. */

/** What each one is. */
export const INSTRUMENT_TITLES = {
  theorem: "theorems about operators and rules that Z3 refutes",
  containment: "programs that run outside of their certificates' states, or fault",
  certificate: "certificates that the version's own checker does not confirm",
  checker: "certificates that a checker without the bug does not confirm",
  model: "sequences of operations after which other objects are alive than can be reached",
  corpus: "verdicts, messages and results that were recorded on a kernel",
} as const;

export type InstrumentName = keyof typeof INSTRUMENT_TITLES;

export const INSTRUMENT_NAMES: readonly InstrumentName[] = [
  "theorem",
  "containment",
  "certificate",
  "checker",
  "model",
  "corpus",
];

/** Those that do the same for every seed. */
export const WITHOUT_SEED: ReadonlySet<InstrumentName> = new Set(["theorem"]);
