/**
 * The programs that instruments look at: generated ones, neighbours of the corpus' programs, and neighbours of generated ones, in turns. Equal seeds give equal
 * sequences. A generated program keeps to what verifiers ask for, so most are accepted by far; its neighbours are at the border, where what a check forgets shows.
 */
import { InputError } from "../../semantics/errors.ts";
import { encode } from "../../semantics/isa/codec.ts";
import type { Instruction, Row } from "../../semantics/isa/instruction.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import type { Program } from "../../semantics/program/program.ts";
import { programOfSeed } from "../generate/program.ts";
import { generator, type Random } from "../random.ts";

/** Seeds of programs that a trial has to itself. */
const SEEDS = 1_000_000;

/** A program of the corpus. */
export interface Original {
  readonly program: Program;
  /** Whether kernels refuse it: what a verifier with a bug accepts is most often near to these. */
  readonly isRefused: boolean;
}

/** The corpus' programs by number: they are read when they are wanted. */
export interface Originals {
  readonly count: number;
  readonly original: (index: number) => Original;
}

/** Longer ones are left alone: they take too long. */
const LONGEST = 200;

/** The `index`-th program of a trial; undefined if what came out is none. */
export function trialProgram(seed: number, index: number, originals: Originals): Program | undefined {
  const own = seed * SEEDS + index;
  const source = index % 3;
  if (source === 0) return programOfSeed(own);
  const random = generator(own);
  for (let i = 0; i < 8; i += 1) random.below(2);
  if (source === 1 || originals.count === 0) return neighbour(programOfSeed(own), random, 1);
  let found: Original;
  let draws = 0;
  do {
    found = originals.original(random.below(originals.count));
    draws += 1;
  } while (!found.isRefused && draws < DRAWS);
  return found.program.insns.length > LONGEST ? undefined : neighbour(found.program, random, 0);
}

/** So often another one is drawn in place of one that kernels accept. */
const DRAWS = 3;

/** The program with some instructions, from the least number up to two, changed in one field each; undefined if that cannot be encoded. */
function neighbour(original: Program, random: Random, least: 0 | 1): Program | undefined {
  const insns = [...original.insns];
  for (let changes = least + random.below(3 - least); changes > 0; changes -= 1) {
    const at = random.below(insns.length);
    const insn = insns[at];
    if (insn !== undefined) insns[at] = changed(insn, random);
  }
  const program = { ...original, insns };
  try {
    encode(insns);
    return program;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

const STEPS = [-8, -4, -2, -1, 1, 2, 4, 8] as const;

function changed(insn: Instruction, random: Random): Instruction {
  const { row } = insn;
  const by = STEPS[random.below(STEPS.length)] ?? 1;
  const isFree = (field: "dst" | "src" | "off" | "imm"): boolean => row.fields[field] === "any";
  switch (random.below(8)) {
    case 0:
      return isFree("dst") ? { ...insn, dst: random.below(11) } : insn;
    case 1:
      return isFree("src") ? { ...insn, src: random.below(11) } : insn;
    case 2:
    case 3:
      return isFree("off") ? { ...insn, off: ((insn.off + by) << 16) >> 16 } : insn;
    case 4:
    case 5:
      if (!isFree("imm") || row.operation.kind === "ld_imm64") return insn;
      return { ...insn, imm: random.below(4) === 0 ? random.below(2 ** 32) | 0 : (insn.imm + by) | 0 };
    case 6:
      return row.operation.kind === "jump" ? unchecked(insn, random) : insn;
    default: {
      const others = cousins(row);
      return { ...insn, row: others[random.below(others.length)] ?? row };
    }
  }
}

const GOTO = ROWS.find(({ operation }) => operation.kind === "goto" && !operation.wide);

/** A check that is always passed, or never. */
function unchecked(insn: Instruction, random: Random): Instruction {
  if (GOTO === undefined) return insn;
  return { ...insn, row: GOTO, dst: 0, src: 0, imm: 0, off: random.below(2) === 0 ? 0 : insn.off };
}

/** Rows that an instruction may become without its operands meaning something else. */
function cousins({ operation }: Row): readonly Row[] {
  return ROWS.filter(({ operation: other }) => {
    if (other.kind !== operation.kind) return false;
    if (other.kind === "load") return true;
    return "operand" in other && "operand" in operation && other.operand === operation.operand;
  });
}
