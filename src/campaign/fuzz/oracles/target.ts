/** The verifier under test answers: a program that it does not survive, twice in a row, is a finding about it. */
import type { Oracle } from "./oracle.ts";

export const target: Oracle = {
  name: "target",
  judge: ({ answer: { lost } }) =>
    lost === undefined
      ? []
      : [{ oracle: "target", message: `the verifier under test does not answer: ${lost}` }],
};
