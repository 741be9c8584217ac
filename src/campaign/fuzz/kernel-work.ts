/**
 * What a process of a campaign does where a kernel is under test: it has a kernel of its own, loads the probes of a range of seeds with their logs, runs them in the machine and in the kernel, and makes what
 * was found small with the kernel in the loop.
 */
import { writeBundle } from "../../object/bundle-write.ts";
import { GuestFailure } from "../../oracle/guest/failure.ts";
import { InputError, Unsupported } from "../../semantics/errors.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Verdict } from "../../verifier/verdict.ts";
import { verify } from "../../verifier/verify.ts";
import { complaintOf as complaint } from "../compare/complaint.ts";
import { type Asked, Asking } from "../kernels/ask.ts";
import type { Violation as KernelViolation } from "../kernels/examine.ts";
import type { Input } from "../kernels/inputs.ts";
import { type Candidate, culprit, type Judged, type Judging, judge } from "../kernels/judge.ts";
import { openUnderTest, probeFor, type UnderTest } from "../kernels/open.ts";
import { asProbe } from "../kernels/probe.ts";
import { shrunk } from "../kernels/shrink.ts";
import type { BatchResult, Found, Range, Reduced, Replayed, Settings, Unusable } from "./batch.ts";
import { causeOf, MOST_PROCESSED, NO_RUNS } from "./cross-check.ts";
import { keyOf } from "./keys.ts";
import { pairOf } from "./oracles/agreement.ts";
import { oraclesNamed } from "./oracles/all.ts";
import type { Case, Violation } from "./oracles/oracle.ts";
import { programOfCampaign } from "./programs.ts";
import { reduceProgram } from "./reduce.ts";
import { newTally } from "./stats.ts";
import type { Answer } from "./targets/target.ts";

/** Every so many programs are given to our verifier too, if no oracle wants it of all. */
const COMPARED = 8;

/** What the kernel says, as an answer. */
function answerOf(asked: Asked): Answer {
  switch (asked.verdict) {
    case "long":
      return { verdict: "unsupported", message: "its log is too long" };
    case "withheld":
      return { verdict: "unsupported", message: asked.reason };
    default: {
      const processed = asked.processed === undefined ? {} : { processed: asked.processed };
      if (asked.verdict === "accept") return { verdict: "accept", message: "", ...processed };
      return { verdict: "reject", message: asked.message, ...processed };
    }
  }
}

/** What the kernel complained of, without its numbers: `WARNING: kernel/bpf/verifier.c:# at reg_bounds_sanity_check`. */
const complaintOf = ({ message, kind }: GuestFailure): string =>
  (/(?:WARNING|BUG|Oops|KASAN)[^+(]*/.exec(message)?.[0] ?? kind)
    .replaceAll(/\d+/g, "#")
    .replaceAll(/PID: # at /g, "")
    .trim();

const newCounts = (): Map<string, number> => new Map();

export class KernelWork {
  readonly #name: string;
  readonly #begin: (name: string) => UnderTest;
  readonly #complaints = new Set<string>();
  #under: UnderTest | undefined;
  #asking: Asking | undefined;
  /** The kernel that is asked too. */
  #other: { readonly under: UnderTest; asking: Asking } | undefined;
  /** Kernels that were begun since they were counted last. */
  #begun = 0;

  /**
   * @param name  of the kernel
   * @param begin  has it up
   */
  constructor(name: string, begin: (name: string) => UnderTest = openUnderTest) {
    this.#name = name;
    this.#begin = begin;
  }

  /** @throws InputError  if there is no such kernel here */
  #open(): UnderTest {
    this.#under ??= this.#begin(this.#name);
    return this.#under;
  }

  /** The kernel that is up, with new maps if it is a new one. */
  #ask(): Asking {
    const kernel = this.#open().kernel();
    if (this.#asking?.kernel !== kernel) {
      if (this.#asking !== undefined) this.#begun += 1;
      this.#asking = new Asking(kernel);
    }
    return this.#asking;
  }

  /** What the kernel beside this one says of programs; nothing of those that it does not survive. @throws InputError  if there is no such kernel here */
  #besides(programs: readonly Program[], { beside }: Settings): readonly (Answer | undefined)[] {
    if (beside === undefined || programs.length === 0) return [];
    if (this.#other === undefined) {
      const under = this.#begin(beside);
      this.#other = { under, asking: new Asking(under.kernel()) };
    }
    const other = this.#other;
    const kernel = other.under.kernel();
    if (other.asking.kernel !== kernel) other.asking = new Asking(kernel);
    try {
      const asked = other.asking.load(programs);
      other.asking.close(asked.flatMap((each) => (each.verdict === "accept" ? [each.fd] : [])));
      return asked.map(answerOf);
    } catch (error) {
      if (error instanceof GuestFailure) return [];
      throw error;
    }
  }

  #judging({ runs }: Settings): Judging {
    const { version, mayRun, rules } = this.#open();
    return { version, mayRun, runs, rules };
  }

  batch({ first, count, settings }: Range): BatchResult | Unusable {
    try {
      this.#ask();
      // One that cannot be had is told before anything is done.
      if (settings.beside !== undefined) this.#besides([probeFor(settings.beside, first)], settings);
    } catch (error) {
      if (error instanceof InputError || error instanceof GuestFailure) return this.#unusable(error);
      throw error;
    }
    const candidates = Array.from({ length: count }, (_, place): Candidate => {
      const seed = first + place;
      return { seed, program: programOfCampaign(seed, undefined, settings).program };
    });
    const found: Found[] = [];
    const judged = this.#judge(candidates, settings, found);
    const result = this.#sums(judged, settings, found);
    result.tally.programs = count;
    result.tally.unsupported += count - judged.length;
    result.tally.restarts = this.#begun;
    this.#begun = 0;
    return result;
  }

  /** Of programs that the kernel does not survive there is nothing to judge. */
  #judge(candidates: readonly Candidate[], settings: Settings, found: Found[]): readonly Judged[] {
    try {
      return judge(this.#ask(), candidates, this.#judging(settings));
    } catch (error) {
      if (!(error instanceof GuestFailure)) throw error;
      const lost = this.#lost(candidates, error, settings, found);
      const others = candidates.filter(({ seed }) => seed !== lost?.seed);
      if (lost === undefined) return [];
      return others.length === 0 ? [] : this.#judge(others, settings, found);
    }
  }

  /** Which program it was, if it is looked for: each alone tells, which takes long, so each complaint is looked into once. */
  #lost(
    candidates: readonly Candidate[],
    failure: GuestFailure,
    settings: Settings,
    found: Found[],
  ): Candidate | undefined {
    const cause = complaintOf(failure);
    const isNew = !this.#complaints.has(cause);
    this.#complaints.add(cause);
    const culpritOf = (): Candidate | undefined =>
      culprit(candidates, this.#ask(), this.#judging(settings))?.candidate;
    const alone = isNew && settings.oracles.includes("console") ? culpritOf() : undefined;
    const shown = alone ?? candidates[0];
    if (shown === undefined || !settings.oracles.includes("console")) return alone;
    const which = alone === undefined ? "; none of the programs from this one on does so alone" : "";
    const { console } = failure;
    const violation: Violation = { oracle: "console", message: `${failure.message}${which}`, cause, console };
    found.push(this.#foundOf(shown.program, shown.seed, violation));
    return alone;
  }

  #foundOf(program: Program, seed: number, violation: Violation): Found {
    return { key: keyOf(violation), seed, bundle: writeBundle({ program }), violation };
  }

  #sums(judged: readonly Judged[], settings: Settings, found: Found[]): BatchResult {
    const tally = newTally();
    const [reasons, unmodelled, verdicts] = [newCounts(), newCounts(), newCounts()];
    const add = (to: Map<string, number>, what: string): void => {
      to.set(what, (to.get(what) ?? 0) + 1);
    };
    const oracles = oraclesNamed(settings.oracles);
    const compares = oracles.some(
      ({ name }) => name === "verdict" || name === "message" || name === "processed",
    );
    const isAsked = ({ asked }: Judged): boolean => asked.verdict === "accept";
    const accepted = judged.filter(isAsked).map(({ program }) => program);
    const others = this.#besides(accepted, settings).values();
    for (const each of judged) {
      const beside = isAsked(each) ? others.next().value : undefined;
      const { program, seed, examined, kernelRuns } = each;
      const own = this.#caseOf(each, compares || seed % COMPARED === 0);
      const given: Case = beside === undefined ? own : { ...own, beside };
      if (beside?.verdict === "reject") add(verdicts, `accept / ${complaint(beside.message)} beside it`);
      const { answer, verdict } = given;
      if (answer.verdict === "accept") tally.accepted += 1;
      else if (answer.verdict === "reject") tally.rejected += 1;
      else tally.unsupported += 1;
      tally.instructions += program.insns.length;
      tally.processed += verdict?.statistics.processed ?? 0;
      tally.states += verdict?.statistics.totalStates ?? 0;
      tally.runs += examined?.runs ?? 0;
      tally.steps += examined?.steps ?? 0;
      tally.compared += examined?.compared ?? 0;
      tally.kernelRuns += kernelRuns;
      if (answer.verdict !== "accept") add(reasons, causeOf(answer.message));
      if (examined?.unmodelled !== undefined) add(unmodelled, examined.unmodelled);
      const pair = pairOf(given);
      if (pair !== undefined && new Set(pair.split(" / ")).size > 1) add(verdicts, pair);
      let violation: Violation | undefined;
      for (const oracle of oracles) if ((violation = oracle.judge(given)[0]) !== undefined) break;
      if (violation !== undefined) found.push(this.#foundOf(program, seed, violation));
    }
    return { tally, reasons, unmodelled, verdicts, found };
  }

  #caseOf({ program, seed, asked, violations }: Judged, isCompared: boolean): Case {
    const { rules } = this.#open();
    let verdict: Verdict | undefined;
    let broken: Error | undefined;
    try {
      if (isCompared) verdict = verify(program, undefined, rules, MOST_PROCESSED);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!(error instanceof Unsupported)) broken = error;
    }
    const kernel: readonly KernelViolation[] = violations;
    return { program, seed, rules, answer: answerOf(asked), verdict, ran: NO_RUNS, broken, kernel };
  }

  /** What a program shows on an input, or on those of its seed. */
  replay(program: Program, seed: number, input: Input | undefined, settings: Settings): Replayed | Unusable {
    try {
      const judging = { ...this.#judging(settings), ...(input === undefined ? {} : { inputs: [input] }) };
      const judged = judge(this.#ask(), [{ program: asProbe(program), seed }], judging);
      const oracles = oraclesNamed(settings.oracles);
      return {
        shown: judged.flatMap((each) => oracles.flatMap(({ judge: of }) => of(this.#caseOf(each, true)))),
      };
    } catch (error) {
      if (error instanceof InputError) return this.#unusable(error);
      if (!(error instanceof GuestFailure)) throw error;
      // One that does not come up is none.
      if (this.#under === undefined) return this.#unusable(error);
      return { shown: [{ oracle: "console", message: error.message, cause: complaintOf(error) }] };
    }
  }

  #unusable({ message }: Error): Unusable {
    return { unusable: `--target kernel:${this.#name}: ${message}` };
  }

  /** Undefined if nothing shows it a second time, or it is nothing of a run. */
  reduce(candidate: Candidate, seen: Violation, settings: Settings): Reduced | undefined {
    if (seen.oracle === "beside") return this.#reduceBeside(candidate, seen, settings);
    const { input } = seen;
    if (input === undefined) return undefined;
    // The oracle `fault` has it from `hole`.
    const key = keyOf(seen);
    const theirs = (oracle: KernelViolation["oracle"]): string => (oracle === "hole" ? "fault" : oracle);
    const judgeThem = (candidates: readonly Candidate[], inputs: Judging["inputs"]): readonly Judged[] =>
      judge(this.#ask(), candidates, {
        ...this.#judging(settings),
        ...(inputs === undefined ? {} : { inputs }),
      });
    const [first] = judgeThem([candidate], [input]);
    const shown = first?.violations.find(({ oracle, cause }) => `${theirs(oracle)}: ${cause}` === key);
    const small = shown === undefined ? undefined : shrunk(candidate, shown, judgeThem);
    if (small === undefined) return undefined;
    const { program, violation, hole } = small;
    const { message, cause, insn, input: given } = violation;
    return {
      bundle: writeBundle({ program }),
      violation: {
        oracle: seen.oracle,
        message,
        cause,
        input: given,
        ...(insn === undefined ? {} : { insn }),
      },
      instructions: program.insns.length,
      ...(hole === undefined ? {} : { hole: writeBundle({ program: hole }) }),
    };
  }

  #reduceBeside({ program, seed }: Candidate, seen: Violation, settings: Settings): Reduced {
    const inputs = seen.input === undefined ? [] : [seen.input];
    const shows = (tried: Program): boolean => {
      try {
        const shared = asProbe(tried);
        const [own] = judge(this.#ask(), [{ program: shared, seed }], { ...this.#judging(settings), inputs });
        if (own?.asked.verdict !== "accept") return false;
        const [other] = this.#besides([shared], settings);
        return other?.verdict === "reject" && complaint(other.message) === seen.cause;
      } catch (error) {
        if (error instanceof GuestFailure) return false;
        throw error;
      }
    };
    const small = reduceProgram(program, shows);
    return { bundle: writeBundle({ program: small }), violation: seen, instructions: small.insns.length };
  }
}
