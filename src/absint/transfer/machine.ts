/**
 * The abstract machine: a program, a live state, and the scratch space that the transfer functions share.
 *
 * A transfer function executes one instruction on the live state in place. It relies on nothing but the state and the program: no
 * history, no search order. That is what lets the exploration and the certificate checker use the same ones.
 */

import { Unsupported } from "../../semantics/errors.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { contextFor, knowsTarget, programFacts } from "../../semantics/profile/lookup.ts";
import type { Context, Profile, ProgramFacts } from "../../semantics/profile/profile.ts";
import { DEFAULT_RULES, type Rules } from "../../semantics/profile/rules.ts";
import { MAP_FIELDS, type MapDefinition } from "../../semantics/program/map-types.ts";
import { mapsOfType } from "../../semantics/program/maps-of-type.ts";
import type { KernelSymbol, Program } from "../../semantics/program/program.ts";
import { allocatePermanent } from "../arena.ts";
import { type Marks, newMarks } from "../origins.ts";
import { KIND, kindOf, REGISTER_BYTES } from "../register.ts";
import { FP, frameCount, LIVE_STATE_BYTES, registerAt } from "../state.ts";
import { exceptionCallback as exceptionCallbackOf } from "./exception-callback.ts";
import { type GlobalFunction, globalFunctions } from "./global-functions.ts";
import { reject } from "./rejection.ts";
import { type Rights, rightsOf } from "./rights.ts";

/** Registers that a transfer function may overwrite at will. */
export const SCRATCH = {
  operand: allocatePermanent(REGISTER_BYTES),
  left: allocatePermanent(REGISTER_BYTES),
  right: allocatePermanent(REGISTER_BYTES),
  value: allocatePermanent(REGISTER_BYTES),
} as const;

const LIVE = allocatePermanent(LIVE_STATE_BYTES);
const FORKED = allocatePermanent(LIVE_STATE_BYTES);

export interface Machine {
  readonly program: Program;
  /** The kernel whose rules hold, and what it says of programs of this kind. */
  readonly profile: Profile;
  readonly facts: ProgramFacts;
  readonly rights: Rights;
  /** The names of the kernel functions that instructions call. */
  readonly kfuncs: ReadonlyMap<number, string>;
  /** The kernel's variables and functions that 16-byte loads name. */
  readonly ksyms: ReadonlyMap<number, KernelSymbol>;
  /** Undefined where r1 points to the arguments of what the program attaches to. */
  readonly context: Context | undefined;
  /** For the kernel's types, which take a while to read: whoever needs them asks the rules. A property that is computed would make every look at a machine slow. */
  readonly rules: Rules;
  /** The program's maps, then the shapes of their inner maps: what `object` of a map pointer counts in. */
  readonly maps: readonly MapDefinition[];
  /** For each map of maps, the index in `maps` of its inner shape. */
  readonly inner: ReadonlyMap<number, number>;
  /** Its global functions by first instruction. */
  readonly globals: ReadonlyMap<number, GlobalFunction>;
  /** The first instruction of the function that makes the program's result of what is thrown; undefined if the program has none. */
  readonly exceptionCallback: number | undefined;
  /** The state that is executed in place, and the instruction it stands at. */
  state: number;
  pc: number;
  /** The taken side of a fork and where it goes on. Whoever keeps it there gives the machine another live block. */
  forked: number;
  forkedPc: number;
  /** By instruction, how far a number is cut that is added to a pointer (privileges.ts); kept by the exploration alone. */
  limits: Limits | undefined;
  /**
   * In a program with an arena, whether arithmetic was about pointers into it, by instruction (arena-pointers.ts): what was executed before on whatever
   * path. It decides nothing but that a program is refused.
   */
  readonly arenaUses: Map<number, boolean> | undefined;
  /** Likewise the kind of the pointer through which a load or store went, by instruction (one-use.ts); none where it was not executed yet. */
  readonly accessed: Int32Array;
  /** What is used of the last checkpoint's state; whoever keeps no checkpoints need not look at it. */
  marks: Marks;
}

/** A pointer operand: the register's number for messages, its address, and the instruction's own offset. */
export interface Target {
  readonly number: number;
  readonly at: number;
  readonly off: number;
}

/** How far numbers are cut that are added to pointers. */
export interface Limits {
  /** By instruction, the limit and whatever else the kernel decides by. */
  readonly of: Map<number, string>;
  /** A number that is no constant was added to a pointer: from then on Linux takes states with other numbers for other states. */
  numbersTell: boolean;
}

/** What became of one instruction. The next instruction is in `machine.pc`. */
export const STEP = { next: 0, fork: 1, exit: 2 } as const;
export type Step = (typeof STEP)[keyof typeof STEP];

/** Map types that are more than a place for keys and values. */
const UNMODELLED_MAPS: ReadonlySet<string> = new Set(["struct_ops"]);

/** Programs that begin with the arguments of a function, tracepoint or hook of the kernel. */
const ATTACHES_BY_BTF: ReadonlySet<string> = new Set(["tracing", "lsm"]);

/** What of a machine the program and the rules decide, and nothing changes. */
type Tables = Pick<
  Machine,
  | "program"
  | "rules"
  | "facts"
  | "rights"
  | "context"
  | "kfuncs"
  | "ksyms"
  | "maps"
  | "inner"
  | "globals"
  | "exceptionCallback"
>;

/** The last that were made. The exploration, the checker and whoever runs along a certificate each have a machine for the same program, one after the other. */
let lastTables: Tables | undefined;

function tablesOf(program: Program, rules: Rules): Tables {
  if (lastTables?.program !== program || lastTables.rules !== rules) lastTables = makeTables(program, rules);
  return lastTables;
}

function makeTables(program: Program, rules: Rules): Tables {
  const { profile } = rules;
  const facts = programFacts(profile, program);
  const context = contextFor(profile, program);
  const attach = program.attach === undefined ? "" : `/${program.attach}`;
  if (facts === undefined) throw new Unsupported(`program type ${program.type}${attach}`);
  if (context === undefined && !ATTACHES_BY_BTF.has(program.type)) {
    throw new Unsupported(`context of program type ${program.type}${attach}`);
  }
  if (!knowsTarget(profile, program)) {
    throw new Unsupported(
      `${program.type} programs for ${program.target}, of which Linux ${profile.kernel} was not asked`,
    );
  }
  if (context?.fields.some(({ held }) => held === true) === true) {
    throw new Unsupported("arguments with a reference that the program has to give back");
  }
  const maps: MapDefinition[] = [...program.maps];
  const inner = new Map<number, number>();
  program.maps.forEach((map, index) => {
    if (UNMODELLED_MAPS.has(map.type)) throw new Unsupported(`map type ${map.type}`);
    const field = map.fields?.find(({ kind }) => !MAP_FIELDS.has(kind));
    if (field !== undefined) throw new Unsupported(`map ${map.name}: ${field.kind} in the value`);
    if (map.inner !== undefined) {
      inner.set(index, maps.length);
      maps.push(map.inner);
    }
  });
  return {
    program,
    rules,
    facts,
    rights: rightsOf(program, profile),
    context,
    kfuncs: new Map(program.kfuncs?.map(({ insn, name }) => [insn, name])),
    ksyms: new Map(program.ksyms?.map((symbol) => [symbol.insn, symbol])),
    maps,
    inner,
    globals: globalFunctions(program, rules, facts, context),
    exceptionCallback: exceptionCallbackOf(program),
  };
}

/**
 * A machine for `program` under the rules of a kernel. There is one live state: machines take turns, they do not nest.
 *
 * @throws Unsupported  naming the program type or map type that is not modelled
 */
export function createMachine(program: Program, rules: Rules = DEFAULT_RULES): Machine {
  const { facts, rights, context, kfuncs, ksyms, maps, inner, globals, exceptionCallback } = tablesOf(
    program,
    rules,
  );
  return {
    program,
    profile: rules.profile,
    facts,
    rights,
    context,
    rules,
    kfuncs,
    ksyms,
    maps,
    inner,
    globals,
    exceptionCallback,
    state: LIVE,
    pc: 0,
    forked: FORKED,
    forkedPc: 0,
    limits: undefined,
    accessed: new Int32Array(program.insns.length),
    arenaUses: mapsOfType(program, "arena").length > 0 ? new Map<number, boolean>() : undefined,
    marks: newMarks(0),
  };
}

/** Does something on the forked state, as it is done on the live one. */
export function onForked<T>(m: Machine, act: (m: Machine) => T): T {
  const { state } = m;
  m.state = m.forked;
  try {
    return act(m);
  } finally {
    m.state = state;
  }
}

export const currentFrame = (m: Machine): number => frameCount(m.state) - 1;
export const register = (m: Machine, number: number): number => registerAt(m.state, currentFrame(m), number);

/** The address of a register that the instruction reads. */
export function readable(m: Machine, number: number): number {
  const at = register(m, number);
  if (kindOf(at) === KIND.none) reject("EACCES", `R${number} !read_ok`);
  return at;
}

/** The address of a register that the instruction writes. */
export function writable(m: Machine, number: number): number {
  if (number === FP) reject("EACCES", "frame pointer is read only");
  return register(m, number);
}

/** The instruction at `pc`; the control-flow check has seen to it that there is one. */
export function instructionAt(m: Machine, pc: number): Instruction {
  const found = m.program.insns[pc];
  if (found === undefined) throw new Error(`no instruction at ${pc}`);
  return found;
}

export function mapAt(m: Machine, index: number): MapDefinition {
  const found = m.maps[index];
  if (found === undefined) throw new Error(`no map ${index}`);
  return found;
}
