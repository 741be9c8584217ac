/** Programs against a kernel, a batch at a time: it says what it thinks of them, the machine says what they do, and what does not fit together is a finding. */
import { GuestFailure } from "../../oracle/guest/failure.ts";
import { helperId } from "../../semantics/helpers/names.ts";
import { DEFAULT_RULES, type Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Asked, Asking, Ran, RunRequest } from "./ask.ts";
import {
  dependsOnAddresses,
  type Ended,
  type Examined,
  examine,
  hasOwnValue,
  type Violation,
} from "./examine.ts";
import { searchForFault } from "./foreign.ts";
import { type Input, inputsOf } from "./inputs.ts";

/** A program of a campaign. */
export interface Candidate {
  readonly program: Program;
  readonly seed: number;
}

/** What became of one program. */
export interface Judged extends Candidate {
  readonly asked: Asked;
  readonly examined: Examined | undefined;
  /** Runs in the kernel that were held against the machine's. */
  readonly kernelRuns: number;
  readonly violations: readonly Violation[];
}

/** Inputs of a program by default, and of those how many the kernel runs too. */
const RUNS = 8;
const KERNEL_RUNS = 2;

const CSUM_DIFF = helperId("csum_diff");
/** Linux 6.13 folds what bpf_csum_diff gives; the machine does as that does. */
const FOLDS_SINCE = 613;

/** Whether a run in the kernel can be held against the machine's: both have the same values in their maps, and helpers that do the same. */
function isComparable(program: Program, version: number): boolean {
  if (program.maps.length > 0 && !hasOwnValue(program)) return false;
  if (program.type !== "xdp" && program.type !== "sched_cls") return false;
  return (
    version >= FOLDS_SINCE ||
    program.insns.every((insn) => insn?.row.name !== "call_helper" || insn.imm !== CSUM_DIFF)
  );
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined || Buffer.compare(a, b) === 0;

/** What of a kernel's run is not what the machine's came to. */
function difference(ran: Ran, ended: Ended): string | undefined {
  if (!ran.ran) return `the kernel does not run it: ${ran.errno}`;
  if (ran.retval !== ended.retval)
    return `it returns ${ran.retval} in the kernel, ${ended.retval} in the machine`;
  if (!same(ran.packet, ended.packet)) return "the kernel leaves another packet than the machine";
  return same(ran.value, ended.value)
    ? undefined
    : "the kernel leaves another value in the map than the machine";
}

/** How programs are judged. */
export interface Judging {
  /** Of the kernel: 601 is 6.1. */
  readonly version: number;
  /** What may run in the kernel, beside what did not fault in the machine. */
  readonly mayRun?: (program: Program) => boolean;
  /** How many inputs each program gets. */
  readonly runs?: number;
  /** Of each program; drawn from its seed by default. */
  readonly inputs?: readonly Input[];
  /** By what programs that are no probes are run. */
  readonly rules?: Rules;
}

/**
 * Asks the kernel about programs, and runs them. What faults in the machine is not run in the kernel.
 * @throws GuestFailure if the kernel does not survive it
 */
export function judge(
  asking: Asking,
  candidates: readonly Candidate[],
  { version, mayRun = () => true, runs: most = RUNS, inputs, rules = DEFAULT_RULES }: Judging,
): readonly Judged[] {
  const answers = asking.load(candidates.map(({ program }) => program));
  const descriptors = answers.flatMap((asked) => (asked.verdict === "accept" ? [asked.fd] : []));
  const requests: (RunRequest & { readonly of: number; readonly ended: Ended })[] = [];
  const examined = candidates.map(({ program, seed }, of) => {
    const asked = answers[of];
    if (asked?.verdict !== "accept") return undefined;
    const followed = examine(program, asked.log, inputs ?? inputsOf(program, seed, most));
    const found = hasOwnValue(program) ? followed : searchForFault(program, seed, most, rules, followed);
    if (found.violations.length === 0 && isComparable(program, version) && mayRun(program)) {
      for (const ended of found.ended.slice(0, KERNEL_RUNS)) {
        const { packet, value } = ended.input;
        const own = hasOwnValue(program) ? { value } : {};
        requests.push({ fd: asked.fd, program, packet, ...own, of, ended });
      }
    }
    return found;
  });
  const runs = asking.run(requests);
  asking.close(descriptors);
  const differing = new Map<number, Violation>();
  const counts = new Map<number, number>();
  for (const [i, request] of requests.entries()) {
    const ran = runs[i];
    counts.set(request.of, (counts.get(request.of) ?? 0) + 1);
    const message = ran === undefined ? undefined : difference(ran, request.ended);
    if (message === undefined || differing.has(request.of)) continue;
    if (dependsOnAddresses(request.program, request.ended)) continue;
    const cause = message.replaceAll(/\d+/g, "#");
    differing.set(request.of, { oracle: "run", message, cause, input: request.ended.input });
  }
  return candidates.map((candidate, of): Judged => {
    const asked = answers[of];
    if (asked === undefined) throw new Error("an answer was left out");
    const violations = [...(examined[of]?.violations ?? []), ...[differing.get(of) ?? []].flat()];
    return { ...candidate, asked, examined: examined[of], kernelRuns: counts.get(of) ?? 0, violations };
  });
}

/** The first program of a batch that the kernel does not survive alone. @param asking  a kernel that is well */
export function culprit(
  candidates: readonly Candidate[],
  asking: Asking,
  judging: Judging,
): { readonly candidate: Candidate; readonly failure: GuestFailure } | undefined {
  for (const candidate of candidates) {
    try {
      judge(asking, [candidate], judging);
    } catch (error) {
      if (error instanceof GuestFailure) return { candidate, failure: error };
      throw error;
    }
  }
  return undefined;
}
