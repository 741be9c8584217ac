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

/** Counted up when an instrument changes so that it may find something else: what was measured before is then measured again. */
export const INSTRUMENT_VERSIONS: Readonly<Record<keyof typeof INSTRUMENT_TITLES, number>> = {
  theorem: 2,
  containment: 4,
  certificate: 4,
  checker: 4,
  model: 1,
  corpus: 1,
};

export type InstrumentName = keyof typeof INSTRUMENT_TITLES;

export const INSTRUMENT_NAMES: readonly InstrumentName[] = [
  "theorem",
  "containment",
  "certificate",
  "checker",
  "model",
  "corpus",
];

/** Of instruments that run few of the modules: the module that they are made of. What is changed elsewhere they cannot find. */
export const MADE_OF: Partial<Readonly<Record<InstrumentName, string>>> = { theorem: "proof/theorems/index" };

/** Those that do the same for every seed. */
export const WITHOUT_SEED: ReadonlySet<InstrumentName> = new Set(["theorem"]);
