/** Making a finding small: steps of the recipe are left out, then instructions of the program, then numbers made simple, as long as the same thing is wrong. */
import { InputError, Unsupported } from "../../semantics/errors.ts";
import { encode } from "../../semantics/isa/codec.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { layOut } from "../../semantics/isa/make.ts";
import type { Program, Slots } from "../../semantics/program/program.ts";
import { programOf } from "../generate/program.ts";
import type { Recipe, Step } from "../generate/recipe.ts";

/** Says whether a smaller program shows the same. */
export type Shows = (program: Program) => boolean;

/** Questions that a reduction asks at most. */
const PATIENCE = 2000;

/** Leaves out as many of the items as it can, the largest parts first. */
function leaveOut<T>(items: readonly T[], still: (fewer: readonly T[]) => boolean): readonly T[] {
  let kept = items;
  for (let size = Math.max(1, kept.length >> 1); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (still(fewer)) kept = fewer;
      else at += size;
    }
  }
  return kept;
}

function simplerSteps(steps: readonly Step[], still: (steps: readonly Step[]) => boolean): readonly Step[] {
  let kept = leaveOut(steps, still);
  for (let i = 0; i < kept.length; i += 1) {
    for (const field of ["a", "b", "c"] as const) {
      const tried = kept.map((step, j) => (j === i ? { ...step, [field]: 0 } : step));
      if (kept[i]?.[field] !== 0 && still(tried)) kept = tried;
    }
  }
  return kept;
}

/** The smallest recipe that shows it, of those that leaving out and zeroing find. */
export function reduceRecipe(recipe: Recipe, name: string, shows: Shows): Recipe {
  let asked = 0;
  const still = (tried: Recipe): boolean => {
    asked += 1;
    return asked <= PATIENCE && showsSafely(programOf(tried, name), shows);
  };
  let kept = recipe;
  for (const part of ["callback", "callee", "main"] as const) {
    const steps = simplerSteps(kept[part], (tried) => still({ ...kept, [part]: tried }));
    kept = { ...kept, [part]: steps };
  }
  return kept;
}

/** A program that is smaller than the given one by whole instructions, with jumps repaired. */
export function reduceProgram(program: Program, shows: Shows): Program {
  let asked = 0;
  let kept = program;
  const still = (tried: Program | undefined): boolean => {
    asked += 1;
    if (tried === undefined || asked > PATIENCE || !showsSafely(tried, shows)) return false;
    kept = tried;
    return true;
  };
  for (let before = -1; before !== kept.insns.length; ) {
    before = kept.insns.length;
    for (let slot = kept.insns.length - 1; slot >= 0; slot -= 1) {
      if (kept.insns[slot] !== undefined) still(without(kept, slot));
    }
  }
  for (const [slot, instruction] of kept.insns.entries()) {
    if (instruction === undefined || instruction.imm === 0 || isReference(instruction)) continue;
    for (const imm of [0, 1, instruction.imm >> 1]) {
      if (imm !== instruction.imm && still(replaced(kept, slot, { ...instruction, imm }))) break;
    }
  }
  return withoutMaps(kept, still) ?? kept;
}

/** A smaller program may be none at all: that is no answer. */
function showsSafely(program: Program, shows: Shows): boolean {
  try {
    encode(program.insns);
    return shows(program);
  } catch (error) {
    if (error instanceof InputError || error instanceof Unsupported) return false;
    throw error;
  }
}

/** Whether `imm` is a helper, a map or a function and no number. */
const isReference = ({ row: { operation } }: Instruction): boolean =>
  operation.kind === "call" ||
  operation.kind === "goto" ||
  (operation.kind === "ld_imm64" && operation.load !== "const");

/** Where an instruction at a slot leads, if it names another slot: the field that holds the distance. */
function distance({ row: { operation } }: Instruction): "off" | "imm" | undefined {
  switch (operation.kind) {
    case "goto":
      return operation.wide ? "imm" : "off";
    case "jump":
    case "may_goto":
      return "off";
    case "call":
      return operation.callee === "subprogram" ? "imm" : undefined;
    case "ld_imm64":
      return operation.load === "func" ? "imm" : undefined;
    default:
      return undefined;
  }
}

function replaced(program: Program, slot: number, by: Instruction): Program {
  return { ...program, insns: program.insns.map((each, i) => (i === slot ? by : each)) };
}

/** The program without the instruction at a slot; undefined if a function would be empty. */
export function without(program: Program, slot: number): Program | undefined {
  const { insns } = program;
  const width = insns[slot + 1] === undefined && slot + 1 < insns.length ? 2 : 1;
  // Where a slot of before is now: what is left out, where the next one is.
  const place = (old: number): number => (old > slot ? Math.max(slot, old - width) : old);
  const kept: Instruction[] = [];
  for (const [at, instruction] of insns.entries()) {
    if (instruction === undefined || at === slot) continue;
    const field = distance(instruction);
    const next = at + 1;
    kept.push(
      field === undefined
        ? instruction
        : { ...instruction, [field]: place(next + instruction[field]) - (place(at) + 1) },
    );
  }
  const functions = program.functions.map((each) => ({ ...each, insn: place(each.insn) }));
  const starts = new Set(functions.map((each) => each.insn));
  if (starts.size < functions.length || kept.length === 0) return undefined;
  return { ...program, insns: layOut(kept), functions };
}

/** Leaves out maps that no instruction names. */
function withoutMaps(program: Program, still: (tried: Program) => boolean): Program | undefined {
  const used = [...new Set(program.insns.flatMap((each) => (namesMap(each) ? [each?.imm ?? 0] : [])))].sort(
    (a, b) => a - b,
  );
  const insns: Slots = program.insns.map((each) =>
    each !== undefined && namesMap(each) ? { ...each, imm: used.indexOf(each.imm) } : each,
  );
  const tried = { ...program, insns, maps: used.flatMap((index) => program.maps[index] ?? []) };
  return still(tried) ? tried : undefined;
}

const namesMap = (instruction: Instruction | undefined): boolean => {
  const operation = instruction?.row.operation;
  return operation?.kind === "ld_imm64" && (operation.load === "map_fd" || operation.load === "map_value");
};
