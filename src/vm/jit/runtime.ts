/**
 * Runs of compiled programs. Compiled code calls the machine for what it does not do itself: one instruction at a time (`step`), or all that is left of a function (`finish`).
 * What an instruction means there is what it means to the interpreter: there is no second definition.
 */

import { MAX_LOOPS } from "../../semantics/helpers/callbacks.ts";
import type { Context } from "../../semantics/profile/profile.ts";
import type { Program } from "../../semantics/program/program.ts";
import { execute } from "../execute.ts";
import { type Fault, FaultSignal } from "../fault.ts";
import { FRAME, frameWord } from "../frame-record.ts";
import { interpret } from "../interpreter.ts";
import { guardArguments } from "../kernel-memory.ts";
import type { LoadedProgram } from "../maps/map.ts";
import { memory, memoryWords, SCALAR_RECORD, TAGS_AT, UNINITIALISED_RECORD } from "../memory.ts";
import { DO, type Op } from "../op.ts";
import type { Run } from "../run.ts";
import { CONTROL, fuelLeft, setFuel } from "./control.ts";
import type { Facts } from "./facts.ts";
import { slotsOf } from "./flow.ts";
import { catchUp, resumeLoop } from "./frames.ts";
import { START } from "./function.ts";
import { isDynamic, KIND } from "./kinds.ts";
import { type CompiledProgram, compileProgram } from "./module.ts";
import { AGAIN } from "./writer.ts";

/** A module bound to the machine's memory. */
interface Bound {
  readonly compiled: CompiledProgram;
  /** By position. */
  readonly functions: readonly (() => void)[];
}

// --- Modules, by what they were made of

const MOST_MODULES = 256;
const MODULES = new Map<Context | undefined, Map<string, Bound>>();

/** All that the code depends on beside the context's layout. */
function keyOf(ops: readonly Op[], facts: Facts | undefined, allowsUnwritten: boolean): string {
  const words = new Int32Array(8 * ops.length);
  ops.forEach(({ code, dst, src, off, imm, immHigh, target, name }, i) => {
    words.set([code, dst, src, off, imm, immHigh, target], 8 * i);
    words[8 * i + 7] = numberOf(name);
  });
  const text = Buffer.from(words.buffer).toString("latin1");
  const known = facts === undefined ? "" : Buffer.from(facts).toString("latin1");
  return `${allowsUnwritten}${known.length}${known}${text}`;
}

const NAMES = new Map<string, number>();

/** A number for each name, which are few: rows and what is not modelled. */
function numberOf(name: string): number {
  const known = NAMES.get(name) ?? NAMES.size;
  NAMES.set(name, known);
  return known;
}

/** By program, in the last setting that it ran in. */
const LAST = new WeakMap<
  readonly Op[],
  {
    readonly bound: Bound;
    readonly context: Context | undefined;
    readonly facts: Facts | undefined;
    readonly allowsUnwritten: boolean;
  }
>();

/** The compiled form of a program that is given a context of a layout, or bare memory. */
function bind(
  { program, ops }: LoadedProgram,
  context: Context | undefined,
  facts: Facts | undefined,
  allowsUnwritten: boolean,
): Bound {
  const last = LAST.get(ops);
  if (
    last !== undefined &&
    last.context === context &&
    last.facts === facts &&
    last.allowsUnwritten === allowsUnwritten
  )
    return last.bound;
  const modules = MODULES.get(context) ?? new Map<string, Bound>();
  MODULES.set(context, modules);
  const key = keyOf(ops, facts, allowsUnwritten);
  let bound = modules.get(key);
  if (bound === undefined) {
    if (modules.size >= MOST_MODULES) modules.clear();
    const compiled = compileProgram({ ops, insns: program.insns, facts, context, allowsUnwritten });
    const module = new WebAssembly.Module(compiled.bytes);
    const { exports } = new WebAssembly.Instance(module, { env: { memory }, machine: { ...MACHINE } });
    const functions = Array.from(
      compiled.functions,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module was encoded so
      (_, position) => exports[`${position}`] as () => void,
    );
    bound = { compiled, functions };
    modules.set(key, bound);
  }
  LAST.set(ops, { bound, context, facts, allowsUnwritten });
  return bound;
}

// --- The run in progress

interface Current {
  readonly run: Run;
  readonly facts: ReadonlyMap<Program, Facts> | undefined;
}

let current: Current | undefined;

function now(): Current {
  if (current === undefined) throw new Error("compiled code runs only in a run");
  catchUp(current.run.state);
  return current;
}

/** The run is over: all that was called is left at once. */
class Ended extends Error {
  override readonly name = "Ended";
  readonly fault: Fault | undefined;

  constructor(fault: Fault | undefined) {
    super("the run is over");
    this.fault = fault;
  }
}

function boundOf({ run: { state }, facts }: Current, loaded: LoadedProgram): Bound {
  const { layout } = state.input.context;
  const isBare = layout.struct === "memory";
  const allowsUnwritten = state.options.uninitialisedStack === "allow";
  return bind(loaded, isBare ? undefined : layout, facts?.get(loaded.program), allowsUnwritten);
}

/** Takes over how many instructions have been executed. */
function count({ run: { state } }: Current): void {
  state.steps = state.options.budget - fuelLeft();
}

function countBack({ run: { state } }: Current): void {
  setFuel(state.options.budget - state.steps);
}

/** Lets the interpreter go on at `state.pc` until the current function is over. */
function interpretRest(it: Current): void {
  const { run } = it;
  const { depth, unwindings } = run.state;
  const fault = interpret(run, undefined, depth);
  if (fault !== undefined) throw new Ended(fault);
  if (run.ended && depth > 0) throw new Ended(undefined);
  if (run.state.unwindings !== unwindings && depth > 0) interpretToEnd(it);
  countBack(it);
}

/** Frames of compiled functions are gone that are still on the way out: the interpreter goes on at `state.pc`, and nothing comes back. */
function interpretToEnd({ run }: Current): never {
  throw new Ended(interpret(run, undefined));
}

/** Runs a function of the current program, or the program itself, in the current frame, to its end. The frame is left if the interpreter has ended it. */
function runFunction(it: Current, slot: number): void {
  const { state } = it.run;
  const { compiled, functions } = boundOf(it, state.loaded);
  const call = functions[compiled.positions.get(slot) ?? -1];
  const { depth } = state;
  if (call === undefined) {
    state.pc = slot === START ? 0 : slot;
    count(it);
    return interpretRest(it);
  }
  call();
  catchUp(state);
  if (depth > 0 || it.run.ended) return;
  count(it);
  state.pc = memoryWords[CONTROL.exit >> 2] ?? 0;
  const op = state.loaded.ops[state.pc];
  if (op !== undefined) execute(it.run, op);
  it.run.ended = true;
}

const MACHINE = {
  step(slot: number): number {
    const it = now();
    const { state } = it.run;
    const { depth, loaded, unwindings } = state;
    const op = loaded.ops[slot];
    if (op === undefined) throw new Error(`no instruction at slot ${slot}`);
    count(it);
    state.pc = slot;
    const next = execute(it.run, op);
    if (state.unwindings !== unwindings && next !== undefined) {
      state.pc = next;
      interpretToEnd(it);
    }
    const behind = slot + slotsOf(op.code);
    if (next === behind && state.depth === depth && state.loaded === loaded && op.code !== DO.callback)
      return 0;
    return goOn(it, op, slot, next, depth, loaded);
  },

  enter(slot: number): void {
    const it = now();
    const { state } = it.run;
    count(it);
    state.pc = slot;
    const op = state.loaded.ops[slot];
    if (op !== undefined) guardArguments(state, op);
    state.push(slot + 1);
  },

  again(slot: number, why: number): number {
    const it = now();
    const { state } = it.run;
    const op = state.loaded.ops[slot];
    if (op === undefined) throw new Error(`no instruction at slot ${slot}`);
    count(it);
    if (why === AGAIN.noResult) {
      state.pc = memoryWords[CONTROL.exit >> 2] ?? 0;
      state.pop();
    } else if (why === AGAIN.resume) resumeLoop(state, frameWord(state.depth + 1, FRAME.done));
    return goOn(it, op, slot, slot, state.depth, state.loaded);
  },

  finish(position: number, exit: number): void {
    const it = now();
    const { state } = it.run;
    const { compiled } = boundOf(it, state.loaded);
    const one = compiled.functions[position];
    const way = one?.exits[exit];
    if (one === undefined || way === undefined) throw new Error(`no way out ${exit} of function ${position}`);
    const { kinds, notExecuted } = one.resume(way);
    for (let register = 0; register < 10; register += 1) {
      if (register !== way.other) settleTag(it, register, kinds[register] ?? 0);
    }
    count(it);
    state.steps -= notExecuted;
    state.frame.loopsLeft = MAX_LOOPS - (memoryWords[CONTROL.loops >> 2] ?? 0);
    state.pc = way.slot;
    interpretRest(it);
  },
};

const tagAt = (register: number): number => (TAGS_AT + 8 * register) >> 2;

/** Puts down the region of a register of which compiled code knew what it holds. */
function settleTag({ run: { state } }: Current, register: number, kinds: number): void {
  if (isDynamic(kinds)) return;
  if (kinds === KIND.number) memoryWords[tagAt(register)] = SCALAR_RECORD;
  else if (kinds === KIND.stack) state.setTag(register, state.frame.stack);
  else if (kinds === KIND.context) state.setTag(register, state.input.context.region);
  else memoryWords[tagAt(register)] = UNINITIALISED_RECORD;
}

/** After an instruction that has not simply led to the next one. Whether the function is over. */
function goOn(
  it: Current,
  op: Op,
  slot: number,
  first: number | undefined,
  depth: number,
  loaded: LoadedProgram,
): number {
  const { run } = it;
  const { state } = run;
  let next = first;
  for (;;) {
    if (next === undefined) {
      run.ended = true;
      if (depth === 0) return over(it);
      throw new Ended(undefined);
    }
    if (state.depth < depth) return over(it);
    if (op.code === DO.helper) {
      // A tail call: another program has taken this function's place.
      countBack(it);
      runFunction(it, START);
      if (depth > 0 && state.depth === depth) state.pop();
      return 1;
    }
    if (state.depth > depth) {
      countBack(it);
      runFunction(it, next);
      count(it);
      state.pc = memoryWords[CONTROL.exit >> 2] ?? 0;
      next = state.depth > depth ? state.pop() : slot;
    } else if (next === slot && state.loaded === loaded) {
      state.pc = slot;
      if (state.steps === state.options.budget) {
        interpretRest(it);
        return 1;
      }
      state.steps += 1;
      next = execute(run, op);
    } else if (next === slot + 1 && state.loaded === loaded) {
      countBack(it);
      return 0;
    } else throw new Error(`the instruction at slot ${slot} leads to slot ${next}`);
  }
}

function over(it: Current): number {
  countBack(it);
  return 1;
}

/**
 * Runs a program that is at its start, as `interpret` does.
 *
 * @param facts  what is proved of programs, on trust
 * @throws Unsupported  where the program does something that the machine does not model
 */
export function runCompiled(run: Run, facts?: ReadonlyMap<Program, Facts>): Fault | undefined {
  const outer = current;
  const it: Current = { run, facts };
  const { state } = run;
  current = it;
  setFuel(state.options.budget);
  try {
    runFunction(it, START);
    return undefined;
  } catch (error) {
    if (error instanceof Ended) return error.fault;
    if (!(error instanceof FaultSignal)) throw error;
    return { ...error.fault, insn: state.pc, program: state.loaded.program.name };
  } finally {
    current = outer;
  }
}
