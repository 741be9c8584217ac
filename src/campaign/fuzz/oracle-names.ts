/** The oracles of campaigns, by name. Each is a file in `oracles/`; `oracles/all.ts` has them all. */
import { InputError } from "../../semantics/errors.ts";
import { type Subject, subjectOf } from "./targets/named.ts";

interface Facts {
  /** What must hold. */
  readonly holds: string;
  /** Where it has something to look at. */
  readonly of: readonly Subject[];
  /** Whether it is asked only where it is named: what it finds are differences, and most have reasons. */
  readonly named?: true;
}

const OURS_TOO = ["ours", "command"] as const;
const KERNEL = ["kernel"] as const;
const OTHERS = ["command", "kernel"] as const;
const ALL = ["ours", "command", "kernel"] as const;

export const ORACLES = {
  certificate: { holds: "what is accepted has a certificate that the checker confirms", of: OURS_TOO },
  containment: { holds: "at each step of a run the machine is inside of the abstract state", of: OURS_TOO },
  fault: { holds: "no run of a program faults that the verifier under test accepts", of: ALL },
  termination: { holds: "no run is longer than the certificate says", of: OURS_TOO },
  jit: {
    holds: "interpreted, compiled with checks and compiled with what is proved, a program does the same",
    of: OURS_TOO,
  },
  bounds: { holds: "each number is inside of the bounds that the kernel's log gives for it", of: KERNEL },
  dead: { holds: "no run goes a way that the kernel has taken for impossible", of: KERNEL },
  run: { holds: "the kernel's run of a program that is safe ends as the machine's does", of: KERNEL },
  console: { holds: "the kernel finds nothing wrong with itself", of: KERNEL },
  beside: { holds: "what the kernel accepts the one beside it (--beside) accepts too", of: KERNEL },
  verdict: { holds: "both verifiers accept, or both reject", of: OTHERS, named: true },
  message: { holds: "both verifiers complain of the same, by class", of: OTHERS, named: true },
  processed: { holds: "both verifiers process as many instructions", of: OTHERS, named: true },
  harmless: { holds: "what is rejected faults on some input: counted, and never a finding", of: OURS_TOO },
  word: {
    holds:
      "what no run makes fault can fault on the refused path: Z3 is asked, it is counted, and never a finding",
    of: OURS_TOO,
    named: true,
  },
  crash: { holds: "neither verifier nor machine break an invariant of their own", of: ALL },
  target: { holds: "the verifier under test answers, whatever the program is", of: ["command"] },
  broken: { holds: "the campaign itself works: no process of it dies, no reduction fails", of: ALL },
} as const satisfies Readonly<Record<string, Facts>>;

export type OracleName = keyof typeof ORACLES;

const isOracleName = (name: string): name is OracleName => Object.hasOwn(ORACLES, name);

export const ORACLE_NAMES: readonly OracleName[] = Object.keys(ORACLES).filter(isOracleName);

const factsOf = (name: OracleName): Facts => ORACLES[name];

/**
 * The oracles of a campaign: those that are named, or all that are asked without being named, without some.
 *
 * @param target  whose verifier is under test
 * @throws InputError  for one that is named and has nothing to look at there
 */
export function oraclesFor(
  target: string,
  named: readonly OracleName[],
  without: readonly OracleName[],
): readonly OracleName[] {
  const subject = subjectOf(target);
  for (const name of named) {
    const { of } = factsOf(name);
    if (!of.includes(subject))
      throw new InputError(
        `--oracle ${name} has nothing to look at with --target ${target}: it is for ${of.join(", ")}`,
      );
  }
  const isAsked = (name: OracleName): boolean =>
    named.length > 0
      ? named.includes(name)
      : factsOf(name).of.includes(subject) && factsOf(name).named !== true;
  return ORACLE_NAMES.filter((name) => isAsked(name) && !without.includes(name));
}
