/**
 * Programs made from others, compiled ones among them: instructions are changed, left out, or put in from other programs. What a verifier refuses is then repaired: a
 * register or slot that holds nothing gets a number, what may be null is compared with null, and what cannot be mended goes. (Recipes are changed by the
 * campaign: any change of one is a recipe.)
 */

import { InputError } from "../../semantics/errors.ts";
import { encode } from "../../semantics/isa/codec.ts";
import type { Instruction, Row } from "../../semantics/isa/instruction.ts";
import { insn } from "../../semantics/isa/make.ts";
import { ROWS } from "../../semantics/isa/table.ts";
import { DEFAULT_RULES, type Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import type { Random } from "../random.ts";
import { immediate, pick } from "./context.ts";
import { plainRun, replaced, widthAt } from "./edit.ts";

/** Rows that an instruction may become, its operands meaning the same. */
function cousins({ operation }: Row): readonly Row[] {
  let known = COUSINS.get(operation.kind);
  if (known === undefined) {
    known = ROWS.filter((row) => row.operation.kind === operation.kind);
    COUSINS.set(operation.kind, known);
  }
  return known.filter(({ operation: other }) => {
    if ("operand" in other && "operand" in operation) return other.operand === operation.operand;
    return other.kind === "load" || other.kind === "atomic";
  });
}

const COUSINS = new Map<string, readonly Row[]>();

const isFree = (row: Row, field: "dst" | "src" | "off" | "imm"): boolean => row.fields[field] === "any";

const jumps = ({ row: { operation } }: Instruction): boolean =>
  operation.kind === "jump" || operation.kind === "goto" || operation.kind === "may_goto";

/** An offset of 16 bits, a little further on or back. */
const moved = (off: number, random: Random): number =>
  ((off + (pick([-8, -4, -1, 1, 4, 8], random.below(6)) ?? 1)) << 16) >> 16;

/** The instruction changed in one field, or into another of its kind. */
function changed(of: Instruction, random: Random): Instruction {
  const { row } = of;
  const choices: (() => Instruction)[] = [];
  const isReference = row.operation.kind === "call" || row.operation.kind === "ld_imm64" || jumps(of);
  if (isFree(row, "imm") && (!isReference || row.operation.kind === "jump")) {
    choices.push(
      () => ({ ...of, imm: (of.imm + 1 - 2 * random.below(2)) | 0 }),
      () => ({ ...of, imm: immediate(random.below(0x10000)) }),
    );
  }
  if (isFree(row, "off") && !jumps(of)) choices.push(() => ({ ...of, off: moved(of.off, random) }));
  if (isFree(row, "dst")) choices.push(() => ({ ...of, dst: random.below(10) }));
  if (isFree(row, "src")) choices.push(() => ({ ...of, src: random.below(10) }));
  const others = cousins(row);
  if (others.length > 1 && !isReference)
    choices.push(() => ({ ...of, row: pick(others, random.below(others.length)) ?? row }));
  if (row.operation.kind === "jump" && others.length > 1)
    choices.push(() => ({ ...of, row: pick(others, random.below(others.length)) ?? row }));
  return pick(choices, random.below(choices.length))?.() ?? of;
}

/** Most instructions of another program that are put in. */
const LONGEST_RUN = 8;

/**
 * The program with one to three changes; the same for the same numbers. It may be one that no verifier accepts.
 *
 * @param donors  programs of which parts are put in
 */
export function mutated(program: Program, donors: readonly Program[], random: Random): Program {
  let result = program;
  for (let changes = random.below(3); changes >= 0; changes -= 1) {
    const slots = result.insns.flatMap((each, slot) => (each === undefined ? [] : [slot]));
    const at = pick(slots, random.below(slots.length)) ?? 0;
    const old = result.insns[at];
    if (old === undefined) continue;
    const width = widthAt(result, at);
    const donor = pick(donors, random.below(donors.length));
    switch (random.below(4)) {
      case 0: {
        const run = donor === undefined ? [] : plainRun(donor, random.below(donor.insns.length), LONGEST_RUN);
        result = replaced(result, at, 0, run);
        break;
      }
      case 1:
        // The last instruction of a function has to be its end.
        if (old.row.operation.kind !== "exit" && slots.length > 2) result = replaced(result, at, width, []);
        break;
      default: {
        const instruction = changed(old, random);
        result = { ...result, insns: result.insns.map((each, slot) => (slot === at ? instruction : each)) };
      }
    }
  }
  return result;
}

/** Repairs of one program at most. */
const MOST_REPAIRS = 8;
/** Instructions that the verifier processes at most: what takes longer is not worth it. */
const LIMIT = 20_000;

/** Bytes of a frame. */
const STACK = 512;

const zero = (dst: number): Instruction => insn("mov64_imm", { dst, imm: 0 });

/**
 * The program with what the verifier refuses mended, one place after the other: undefined if it cannot be mended, or is none. An accepted program comes back
 * as it is.
 */
export function repaired(program: Program, rules: Rules = DEFAULT_RULES): Program | undefined {
  let tried: Program | undefined = program;
  for (let repairs = 0; tried !== undefined && repairs <= MOST_REPAIRS; repairs += 1) {
    if (!wellEncoded(tried)) return undefined;
    const verdict = verify(tried, undefined, rules, LIMIT);
    if (verdict.verdict === "accept") return tried;
    if (verdict.verdict === "unsupported" || verdict.insn === undefined) return undefined;
    tried = mended(tried, verdict.insn, verdict.message);
  }
  return undefined;
}

/** Whether all instructions can be encoded: a change may have put a number where a row has none. */
export function wellEncoded({ insns }: Program): boolean {
  try {
    encode(insns);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** One repair at the instruction that was refused; undefined where there is none. */
function mended(program: Program, at: number, message: string): Program | undefined {
  const refused = program.insns[at];
  if (refused === undefined) return undefined;
  const last = message.split("\n").at(-1) ?? "";
  const unread = /^R(\d+) !read_ok/.exec(last)?.[1];
  if (unread !== undefined) return replaced(program, at, 0, [zero(Number(unread))]);
  const off = Number(/^invalid read from stack (?:R\d+ )?off[ =](-?\d+)/.exec(last)?.[1] ?? 0);
  if (off < 0 && off >= -STACK)
    return replaced(program, at, 0, [insn("stdw", { dst: 10, off: Math.floor(off / 8) * 8, imm: 0 })]);
  const nullable = /^R(\d+) invalid mem access '\w+_or_null'/.exec(last)?.[1];
  if (nullable !== undefined) {
    return replaced(program, at, 0, [
      insn("jne64_imm", { dst: Number(nullable), imm: 0, off: 2 }),
      zero(0),
      insn("exit"),
    ]);
  }
  return without(program, at, refused);
}

/** What is refused goes; a register that it would have written gets a number. */
function without(program: Program, at: number, { row, dst }: Instruction): Program | undefined {
  switch (row.operation.kind) {
    case "exit":
      return undefined;
    case "call":
      return replaced(program, at, 1, [zero(0)]);
    case "load":
    case "alu":
    case "ld_imm64":
      return replaced(program, at, widthAt(program, at), [zero(dst)]);
    default:
      return replaced(program, at, 1, []);
  }
}
