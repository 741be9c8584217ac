/**
 * The programs that instruments look at: generated ones, neighbours of these, neighbours of the corpus' programs, mutants of those, which lose instructions and get
 * others, and generated ones of numbers alone, in turns. Equal seeds give equal sequences. A generated program keeps to what verifiers ask for, so most are accepted by far; neighbours and mutants are at the
 * border, where what a check forgets shows.
 */
import type { Instruction, Row } from "../../semantics/isa/instruction.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import type { Program } from "../../semantics/program/program.ts";
import { mutated, wellEncoded } from "../generate/mutate.ts";
import { numberProgram } from "../generate/numbers.ts";
import { programOfSeed } from "../generate/program.ts";
import { generator, type Random } from "../random.ts";

/** Seeds of programs that a trial has to itself. */
const SEEDS = 1_000_000;

/** Four kinds of programs, and three times in a row those of numbers alone, which take less time. */
const KINDS = 7;

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
  const source = index % KINDS;
  if (source === 0) return programOfSeed(own);
  if (source >= 4) return numberProgram(own);
  const random = generator(own);
  for (let i = 0; i < 8; i += 1) random.below(2);
  if (source === 1 || originals.count === 0) return neighbour(programOfSeed(own), random, 1);
  const { program } = drawn(originals, random, source === 2 ? DRAWS : 1);
  if (program.insns.length > LONGEST) return undefined;
  if (source === 2) return neighbour(program, random, 0);
  const donors = [program, drawn(originals, random, 1).program];
  const made = mutated(program, donors, random);
  return wellEncoded(made) ? made : undefined;
}

/** So often another one is drawn in place of one that kernels accept. */
const DRAWS = 3;

/** One of the corpus' programs; of so many draws the first that kernels refuse. */
function drawn(originals: Originals, random: Random, draws: number): Original {
  let found = originals.original(random.below(originals.count));
  for (let i = 1; i < draws && !found.isRefused; i += 1)
    found = originals.original(random.below(originals.count));
  return found;
}

/** The program with some instructions, from the least number up to two, changed in one field each; undefined if that cannot be encoded. */
function neighbour(original: Program, random: Random, least: 0 | 1): Program | undefined {
  const insns = [...original.insns];
  for (let changes = least + random.below(3 - least); changes > 0; changes -= 1) {
    const at = random.below(insns.length);
    const insn = insns[at];
    if (insn !== undefined) insns[at] = changed(insn, random);
  }
  const program = { ...original, insns };
  return wellEncoded(program) ? program : undefined;
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
