/**
 * What a kernel's acceptance of a program is worth: the program runs in the machine, beside the kernel's log. Three things must hold of each run: it does not
 * fault; where the kernel's paths can be followed, each number is inside of the kernel's bounds; and no jump goes a way that the kernel has never been.
 */

import { isDeepStrictEqual } from "node:util";
import { word } from "../../oracle/linux/maps.ts";
import { parseStateLog, type StateLog } from "../../oracle/linux/state-log.ts";
import { InputError, Unsupported } from "../../semantics/errors.ts";
import type { Program } from "../../semantics/program/program.ts";
import { AddressSpace } from "../../vm/address-space.ts";
import { Machine, type RunResult } from "../../vm/machine.ts";
import { fillMaps } from "../fill-maps.ts";
import type { Input } from "./inputs.ts";
import { LogWalk, type Problem } from "./log-walk.ts";
import { PROBE_MAPS } from "./probe.ts";

/** By name, what must hold of a kernel under test. */
export const KERNEL_ORACLES = {
  hole: "no run of a program that the kernel accepts faults",
  bounds: "each number is inside of the bounds that the kernel's log gives for it",
  dead: "no run goes a way that the kernel has taken for impossible",
  run: "the kernel's run of a program that is safe ends as the machine's does",
  console: "the kernel finds nothing wrong with itself",
} as const;

export type KernelOracle = keyof typeof KERNEL_ORACLES;

/** Something that did not hold. */
export interface Violation {
  readonly oracle: KernelOracle;
  readonly message: string;
  /** What is alike in findings of one cause, as far as can be seen here. */
  readonly cause: string;
  readonly insn?: number;
  readonly input: Input;
  /** Where a run left the kernel's paths. */
  readonly problem?: Problem;
}

/** How a run ended. */
export interface End {
  readonly retval: number;
  readonly packet: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
}

/** A run that ended, and how. */
export interface Ended extends End {
  readonly input: Input;
}

export interface Examined {
  readonly violations: readonly Violation[];
  /** Runs that did not fault nor read what nobody has written, with what came of them. */
  readonly ended: readonly Ended[];
  readonly runs: number;
  /** Instructions of all runs. */
  readonly steps: number;
  /** Numbers that were held against the kernel's bounds. */
  readonly compared: number;
  readonly unmodelled?: string;
}

/** Instructions of a run at most. */
const BUDGET = 20_000;
const CPUS = 1;

/** Helpers that call back: what the log says then is in no order that a walk can follow. bpf_loop, bpf_for_each_map_elem, bpf_find_vma, bpf_user_ringbuf_drain. */
const CALLING_BACK = new Set([164, 180, 181, 209]);

/** Ways that the kernel has gone from a jump to an instruction; from anywhere, where the log does not say from where. */
function waysOf({ paths }: StateLog): ReadonlySet<number> {
  const ways = new Set<number>();
  for (const { from = ANYWHERE, start, steps, coveredAt } of paths) {
    ways.add(way(from, start));
    if (coveredAt !== undefined) ways.add(way(steps.at(-1)?.pc ?? 0, coveredAt));
    for (let i = 1; i < steps.length; i += 1) ways.add(way(steps[i - 1]?.pc ?? 0, steps[i]?.pc ?? 0));
  }
  return ways;
}

const ANYWHERE = 65535;
const way = (from: number, to: number): number => from * 65536 + to;

/** Whether runs on this program's map begin with a value that both sides are given. */
export const hasOwnValue = (program: Program): boolean =>
  program.maps[0] !== undefined && program.maps[0] === PROBE_MAPS[0];

function fill(machine: Machine, program: Program, { packet, value, seed }: Input): void {
  if (!hasOwnValue(program)) return fillMaps(machine.maps, packet, seed, CPUS);
  const [map] = machine.maps;
  if (map?.kind === "values") map.update(word(0), value);
}

function valueOf(machine: Machine, program: Program): Uint8Array | undefined {
  const [map] = machine.maps;
  const value = hasOwnValue(program) && map?.kind === "values" ? map.lookup(word(0)) : undefined;
  return typeof value === "object" ? value : undefined;
}

function endOf(program: Program, machine: Machine, result: RunResult & { outcome: "exit" }): End {
  const retval = Number(BigInt.asUintN(32, result.r0));
  return { retval, packet: result.packet, value: valueOf(machine, program) };
}

/** A machine for a program, with the maps as an input has them. */
function machineFor(program: Program, input: Input, uninitialisedStack: "allow" | "fault"): Machine {
  const machine = new Machine(program, { cpus: CPUS, budget: BUDGET, uninitialisedStack });
  fill(machine, program, input);
  return machine;
}

function readsUnwritten(program: Program, { packet, seed, ...rest }: Input): boolean {
  const machine = machineFor(program, { packet, seed, ...rest }, "fault");
  return machine.run({ packet, seed }).outcome === "fault";
}

/**
 * How far memory is moved to see whether addresses matter, in bytes: by enough distances that an address's lowest byte has each of the 32 values that a multiple of 8 can have, and each of the
 * bits up to the 24th is often another.
 */
const MOVED = Array.from({ length: 32 }, (_, i) => (i + 1) * 0x9_e378);

/**
 * Whether a run ends in another way where the machine's memory lies elsewhere: it computes with addresses, and those of a kernel are others. The three lowest bits of
 * an address and those from bit 25 on stay as they are: what depends on these alone is not seen.
 */
export function dependsOnAddresses(program: Program, { input, ...before }: Ended): boolean {
  return MOVED.some((bytes) => {
    const below = new AddressSpace();
    try {
      below.skip(bytes);
      const machine = machineFor(program, input, "fault");
      const result = machine.run({ packet: input.packet, seed: input.seed });
      return result.outcome !== "exit" || !isDeepStrictEqual(endOf(program, machine, result), before);
    } finally {
      below.release();
    }
  });
}

/** Runs an accepted program on inputs, beside the log with which the kernel accepted it. */
export function examine(program: Program, log: string, inputs: readonly Input[]): Examined {
  const states = parseStateLog(log, { slots: false });
  const ways = waysOf(states);
  const violations: Violation[] = [];
  const ended: Ended[] = [];
  let [runs, steps, compared] = [0, 0, 0];
  const { insns } = program;
  const nameAt = (pc: number): string => insns[pc]?.row.name ?? "the start";
  for (const input of inputs) {
    const walk = new LogWalk(states);
    let last = -1;
    let depth = 0;
    let dead: { readonly from: number; readonly to: number } | undefined;
    let result: RunResult;
    let machine: Machine;
    try {
      machine = machineFor(program, input, "allow");
      result = machine.run({ packet: input.packet, seed: input.seed }, (pc, view) => {
        if (view.program !== program.name) return walk.lose();
        walk.observe(pc, view);
        const before = insns[last];
        if (before?.row.operation.kind === "jump" && view.depth === depth && dead === undefined) {
          if (!ways.has(way(last, pc)) && !ways.has(way(ANYWHERE, pc))) dead = { from: last, to: pc };
        }
        const insn = insns[pc];
        if (insn?.row.name === "call_helper" && CALLING_BACK.has(insn.imm)) walk.lose();
        [last, depth] = [pc, view.depth];
      });
    } catch (error) {
      // Programs that are no probes may want more than a packet (foreign.ts).
      if (!(error instanceof Unsupported || error instanceof InputError)) throw error;
      return { violations, ended, runs, steps, compared, unmodelled: error.message };
    }
    runs += 1;
    steps += result.steps;
    compared += walk.compared;
    const { problem } = walk;
    const add = (oracle: KernelOracle, insn: number, cause: string, message: string): void => {
      const where = oracle === "bounds" && problem !== undefined ? { problem } : {};
      violations.push({ oracle, cause, insn, message: `insn ${insn}: ${message}`, input, ...where });
    };
    if (problem !== undefined) {
      const cause = problem.escapes.length === 0 ? "impossible" : "excluded";
      add("bounds", problem.pc, `${cause} after ${nameAt(problem.last)}`, problem.message);
    }
    if (dead !== undefined) {
      add(
        "dead",
        dead.from,
        nameAt(dead.from),
        `the way to ${dead.to} is one that the kernel has never been`,
      );
    }
    if (result.outcome === "fault") {
      const { fault } = result;
      if (fault.kind === "budget") continue;
      add("hole", fault.insn, `${fault.kind} at ${nameAt(fault.insn)}`, fault.message);
      continue;
    }
    if (problem !== undefined || dead !== undefined || result.pointer) continue;
    // What is on the stack that nobody has written is another thing in the kernel.
    if (readsUnwritten(program, input)) continue;
    ended.push({ input, ...endOf(program, machine, result) });
  }
  return { violations, ended, runs, steps, compared };
}
