/** What runs along the certificate show: the machine outside of the abstract state, or a run that is longer than the certificate says. */
import type { OracleName } from "../oracle-names.ts";
import type { Oracle } from "./oracle.ts";

const walked = (name: OracleName & ("containment" | "termination")): Oracle => ({
  name,
  judge: ({ ran }) =>
    ran.violations.flatMap(({ kind, insn, message, run }) =>
      kind === name ? [{ oracle: name, insn, message, run }] : [],
    ),
});

/** At each step of a run registers and stack are inside of the abstract state. */
export const containment: Oracle = walked("containment");

/** No run is longer than the certificate says. */
export const termination: Oracle = walked("termination");
