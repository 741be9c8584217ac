/**
 * The abstract states in the Linux verifier's log at level 2 (Linux 6.8 and later; kernel/bpf/log.c and verifier.c): for each instruction as it was
 * processed, what was known before and after it.
 *
 * The log gives all of a state where a path begins and where a function is called or left. Elsewhere it prints the registers and slots that an
 * instruction read or wrote, so what stands here is what was last said: at a register that is not printed the kernel may know more by now (of a copy
 * that a null check or a packet check narrowed), never less. A call of a helper is taken to forget r0 to r5, and packet pointers and whatever
 * holds a reference, unless they are printed anew.
 *
 * Of earlier kernels, back to 5.10, the registers can be read, and not the slots, of which they say too little.
 */
import { InputError } from "../../semantics/errors.ts";
import { type LogRegister, type LogSlot, readRegister, readSlot, UnreadableText } from "./register-text.ts";

/** What is known in one function's frame. What is not there holds nothing that the program may read. */
export interface LogFrame {
  /** 0 is the main program's. */
  readonly frame: number;
  readonly registers: ReadonlyMap<number, LogRegister>;
  /** By offset from the frame pointer: -8, -16, … */
  readonly slots: ReadonlyMap<number, LogSlot>;
}

/** An instruction as it was processed once. */
export interface StateStep {
  readonly pc: number;
  /** Disassembly: `(b7) r0 = 2`. */
  readonly text: string;
  /** Absent where the log begins later. */
  readonly before?: LogFrame;
  /** The state that the path goes on with: after a conditional jump the one at the next step. Absent where the path ends. */
  readonly after?: LogFrame;
}

/** Instructions that were processed one after the other. */
export interface StatePath {
  /** The jump, or the return from a function, that the path comes from; absent for the program's start, and everywhere in what Linux 5.10 says. */
  readonly from?: number;
  readonly start: number;
  /** It ends where a state that covers it had been explored; at once, if it has no steps. */
  readonly covered: boolean;
  /** Where, if it is not the start. */
  readonly coveredAt?: number;
  /** The state at its start; absent if it was covered at once. */
  readonly state?: LogFrame;
  readonly steps: readonly StateStep[];
}

/** Paths in the order of the log. */
export interface StateLog {
  readonly paths: readonly StatePath[];
}

const STEP = /^(\d+): (\([0-9a-f]{2}\) [^;]*?)\s*(?:;(?: (.*))?)?$/;
const FROM = /^from (\d+) to (\d+)(?: \([a-z ]+\))?:\s?(.*)$/;
const COVERED = /^(\d+): safe$/;
const STATE = /^(\d+): ((?:frame\d+: )?(?:R\d+\w*=|fp-\d+\w*=|refs=).*)$/;
const FRAME = /^\s*(?:frame(\d+):)?\s*(.*)$/;
/** Between one register or slot and the next. */
const GAP = / (?=(?:R\d+\w*|fp-\d+\w*|refs)=|(?:async_)?cb$)/;
const ENTRY = /^(?:R(\d+)|fp(-\d+))(?:_\w+)?=(.*)$/;
/** What else may stand in a state, and says nothing about a register. */
const REMARK = /^(?:refs=[\d,]+|(?:async_)?cb|)$/;
const CALL = /^\(85\) call (?!pc)/;
/** `w3 += 1`, `r1 = -r1`, `r0 = atomic_fetch_add(…)`: the register that is written. Linux 7.1 and later do not print it where nobody will read it. */
const WRITES = /^\([0-9a-f]{2}\) [rw](\d+) \S*= /;
const LEGACY_LOAD = /^\((?:20|28|30|40|48|50)\) r0 = \*/;

export interface StateLogOptions {
  /** Whether to read stack slots (the default). */
  readonly slots?: boolean;
}

/** @param line the line's number in the log, for the error. */
function readFrame(text: string, line: number, withSlots: boolean): LogFrame {
  const [, frame = "0", entries = ""] = FRAME.exec(text) ?? [];
  const registers = new Map<number, LogRegister>();
  const slots = new Map<number, LogSlot>();
  for (const entry of entries.trim().split(GAP)) {
    if (REMARK.test(entry)) continue;
    const [, register, slot, value = ""] = ENTRY.exec(entry) ?? [];
    try {
      if (register !== undefined) registers.set(Number(register), readRegister(value));
      else if (slot !== undefined) {
        if (withSlots) slots.set(Number(slot), readSlot(value));
      } else throw new UnreadableText(`"${entry}" is neither a register nor a slot`);
    } catch (error) {
      if (error instanceof UnreadableText)
        throw new InputError(`line ${line}: ${error.message}`, { cause: error });
      throw error;
    }
  }
  return { frame: Number(frame), registers, slots };
}

const merged = (old: LogFrame | undefined, news: LogFrame): LogFrame => ({
  frame: news.frame,
  registers: new Map([...(old?.registers ?? []), ...news.registers]),
  slots: new Map([...(old?.slots ?? []), ...news.slots]),
});

/** Whether a call of a helper leaves it as it is. */
function survivesCall(register: LogRegister): boolean {
  if (register.kind === "scalar") return true;
  const { type, fields } = register;
  return !type.startsWith("pkt") && !fields.has("ref_obj_id") && !fields.has("dynptr_id");
}

/** What an instruction leaves of a state, but for what is printed after it. */
function remains(state: LogFrame, text: string): LogFrame {
  const call = CALL.test(text);
  if (!call && !LEGACY_LOAD.test(text)) {
    const written = WRITES.exec(text)?.[1];
    if (written === undefined || !state.registers.has(Number(written))) return state;
    const others = [...state.registers].filter(([r]) => r !== Number(written));
    return { ...state, registers: new Map(others) };
  }
  const registers = [...state.registers].filter(([r, held]) => r > 5 && (!call || survivesCall(held)));
  const slots = [...state.slots].filter(
    ([, { spilled }]) => spilled === undefined || !call || survivesCall(spilled),
  );
  return { ...state, registers: new Map(registers), slots: new Map(slots) };
}

type Open<T> = { -readonly [K in keyof T]: T[K] };
interface OpenPath extends Open<Omit<StatePath, "steps">> {
  readonly steps: Open<StateStep>[];
}

class Reader {
  readonly paths: OpenPath[] = [];
  /** The frames of the current path, by number, and the innermost one. */
  readonly #frames = new Map<number, LogFrame>();
  #current: LogFrame | undefined;
  /** What the next line is a state of. */
  #heading: string | undefined;
  readonly #withSlots: boolean;

  constructor(withSlots: boolean) {
    this.#withSlots = withSlots;
  }

  #frame(text: string, line: number): LogFrame {
    return readFrame(text, line, this.#withSlots);
  }

  read(text: string, line: number): void {
    const heading = this.#heading;
    this.#heading = /^(?:caller|callee|returning from callee|to caller at \d+):$/.exec(text)?.[0];
    if (this.#heading !== undefined) return;
    if (heading !== undefined) {
      if (!heading.startsWith("returning")) this.#replace(this.#frame(text, line));
      if (!heading.startsWith("caller")) this.#stepEnds();
      return;
    }
    const from = FROM.exec(text);
    if (from !== null) return this.#pathBegins(Number(from[1]), Number(from[2]), from[3] ?? "", line);
    const covered = COVERED.exec(text);
    if (covered !== null) return this.#pathEnds(Number(covered[1]));
    const state = STATE.exec(text);
    if (state !== null) return this.#learn(Number(state[1]), this.#frame(state[2] ?? "", line));
    const step = STEP.exec(text);
    if (step !== null) this.#step(Number(step[1]), step[2] ?? "", step[3], line);
  }

  #replace(frame: LogFrame): void {
    this.#frames.set(frame.frame, frame);
    this.#current = frame;
  }

  #pathBegins(from: number, start: number, text: string, line: number): void {
    if (text === "safe") {
      this.paths.push({ from, start, covered: true, steps: [] });
      return;
    }
    const state = this.#frame(text, line);
    this.#replace(state);
    this.paths.push({ from, start, covered: false, state, steps: [] });
  }

  #pathEnds(pc: number): void {
    const path = this.paths.at(-1);
    if (path !== undefined) [path.covered, path.coveredAt] = [true, pc];
    const last = path?.steps.at(-1);
    if (last !== undefined && last.after === undefined) this.#stepEnds();
  }

  /** A state before the instruction at `pc`. */
  #learn(pc: number, news: LogFrame): void {
    if (this.#hasEnded()) {
      this.#replace(news);
      this.paths.push({ start: pc, covered: false, state: news, steps: [] });
      return;
    }
    this.#replace(merged(this.#frames.get(news.frame), news));
    if (this.#current === undefined) return;
    if (this.paths.length === 0)
      this.paths.push({ start: pc, covered: false, state: this.#current, steps: [] });
    this.#stepEnds();
  }

  /** Whether the path is over: Linux 5.10 then begins another one without a word. */
  #hasEnded(): boolean {
    const path = this.paths.at(-1);
    const last = path?.steps.at(-1);
    return path?.covered === true || (last?.text === "(95) exit" && last.after === undefined);
  }

  #stepEnds(): void {
    const last = this.paths.at(-1)?.steps.at(-1);
    if (last !== undefined && this.#current !== undefined) last.after = this.#current;
  }

  #step(pc: number, text: string, after: string | undefined, line: number): void {
    const path = this.paths.at(-1) ?? { start: pc, covered: false, steps: [] };
    if (this.paths.length === 0) this.paths.push(path);
    const last = path.steps.at(-1);
    const before = this.#current;
    if (last !== undefined && last.after === undefined && before !== undefined) last.after = before;
    path.steps.push({ pc, text, ...(before === undefined ? {} : { before }) });
    if (before !== undefined) this.#replace(remains(before, text));
    if (after !== undefined) this.#learn(pc, this.#frame(after, line));
  }
}

/**
 * Reads the states of a log. Lines that are neither an instruction nor a state (remarks, reasons, the end) are passed over: `parseKernelLog` has those.
 *
 * @throws InputError with the line, for a state that cannot be read
 */
export function parseStateLog(log: string, { slots = true }: StateLogOptions = {}): StateLog {
  const reader = new Reader(slots);
  const lines = log.split("\n");
  // Before this line newer kernels list the program, with what is found out of it beforehand.
  const start = lines.indexOf("Live regs before insn:") + 1;
  lines.slice(start).forEach((text, index) => {
    reader.read(text.trimEnd(), start + index + 1);
  });
  return { paths: reader.paths };
}
