/**
 * Reads the Linux verifier's log: the reason of a rejection, the count at the end, and at level 2 the state after each instruction as text.
 * Format: the kernel's kernel/bpf/verifier.c and log.c, as printed by 5.15 to 7.3. Nothing here decides a verdict: bpf(2)'s errno does.
 */

/** What the last line counts. */
export interface LogCounts {
  /** Instructions that were processed, on all paths. */
  readonly processed: number;
  readonly limit: number;
  readonly maxStatesPerInsn: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly markRead: number;
}

/** An instruction as it was processed once. */
export interface LogStep {
  readonly pc: number;
  /** Disassembly: `(b7) r0 = 2`. */
  readonly text: string;
  /** The registers and slots printed after it (only those that changed, at level 2), or `undefined` where the log has none. */
  readonly after?: string;
  /** The whole state printed before it: at the entry, after a jump to another path, at a branch. */
  readonly before?: string;
}

/** How Linux 7.3 begins to explain a rejection, after its reasons and before the counts. */
const EXPLANATION = /^Verification failed: (.*)/;

export interface KernelLog {
  /** Lines that say why the program was rejected, in order; the last is the most precise. Empty for an accepted program. */
  readonly reasons: readonly string[];
  readonly steps: readonly LogStep[];
  /** What kind of problem the kernel's explanation says it is, where it has one: `Memory Safety: Access outside bounds`. */
  readonly problem?: string;
  readonly counts?: LogCounts;
}

const COUNTS =
  /^processed (\d+) insns \(limit (\d+)\) max_states_per_insn (\d+) total_states (\d+) peak_states (\d+) mark_read (\d+)/;

/** `5: (b7) r0 = 2    ; R0_w=2`; the comment may be missing, and the instruction may hold `;` only there. */
const STEP = /^(\d+): (\([0-9a-f]{2}\) [^;]*?)\s*(?:; (.*))?$/;

/** `5: R1=ctx() R10=fp0`, `5: frame1: R1=...`, and `from 3 to 5: R0=...` with what follows. */
const STATE = /^(?:from \d+ to )?(\d+):\s+((?:safe|(?:frame\d+: )?(?:R\d|fp).*)?)$/;

/** Where a reason stands behind an instruction, on its line: at level 1, if the instruction's state is still to be printed. */
const UNBROKEN = / (?=infinite loop detected at insn \d+$)/gm;

/** Lines that are neither a step nor a reason: source lines, the verifier's remarks, dumps of states. */
const REMARKS = [
  /^; /,
  /^func#\d+ @\d+/,
  /^(mark_precise|last_idx|regs=|parent (state|didn't)|propagating|frame \d+: (parent|propagating)|falling back)/,
  /^(verification time|stack depth|Live regs before insn)/,
  /^\s+\d+: [.\d]{10}/,
  /^(cur|old) state:/,
  /^\s*(?:frame\d+: )?(R\d+(_r?w|_rD|_D)*=|fp-\d+)/,
  /^(Validating .* func#\d+\.\.\.|Func#\d+ .* is (global|safe).*|.* is safe for any args.*)$/,
  /^(caller|callee|returning from callee|to caller at \d+):?$/,
  /^(-{3,}|BEGIN PROG LOAD LOG|END PROG LOAD LOG)/,
];

export function parseKernelLog(log: string): KernelLog {
  const steps: LogStep[] = [];
  let reasons: string[] = [];
  let counts: LogCounts | undefined;
  let problem: string | undefined;
  let before: string | undefined;
  for (const line of log.replaceAll(UNBROKEN, "\n").split("\n")) {
    const text = line.trimEnd();
    const step = STEP.exec(text);
    if (step === null && (text === "" || REMARKS.some((remark) => remark.test(text)))) continue;
    const end = COUNTS.exec(text);
    if (end !== null) {
      counts = countsOf(end);
      continue;
    }
    problem ??= EXPLANATION.exec(text)?.[1];
    if (problem !== undefined) {
      // What follows quotes instructions and reasons.
      if (reasons.length === 0) reasons = [problem];
      continue;
    }
    const state = step === null ? STATE.exec(text) : null;
    if (step !== null) {
      const after = step[3] === undefined ? {} : { after: step[3] };
      steps.push({
        pc: Number(step[1]),
        text: step[2] ?? "",
        ...after,
        ...(before === undefined ? {} : { before }),
      });
    }
    before = state?.[2];
    // Whatever was said before an instruction was not the last word.
    if (step !== null || state !== null) reasons = [];
    else reasons.push(text);
  }
  return {
    reasons,
    steps,
    ...(problem === undefined ? {} : { problem }),
    ...(counts === undefined ? {} : { counts }),
  };
}

function countsOf(match: RegExpExecArray): LogCounts {
  const [processed = 0, limit = 0, maxStatesPerInsn = 0, totalStates = 0, peakStates = 0, markRead = 0] =
    match.slice(1).map(Number);
  return { processed, limit, maxStatesPerInsn, totalStates, peakStates, markRead };
}
