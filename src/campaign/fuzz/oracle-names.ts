/** The oracles of campaigns, by name. Each is a file in `oracles/`; `oracles/all.ts` has them all. */

/** By name, what must hold. */
export const ORACLES = {
  certificate: "what is accepted has a certificate that the checker confirms",
  containment: "at each step of a run the machine is inside of the abstract state",
  fault: "no run of an accepted program faults",
  termination: "no run is longer than the certificate says",
  jit: "interpreted, compiled with checks and compiled with what is proved, a program does the same",
  target: "the verifier under test answers, whatever the program is",
  broken: "the campaign itself works: no process of it dies, no reduction fails",
  crash: "neither verifier nor machine break an invariant of their own",
} as const;

export type OracleName = keyof typeof ORACLES;

const isOracleName = (name: string): name is OracleName => Object.hasOwn(ORACLES, name);

export const ORACLE_NAMES: readonly OracleName[] = Object.keys(ORACLES).filter(isOracleName);
