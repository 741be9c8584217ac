/**
 * Which registers each instruction's future may read, by the usual backward data flow over each function. What is dead need not be
 * compared, so more states are found to be covered. Nothing rests on this being right: a register taken for dead is forgotten, and
 * reading it is then refused.
 */

import type { Instruction } from "../semantics/isa/instruction.ts";
import { helperFacts } from "../semantics/profile/lookup.ts";
import type { Profile } from "../semantics/profile/profile.ts";
import type { Slots } from "../semantics/program/program.ts";
import { successors } from "./control-flow.ts";

/** Sets of registers are bit masks: bit r stands for register r. */
const bit = (register: number): number => 1 << register;
const ARGUMENTS = bit(1) | bit(2) | bit(3) | bit(4) | bit(5);
const CALLER_SAVED = bit(0) | ARGUMENTS;
/** What the caller of a function may still need: its own r6 to r9 are restored. */
const RETURNED = bit(0);

interface Effect {
  readonly reads: number;
  readonly writes: number;
}

function effectOf(insn: Instruction, profile: Profile): Effect {
  const { operation } = insn.row;
  const [dst, src] = [bit(insn.dst), bit(insn.src)];
  switch (operation.kind) {
    case "alu": {
      const operand = operation.operand === "reg" ? src : 0;
      const moves = operation.op === "mov" || operation.op.startsWith("movsx");
      return { reads: moves ? operand : dst | operand, writes: dst };
    }
    case "jump":
      return { reads: dst | (operation.operand === "reg" ? src : 0), writes: 0 };
    case "goto":
    case "may_goto":
      return { reads: 0, writes: 0 };
    case "call":
      return { reads: argumentsOf(insn, profile), writes: CALLER_SAVED };
    case "exit":
      return { reads: RETURNED, writes: 0 };
    case "load":
    case "load_acquire":
      return { reads: src, writes: dst };
    case "store":
      return { reads: dst | (operation.operand === "reg" ? src : 0), writes: 0 };
    case "store_release":
      return { reads: dst | src, writes: 0 };
    case "atomic": {
      const exchange = operation.op === "cmpxchg";
      return {
        reads: dst | src | (exchange ? bit(0) : 0),
        writes: operation.fetch ? (exchange ? bit(0) : src) : 0,
      };
    }
    case "packet":
      return { reads: bit(6) | (operation.mode === "ind" ? src : 0), writes: CALLER_SAVED };
    case "ld_imm64":
      return { reads: 0, writes: dst };
    case "addr_space_cast":
      return { reads: src, writes: dst };
  }
}

/** The argument registers that a call reads: all of them unless no form of the helper takes as many. */
function argumentsOf(insn: Instruction, profile: Profile): number {
  const { operation } = insn.row;
  if (operation.kind !== "call" || operation.callee !== "helper") return ARGUMENTS;
  const forms = helperFacts(profile, insn.imm)?.prototypes ?? [];
  const count = forms.length === 0 ? 5 : Math.max(...forms.map(({ args }) => args.length));
  return ARGUMENTS & (2 ** (count + 1) - 1);
}

/** For each instruction, the registers that are live before it. */
export function liveRegisters(insns: Slots, profile: Profile): Uint16Array {
  const live = new Uint16Array(insns.length);
  const effects = insns.map((insn) => (insn === undefined ? undefined : effectOf(insn, profile)));
  const next = insns.map((insn, pc) => (insn === undefined ? [] : successors(insns, pc)));
  for (let changed = true; changed; ) {
    changed = false;
    for (let pc = insns.length - 1; pc >= 0; pc -= 1) {
      const effect = effects[pc];
      if (effect === undefined) continue;
      const after = (next[pc] ?? []).reduce((set, to) => set | (live[to] ?? 0), 0);
      const before = (after & ~effect.writes) | effect.reads;
      if (before !== live[pc]) {
        live[pc] = before;
        changed = true;
      }
    }
  }
  return live;
}
