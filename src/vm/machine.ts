/**
 * The concrete machine: runs a program on a packet or context, and says how it ended. Nothing about the program is assumed: one that no
 * verifier has seen either ends, faults, or uses something that the machine does not model (`Unsupported`).
 *
 * Chance, time and everything else that a run depends on is in its environment and its maps.
 */
import { InputError } from "../semantics/errors.ts";
import type { Program } from "../semantics/program/program.ts";
import { AddressSpace } from "./address-space.ts";
import type { Effects } from "./effects.ts";
import type { Environment } from "./environment.ts";
import type { Fault } from "./fault.ts";
import { type Input, inputFor, skBuffContextOut, xdpContextOut } from "./input.ts";
import { interpret } from "./interpreter.ts";
import type { Facts } from "./jit/facts.ts";
import { runCompiled } from "./jit/runtime.ts";
import { createMaps } from "./maps/create.ts";
import type { LoadedProgram, MapStorage } from "./maps/map.ts";
import { memoryBytes } from "./memory.ts";
import { prepare } from "./op.ts";
import type { Packet } from "./packet.ts";
import { Run } from "./run.ts";
import { type RunOptions, State } from "./state.ts";
import { View } from "./view.ts";

export interface MachineOptions extends Partial<RunOptions> {
  /** The program's maps, in its order, to share them with other programs (`loadTogether`); new ones by default. */
  readonly maps?: readonly MapStorage[];
  /** How many processors there are: 1 by default. */
  readonly cpus?: number;
  /**
   * Compile the programs (`jit/`). Runs that are observed are interpreted all the same. What is given as proved of programs is taken on trust: their code is then
   * not checked where the facts say that it need not be.
   */
  readonly jit?: { readonly facts?: ReadonlyMap<Program, Facts> };
}

/** Both outcomes count the instructions executed, and have what was printed until then. */
export type RunResult =
  | {
      readonly outcome: "exit";
      /** All 64 bits, unsigned; programs return the low 32. */
      readonly r0: bigint;
      /** r0 is a pointer: its value is the machine's own address. */
      readonly pointer: boolean;
      /** The packet as BPF_PROG_TEST_RUN returns it: with metadata, and with zeros for an Ethernet header that the program did not see; of a flow dissector its keys. */
      readonly packet?: Uint8Array;
      /** Of a socket buffer at a hook, how many of the packet's first bytes are metadata. */
      readonly metadata?: number;
      /** The context as BPF_PROG_TEST_RUN returns it; of types whose context is given whole as the program left it. */
      readonly context?: Uint8Array;
      /** The record of a writable tracepoint, if the environment has one. */
      readonly tracepointRecord?: Uint8Array;
      readonly effects: Effects;
      readonly printed: readonly string[];
      readonly steps: number;
    }
  | {
      readonly outcome: "fault";
      readonly fault: Fault;
      readonly printed: readonly string[];
      readonly steps: number;
    };

/** How a run ended, without what it leaves. */
export type RunEnd =
  | { readonly outcome: "exit"; readonly r0: bigint; readonly steps: number }
  | { readonly outcome: "fault"; readonly fault: Fault; readonly steps: number };

/** Called before each instruction. */
export type Observer = (pc: number, view: View) => void;

const DEFAULT_BUDGET = 10_000_000;

export class Machine {
  readonly loaded: LoadedProgram;
  readonly #cpus: number;
  readonly #options: RunOptions;
  readonly #jit: MachineOptions["jit"];

  /** @throws Unsupported  for a type of map that the machine does not have */
  constructor(program: Program, options: MachineOptions = {}) {
    const { cpus = 1, budget = DEFAULT_BUDGET, uninitialisedStack = "fault", generated = true } = options;
    const maps = options.maps ?? createMaps(program.maps, cpus);
    if (maps.length !== program.maps.length) {
      throw new Error(`${maps.length} maps given, but the program has ${program.maps.length}`);
    }
    this.loaded = { program, ops: prepare(program), maps };
    // The first program that refers to a map of programs says of which kind they are.
    for (const map of maps) {
      const isAsked =
        map.kind === "programs" || (map.kind === "devices" && map.definition.type !== "devmap_hash");
      if (isAsked) map.owner.accepts(program);
    }
    this.#cpus = cpus;
    this.#jit = options.jit;
    this.#options = { budget, uninitialisedStack, generated };
  }

  get maps(): readonly MapStorage[] {
    return this.loaded.maps;
  }

  /** The program's map of the given name; there being none is the caller's mistake. */
  map(name: string): MapStorage {
    const found = this.maps.find(({ definition }) => definition.name === name);
    if (found === undefined) throw new Error(`the program has no map ${name}`);
    return found;
  }

  /**
   * Runs the program once. The maps keep what it leaves in them.
   *
   * @throws InputError  for an environment that the program's type cannot be given
   * @throws Unsupported  where the program needs something that the machine does not model
   */
  run(environment: Environment = {}, observer?: Observer): RunResult {
    return this.#within(environment, (run) => resultOf(run, this.#end(run, observer)));
  }

  /** As `run`, for those who do not look at what it leaves: packet, context and effects are not put together. */
  runToEnd(environment: Environment, observer: Observer): RunEnd {
    return this.#within(environment, (run) => {
      const fault = this.#end(run, observer);
      const { state } = run;
      const { steps } = state;
      return fault === undefined
        ? { outcome: "exit", r0: state.value(0), steps }
        : { outcome: "fault", fault, steps };
    });
  }

  /** Makes a run, which is over when `use` comes back. */
  #within<T>(environment: Environment, use: (run: Run) => T): T {
    const { cpu = 0 } = environment;
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= this.#cpus) {
      throw new InputError(`cpu: ${cpu}, but there are ${this.#cpus} processors`);
    }
    const space = new AddressSpace();
    try {
      const input = inputFor(space, this.loaded.program, environment);
      return use(new Run(new State(this.loaded, space, input, environment, this.#options)));
    } finally {
      space.release();
    }
  }

  #end(run: Run, observer: Observer | undefined): Fault | undefined {
    const { state } = run;
    if (observer === undefined)
      return this.#jit === undefined ? interpret(run, undefined) : runCompiled(run, this.#jit.facts);
    const view = new View(state);
    return interpret(run, () => observer(state.pc, view));
  }
}

function resultOf(run: Run, fault: Fault | undefined): RunResult {
  const { state, printed } = run;
  const { steps } = state;
  if (fault !== undefined) return { outcome: "fault", fault, printed, steps };
  // Put together by assigning: to spread one object into another takes longer than a run of a few instructions.
  return Object.assign(packetOut(state.input), {
    outcome: "exit" as const,
    r0: state.value(0),
    pointer: state.tag(0).place.kind !== "none",
    effects: effectsOf(run),
    printed,
    steps,
  });
}

function effectsOf({ redirect, clones, tracing, state }: Run): Effects {
  const { socketBuffer } = state.input;
  const { effects } = tracing;
  if (redirect === undefined && socketBuffer === undefined && effects === undefined) return { clones };
  return {
    clones,
    ...(redirect === undefined ? {} : { redirect }),
    ...(socketBuffer === undefined ? {} : { socketBuffer: socketBuffer.state() }),
    ...(effects === undefined ? {} : { tracing: effects }),
  };
}

interface PacketOut {
  readonly packet?: Uint8Array;
  readonly metadata?: number;
  readonly context?: Uint8Array;
  readonly tracepointRecord?: Uint8Array;
}

function packetOut(input: Input): PacketOut {
  const { packet, context, results } = input;
  if (results !== undefined) return results();
  if (packet === undefined) return {};
  const frame = frameOut(input, packet);
  if (context.layout.struct === "xdp_md") return { packet: frame, context: xdpContextOut(input) };
  const metadata = Math.max(0, packet.headers.link - packet.meta);
  return {
    packet: frame,
    ...(input.whole === true ? { metadata } : {}),
    context: skBuffContextOut(input),
  };
}

/** At a hook the frame as it is. A test run takes off no metadata, and puts zeros where it took off an Ethernet header. */
function frameOut({ whole }: Input, packet: Packet): Uint8Array {
  const { origin, meta, end, hidden, headers } = packet;
  const isLinear = packet.fragments.length === 0;
  if (whole === true && isLinear)
    return memoryBytes.slice(origin + Math.min(meta, headers.link), origin + end);
  if (hidden === 0 && isLinear) return memoryBytes.slice(origin + meta, origin + end);
  const rest = packet.rest();
  const out = new Uint8Array(hidden + end - meta + rest.length);
  out.set(packet.buffer.subarray(meta, end), hidden);
  out.set(rest, hidden + end - meta);
  return out;
}
