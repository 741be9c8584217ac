/** One program in the machine, again and again: each run has fresh maps, filled by its input's seed. */
import { InputError, Unsupported } from "../semantics/errors.ts";
import { DEFAULT_RULES, type Rules } from "../semantics/profile/rules.ts";
import type { MapDefinition } from "../semantics/program/map-types.ts";
import type { Program } from "../semantics/program/program.ts";
import type { PacketSocket } from "../vm/environment/socket-buffer.ts";
import type { Environment } from "../vm/environment.ts";
import { lacksHeader } from "../vm/input.ts";
import { Machine, type Observer, type RunEnd } from "../vm/machine.ts";
import { createMap, createMaps } from "../vm/maps/create.ts";
import type { MapStorage } from "../vm/maps/map.ts";
import type { UninitialisedStack } from "../vm/state.ts";
import type { CheckedRun } from "./check-report.ts";
import { fillMaps } from "./fill-maps.ts";
import type { RunInput } from "./inputs.ts";
import { kernelAround, memoryAround } from "./kernel-world.ts";

/** Instructions after which a run of a rejected program counts as one that does not end. */
export const BUDGET = 200_000;
/** The machine's processors: per-CPU maps have that many values. */
export const CPUS = 2;

/** The places of the maps that the program's instructions name, which are all that it can reach. */
function namedMaps({ insns, maps }: Program): readonly number[] {
  const named = new Uint8Array(maps.length);
  for (const insn of insns) {
    const operation = insn?.row.operation;
    if (insn === undefined || operation?.kind !== "ld_imm64") continue;
    if (operation.load === "map_fd" || operation.load === "map_value") named[insn.imm] = 1;
  }
  return maps.flatMap((_, index) => (named[index] === 1 ? [index] : []));
}

/** Whether a map is as if it were new after `reset`: nothing in it refers to anything outside of it. */
const isRenewable = ({ kind, definition: { fields = [], type } }: MapStorage): boolean =>
  ((kind === "values" || kind === "queue" || kind === "ring") && fields.length === 0) ||
  type === "prog_array";

/**
 * Maps that are as if they were new, by their definitions: those of generated programs are always the same, and making a map takes longer than emptying it. Runs come one after the other,
 * and each begins with maps that are empty, so programs may share them.
 */
const SHARED = new WeakMap<MapDefinition, MapStorage>();

/** The program's maps, as they are created. */
function newMaps({ maps }: Program): readonly MapStorage[] {
  // Maps that are made together with others that they hold.
  if (maps.some(({ holds = [] }) => holds.length > 0)) return createMaps(maps, CPUS);
  return maps.map((definition, index) => {
    const known = maps.indexOf(definition) === index ? SHARED.get(definition) : undefined;
    known?.reset();
    if (known !== undefined) return known;
    const map = createMap(definition, CPUS);
    // A map of programs belongs to programs of a kind.
    if (isRenewable(map) && map.kind !== "programs") SHARED.set(definition, map);
    return map;
  });
}

export class Runner {
  readonly #program: Program;
  readonly #endless: boolean;
  readonly #uninitialisedStack: UninitialisedStack;
  readonly #named: readonly number[];
  readonly #budget: number;
  readonly #rules: Rules;
  #machine: Machine | undefined;

  /**
   * @param endless  whether a run that does not end within the budget counts as one that never does
   * @param budget  instructions
   * @param rules  those by which the program was verified
   */
  constructor(
    program: Program,
    endless: boolean,
    uninitialisedStack: UninitialisedStack,
    budget: number = BUDGET,
    rules: Rules = DEFAULT_RULES,
  ) {
    this.#rules = rules;
    this.#budget = budget;
    this.#program = program;
    this.#endless = endless;
    this.#uninitialisedStack = uninitialisedStack;
    this.#named = namedMaps(program);
  }

  /** A machine whose maps are as they are created: the last one, if they can be made so again. */
  #renewed(): Machine {
    const last = this.#machine;
    if (last !== undefined) {
      for (const index of this.#named) last.maps[index]?.reset();
      return last;
    }
    const machine = new Machine(this.#program, {
      cpus: CPUS,
      budget: this.#budget,
      uninitialisedStack: this.#uninitialisedStack,
      maps: newMaps(this.#program),
    });
    if (machine.maps.every(isRenewable)) this.#machine = machine;
    return machine;
  }

  /** One run; undefined if programs of the type cannot be given the input. */
  run(input: RunInput, observer: Observer): CheckedRun | undefined {
    const { packet, context, seed } = input;
    if (lacksHeader(this.#program, packet)) return undefined;
    let steps = 0;
    const counted: Observer = (pc, view) => {
      steps = view.steps + 1;
      observer(pc, view);
    };
    const done = (outcome: CheckedRun["outcome"]): CheckedRun => ({ packet, context, seed, steps, outcome });
    try {
      const machine = this.#renewed();
      fillMaps(machine.maps, packet, seed, CPUS, this.#named);
      const result = machine.runToEnd(environmentOf(input, this.#program, this.#rules), counted);
      if (!this.#endless && result.outcome === "fault" && result.fault.kind === "budget") {
        return done({ kind: "unsupported", feature: `runs of more than ${this.#budget} instructions` });
      }
      return done(outcomeOf(result));
    } catch (error) {
      if (error instanceof InputError) return undefined;
      if (error instanceof Unsupported) return done({ kind: "unsupported", feature: error.message });
      throw error;
    }
  }
}

function outcomeOf(result: RunEnd): CheckedRun["outcome"] {
  if (result.outcome === "exit") return { kind: "exit", r0: `0x${result.r0.toString(16)}` };
  const { kind, insn, message } = result.fault;
  return { kind: "fault", fault: kind, insn, message };
}

/** As far as an instruction's offset reaches from the start of a tracepoint's record; where a program goes further, the machine says so. */
const RECORD = 0x8000 + 7;
/** A tracepoint's records, by whether the seed is odd: nothing but zeros, and all bytes there are. */
const NO_RECORD = new Uint8Array(RECORD);
const RECORDS: readonly Uint8Array[] = [
  NO_RECORD,
  Uint8Array.from({ length: RECORD }, (_, at) => 0xff - (at & 0xff)),
];

/** The sockets of hooks. */
const HOOK_SOCKET: PacketSocket = {
  cookie: 7n,
  uid: 0,
  socket: {
    protocol: "tcp",
    state: "established",
    local: { address: Uint8Array.of(10, 0, 0, 1), port: 443 },
    remote: { address: Uint8Array.of(10, 0, 0, 2), port: 50_000 },
    mark: 3,
  },
};
const HOOK_SOCKETS: readonly PacketSocket[] = [
  HOOK_SOCKET,
  {
    cookie: 0xffff_ffff_ffffn,
    uid: 1000,
    socket: { protocol: "udp", state: "close", local: { address: new Uint8Array(16), port: 53 } },
  },
];

/** Return addresses, of which a run has some: at least one, as in the kernel. */
const KERNEL_STACK = [0xffffffff81000010n, 0xffffffff81234567n, 0xffffffff81fffff0n, 0xffffffffc0000123n];
const USER_STACK = [0x401136n, 0x7ffff7d8a1can, 0x7ffff7d8a285n];
/** The stacks of runs, by how many addresses they have, less one. */
const beginnings = (stack: readonly bigint[]): readonly (readonly bigint[])[] =>
  stack.map((_, i) => stack.slice(0, i + 1));
const KERNEL_STACKS = beginnings(KERNEL_STACK);
const USER_STACKS = beginnings(USER_STACK);

/** Everything that a run of the program depends on beside its maps. Every field is written out: an object that others are copied into takes an engine ten times as long. */
export function environmentOf(
  { packet, context, seed }: RunInput,
  program: Program,
  rules: Rules = DEFAULT_RULES,
): Environment {
  const around = kernelAround(program, rules);
  const environment: { -readonly [K in keyof Environment]: Environment[K] } = {
    memory: memoryAround(seed),
    objects: around.objects,
    contextAddress: around.contextAddress,
    variables: around.variables,
    processorOffsets: around.processorOffsets,
    mapAddresses: around.mapAddresses,
    seed,
    unknownMemory: seed,
    hookSocket: HOOK_SOCKETS[(seed >> 6) & 1] ?? HOOK_SOCKET,
    tracepointRecord: RECORDS[seed & 1] ?? NO_RECORD,
    clockNs: BigInt(1000 * seed),
    cpu: seed % CPUS,
    // Small numbers, so that tasks are found in maps.
    task: { pid: seed % 3, tgid: (seed >> 4) % 2 },
    kernelStack: KERNEL_STACKS[(seed >> 2) % KERNEL_STACKS.length] ?? KERNEL_STACK,
    userStack: USER_STACKS[(seed >> 3) % USER_STACKS.length] ?? USER_STACK,
  };
  if (packet.length > 0) environment.packet = packet;
  if (context.length > 0) environment.context = context;
  return environment;
}
