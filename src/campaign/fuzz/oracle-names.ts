/** The oracles of campaigns, by name. */

/** By name, what must hold. */
export const ORACLES = {
  certificate: "what is accepted has a certificate that the checker confirms",
  containment: "at each step of a run the machine is inside of the abstract state",
  fault: "no run of an accepted program faults",
  termination: "no run is longer than the certificate says",
  crash: "neither verifier nor machine break an invariant of their own",
} as const;

export type Oracle = keyof typeof ORACLES;

export const ORACLE_NAMES: readonly Oracle[] = [
  "certificate",
  "containment",
  "fault",
  "termination",
  "crash",
];
