/**
 * Verdicts of many programs that are closed at once. They are loaded in lists of calls: for a guest that saves most of the time, which goes
 * into the way there and back.
 */
import type { Prepared } from "./bpf.ts";
import type { Outcome, SystemCall } from "./calls.ts";
import {
  type Accepted,
  type LoadOptions,
  loadRaw,
  logText,
  prepareLoad,
  processedOf,
  type RawProgram,
  type Refused,
  refused,
} from "./load.ts";
import { THIS_MACHINE } from "./this-machine.ts";

/** A program that was accepted, and is closed again. */
export type Tried = Pick<Accepted, "verdict" | "log" | "processed"> | Refused;

/** Programs in a list: at this number the way counts for little, and an answer does not take long. */
const LIST = 32;
/** Bytes of log for each; a program whose log is longer is loaded once more, by itself. */
const LOG_SIZE = 1 << 15;

const CLOSE: Readonly<Record<string, number>> = { x64: 3, arm64: 57, riscv64: 57, loong64: 57 };

/** What the kernel says of each program, in order. Maps are the caller's, and stay open. @param options as for `loadRaw` */
export function tryLoads(programs: readonly RawProgram[], options: LoadOptions = {}): readonly Tried[] {
  const tried: Tried[] = [];
  for (let from = 0; from < programs.length; from += LIST) {
    tried.push(...tryList(programs.slice(from, from + LIST), options));
  }
  return tried;
}

function tryList(programs: readonly RawProgram[], options: LoadOptions): readonly Tried[] {
  const { kernel = THIS_MACHINE, logLevel = 1, logSize = LOG_SIZE } = options;
  const close = CLOSE[kernel.arch];
  if (close === undefined) throw new Error(`close(2) on ${kernel.arch} is not known`);
  const logs = programs.map(() => new Uint8Array(logLevel === 0 ? 0 : Math.min(logSize, LOG_SIZE)));
  const loads = programs.map((program, index) =>
    prepareLoad(kernel, program, logLevel, logs[index] ?? new Uint8Array(0)),
  );
  // What was refused has no descriptor, and closing it does nothing.
  const list = loads.flatMap(({ call }, index): SystemCall[] => [
    call,
    { number: close, arguments: [{ resultOf: 2 * index }] },
  ]);
  const outcomes = kernel.calls(list);
  return programs.map((program, index) => {
    const load = loads[index];
    const outcome = outcomes[2 * index];
    if (load === undefined || outcome === undefined) throw new Error(`${kernel.name} left out an answer`);
    return read(load, outcome, logs[index]) ?? alone(program, options);
  });
}

/** `undefined` if the log was too long: that says nothing of the program. */
function read(load: Prepared<"prog_load">, outcome: Outcome, log: Uint8Array | undefined): Tried | undefined {
  const { errno } = load.answer(outcome);
  if (errno === "ENOSPC") return undefined;
  const text = log === undefined || log.length === 0 ? "" : logText(log);
  return errno === undefined ? { verdict: "accept", log: text, ...processedOf(text) } : refused(errno, text);
}

function alone(program: RawProgram, options: LoadOptions): Tried {
  const result = loadRaw(program, options);
  if (result.verdict === "accept") result.close();
  return result;
}
