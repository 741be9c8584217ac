/** A campaign against a kernel: batches of generated programs, until the time is over. What is found is made small with the kernel in the loop, and each cause kept a few times. */
import { writeBundle } from "../../object/bundle-write.ts";
import { GuestFailure } from "../../oracle/guest/failure.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { reduceProgram } from "../fuzz/reduce.ts";
import { Asking } from "./ask.ts";
import { escalations } from "./escalate.ts";
import type { Violation } from "./examine.ts";
import type { Input } from "./inputs.ts";
import { type Candidate, culprit, type Judged, type Judging, judge, verdictPair } from "./judge.ts";
import { type KernelFinding, type KernelState, type KernelStore, newState } from "./store.ts";

export interface KernelCampaignOptions {
  /** The kernel that is up; another one after a failure. */
  readonly kernel: () => Kernel;
  readonly store: KernelStore;
  /** The program of a seed. */
  readonly programOf: (seed: number) => Program;
  readonly seed: number;
  readonly seconds: number;
  /** Programs at most, from the campaign's seed on. */
  readonly programs?: number;
  /** By what our verifier judges, of every so many programs. */
  readonly rules: Rules;
  /** What may run in the kernel, beside what did not fault in the machine: anything by default. */
  readonly mayRun?: (program: Program) => boolean;
  /** Seconds from any start. */
  readonly now: () => number;
  readonly progress?: (state: KernelState) => void;
}

const BATCH = 96;
/** Every so many programs are given to our verifier too. */
const COMPARED = 8;
/** How often a kind of finding is looked into, and how many different programs of it are kept. */
const LOOKED_INTO = 12;
const KEPT = 4;

/** 601 for `6.1.0-50-cloud-amd64`. */
export function versionOf(release: string): number {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return 100 * Number(major) + Number(minor);
}

const keyOf = ({ oracle, cause }: Violation): string => `${oracle}: ${cause}`;

/** What programs of the same shape have in common. */
const shapeOf = ({ insns }: Program): string => insns.map((insn) => insn?.row.name ?? "").join(" ");

class Campaign {
  readonly #options: KernelCampaignOptions;
  readonly #state: KernelState;
  readonly #shapes = new Set<string>();
  #asking: Asking | undefined;

  constructor(options: KernelCampaignOptions) {
    this.#options = options;
    const { store, seed, kernel } = options;
    this.#state = store.state() ?? newState(kernel().release, seed);
  }

  run(): KernelState {
    const { seconds, programs = Infinity, now, store, progress } = this.#options;
    const start = now();
    const before = this.#state.seconds;
    while (now() - start < seconds && this.#state.next - this.#state.seed < programs) {
      this.#batch(Math.min(BATCH, programs - (this.#state.next - this.#state.seed)));
      this.#state.seconds = before + now() - start;
      store.save(this.#state);
      progress?.(this.#state);
    }
    this.#asking?.end();
    return this.#state;
  }

  #spend<T>(on: string, work: () => T): T {
    const { now } = this.#options;
    const start = now();
    try {
      return work();
    } finally {
      this.#state.spent[on] = (this.#state.spent[on] ?? 0) + now() - start;
    }
  }

  /** The kernel, with new maps if it is a new one. */
  #ask(): Asking {
    const kernel = this.#options.kernel();
    if (this.#asking?.kernel !== kernel) {
      this.#asking = new Asking(kernel);
      this.#state.guests += 1;
    }
    return this.#asking;
  }

  #batch(count: number): void {
    const { programOf, rules } = this.#options;
    const state = this.#state;
    const first = state.next;
    const candidates = this.#spend("generate", () =>
      Array.from(
        { length: count },
        (_, i): Candidate => ({ program: programOf(first + i), seed: first + i }),
      ),
    );
    let judged: readonly Judged[];
    try {
      judged = this.#spend("judge", () => this.#judge(candidates));
    } catch (error) {
      if (!(error instanceof GuestFailure)) throw error;
      this.#spend("console", () => {
        this.#lookForCulprit(candidates, error);
      });
      judged = [];
    }
    state.programs += count;
    for (const each of judged) this.#add(each);
    this.#spend("verify", () => {
      for (const { program, seed, asked } of judged) {
        if (seed % COMPARED !== 0) continue;
        const pair = verdictPair(program, asked, rules);
        state.verdicts[pair] = (state.verdicts[pair] ?? 0) + 1;
      }
    });
    this.#spend("reduce", () => {
      for (const each of judged) this.#keep(each);
    });
    state.next = first + count;
  }

  #judge(candidates: readonly Candidate[], inputs?: readonly Input[]): readonly Judged[] {
    const asking = this.#ask();
    return judge(asking, candidates, {
      ...this.#judging(asking.kernel.release),
      ...(inputs === undefined ? {} : { inputs }),
    });
  }

  #judging(release: string): Judging {
    const { mayRun } = this.#options;
    return { version: versionOf(release), ...(mayRun === undefined ? {} : { mayRun }) };
  }

  #add({ asked, examined, kernelRuns }: Judged): void {
    const state = this.#state;
    if (asked.verdict === "accept") state.accepted += 1;
    else if (asked.verdict === "reject") state.rejected += 1;
    else state.long += 1;
    state.runs += examined?.runs ?? 0;
    state.compared += examined?.compared ?? 0;
    state.kernelRuns += kernelRuns;
  }

  #keep(judged: Judged): void {
    const [violation] = judged.violations;
    if (violation === undefined) return;
    const key = keyOf(violation);
    const met = (this.#state.met[key] = (this.#state.met[key] ?? 0) + 1);
    const kept = this.#state.findings.filter((finding) => finding.key === key).length;
    if (met > LOOKED_INTO || kept >= KEPT) return;
    const inputs = [violation.input];
    const showing = (program: Program): Violation | undefined => {
      try {
        const [again] = this.#judge([{ program, seed: judged.seed }], inputs);
        return again?.violations.find((each) => keyOf(each) === key);
      } catch (error) {
        if (error instanceof GuestFailure) return undefined;
        throw error;
      }
    };
    // The program's name is written down as well, and its list of maps must stay the one that is known.
    const small = reduceProgram(
      judged.program,
      (program) => showing(sharing(program, judged.program)) !== undefined,
    );
    const program = sharing(small, judged.program);
    const shown = showing(program);
    if (shown === undefined) return;
    const shape = shapeOf(program);
    if (this.#shapes.has(shape)) return;
    this.#shapes.add(shape);
    this.#write(key, shown, program, judged.seed, { hole: this.#holeOf(program, judged.seed, shown) });
  }

  /** A program that goes on from a wrong bound to memory that is not there, if the kernel accepts it and the machine faults. */
  #holeOf(program: Program, seed: number, { problem, input }: Violation): Program | undefined {
    const longer = problem === undefined ? [] : escalations(program, problem);
    return longer.find((each) => {
      const [answer] = this.#judge([{ program: each, seed }], [input]);
      return answer?.violations.some(({ oracle }) => oracle === "hole");
    });
  }

  #write(
    key: string,
    { message, input }: Violation,
    program: Program,
    seed: number,
    { hole, console }: { readonly hole?: Program | undefined; readonly console?: string },
  ): void {
    const { store } = this.#options;
    const state = this.#state;
    const name = `${key.replaceAll(/[^a-z0-9]+/gi, "-")}-${seed}.prog.json`;
    const finding: KernelFinding = {
      key,
      message,
      kernel: state.kernel,
      seed,
      program: name,
      instructions: program.insns.length,
      packet: Buffer.from(input.packet).toString("hex"),
      value: Buffer.from(input.value).toString("hex"),
      ...(hole === undefined ? {} : { hole: `hole-${name}` }),
      ...(console === undefined ? {} : { console }),
    };
    store.saveProgram(name, writeBundle({ program }));
    if (hole !== undefined) store.saveProgram(`hole-${name}`, writeBundle({ program: hole }));
    state.findings.push(finding);
    store.save(state);
  }

  /** A kernel that has failed: each program alone tells which one it was. */
  #lookForCulprit(candidates: readonly Candidate[], failure: GuestFailure): void {
    const key = `console: ${complaint(failure)}`;
    const met = (this.#state.met[key] = (this.#state.met[key] ?? 0) + 1);
    if (met > 1) return;
    const found = culprit(candidates, this.#ask(), this.#judging(this.#state.kernel));
    const [first] = candidates;
    const { program, seed } = found?.candidate ?? first ?? {};
    if (program === undefined || seed === undefined) return;
    const input: Input = { packet: new Uint8Array(0), value: new Uint8Array(0), seed: 0 };
    const alone =
      found === undefined ? "; none of the batch that begins with this program does so alone" : "";
    const message = `${failure.message}${alone}`;
    this.#write(key, { oracle: "console", cause: failure.kind, message, input }, program, seed, {
      console: failure.console,
    });
  }
}

/** What the kernel complained of, without its numbers: `WARNING: kernel/bpf/verifier.c:# at reg_bounds_sanity_check`. */
const complaint = ({ message, kind }: GuestFailure): string => {
  const words = /(?:WARNING|BUG|Oops|KASAN)[^+(]*/.exec(message)?.[0] ?? kind;
  return words
    .replaceAll(/\d+/g, "#")
    .replaceAll(/PID: # at /g, "")
    .trim();
};

/** The program with the other's list of maps, where it has as many: what is known of maps is known of that list. */
const sharing = (program: Program, { maps }: Program): Program =>
  program.maps.length === maps.length ? { ...program, maps } : program;

/** Goes on with what the store has, or begins; ends when its time or its programs are over. */
export function kernelCampaign(options: KernelCampaignOptions): KernelState {
  return new Campaign(options).run();
}
