/**
 * The kernel's checker of classic filters: what SO_ATTACH_FILTER and seccomp(2) refuse with EINVAL. It is stricter than safety asks in one point: of what
 * follows a return it takes for granted only the scratch words that are set at the return as well.
 */
import { extensionOf, isExtensionForm } from "./extensions.ts";
import {
  type ClassicInstruction,
  type ClassicRow,
  type Filter,
  MAX_LENGTH,
  SCRATCH_WORDS,
} from "./instruction.ts";
import { SECCOMP_DATA_SIZE } from "./seccomp.ts";
import { classicRow } from "./table.ts";

/** Whose rules hold: those for sockets, or seccomp's, which are stricter. */
export type ClassicUse = "socket" | "seccomp";

export interface Refusal {
  /** The instruction, from 0; `undefined` if the filter as a whole is refused. */
  readonly insn: number | undefined;
  readonly message: string;
}

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, "0")}`;

function operandProblem(row: ClassicRow, insn: ClassicInstruction): string | undefined {
  const { k } = insn;
  switch (row.k) {
    case "divisor":
      return k === 0 ? `${row.mnemonic} by the constant 0` : undefined;
    case "shift":
      return k >= 32 ? `a shift by ${k}, but there are 32 bits` : undefined;
    case "scratch":
      return k >= SCRATCH_WORDS ? `scratch word ${k}, but there are ${SCRATCH_WORDS}` : undefined;
    case "offset":
      if (!isExtensionForm(insn) || extensionOf(insn) !== undefined) return undefined;
      return `a load at ${k | 0}, which is no extension`;
    default:
      return undefined;
  }
}

function jumpProblem(row: ClassicRow, insn: ClassicInstruction, left: number): string | undefined {
  const past = (distance: number): string | undefined =>
    distance < left ? undefined : `a jump over ${distance} instructions, but ${left} follow`;
  switch (row.operation.kind) {
    case "goto":
      return past(insn.k);
    case "jump":
      return past(insn.jt) ?? past(insn.jf);
    default:
      return undefined;
  }
}

/** Rows that seccomp does not have: remainders, and all loads of the packet but aligned words. */
const NOT_SECCOMP: ReadonlySet<string> = new Set([
  "mod_k",
  "mod_x",
  "ldh_abs",
  "ldb_abs",
  "ld_ind",
  "ldh_ind",
  "ldb_ind",
  "ldxb_msh",
]);

function seccompProblem(row: ClassicRow, { k }: ClassicInstruction): string | undefined {
  if (NOT_SECCOMP.has(row.name)) return `${row.name} is not for seccomp`;
  if (row.name !== "ld_abs") return undefined;
  if (k >= SECCOMP_DATA_SIZE) return `a load at ${k}, but seccomp's data has ${SECCOMP_DATA_SIZE} bytes`;
  return k % 4 === 0 ? undefined : `a load at ${k}, which is no multiple of 4`;
}

const ALL_WORDS = 2 ** SCRATCH_WORDS - 1;

/** The first load of a scratch word that some path reaches without having stored it. */
function uninitialised(filter: Filter): number | undefined {
  /** By instruction: the words, a bit each, that are set on all jumps to it. */
  const atTarget = filter.map(() => ALL_WORDS);
  const jumpTo = (target: number, words: number): void => {
    atTarget[target] = (atTarget[target] ?? ALL_WORDS) & words;
  };
  let words = 0;
  for (const [pc, insn] of filter.entries()) {
    words &= atTarget[pc] ?? ALL_WORDS;
    const row = classicRow(insn.code);
    if (row === undefined) continue;
    const { kind } = row.operation;
    if (kind === "store") words |= 1 << insn.k;
    else if (row.k === "scratch" && (words & (1 << insn.k)) === 0) return pc;
    else if (kind === "goto") {
      jumpTo(pc + 1 + insn.k, words);
      words = ALL_WORDS;
    } else if (kind === "jump") {
      jumpTo(pc + 1 + insn.jt, words);
      jumpTo(pc + 1 + insn.jf, words);
      words = ALL_WORDS;
    }
  }
  return undefined;
}

/** What is wrong with a filter, in the kernel's order; `undefined` if nothing is. */
export function checkFilter(filter: Filter, use: ClassicUse): Refusal | undefined {
  if (filter.length < 1 || filter.length > MAX_LENGTH) {
    return { insn: undefined, message: `${filter.length} instructions, but a filter has 1 to ${MAX_LENGTH}` };
  }
  for (const [insn, each] of filter.entries()) {
    const row = classicRow(each.code);
    if (row === undefined) return { insn, message: `code ${hex(each.code, 4)} is no instruction` };
    const message = operandProblem(row, each) ?? jumpProblem(row, each, filter.length - insn - 1);
    if (message !== undefined) return { insn, message };
  }
  const last = filter.length - 1;
  if (classicRow(filter[last]?.code ?? 0)?.operation.kind !== "return") {
    return { insn: last, message: "the last instruction is no return" };
  }
  const unset = uninitialised(filter);
  if (unset !== undefined) {
    return { insn: unset, message: `scratch word ${filter[unset]?.k ?? 0} may not have been set` };
  }
  if (use === "socket") return undefined;
  for (const [insn, each] of filter.entries()) {
    const row = classicRow(each.code);
    const message = row === undefined ? undefined : seccompProblem(row, each);
    if (message !== undefined) return { insn, message };
  }
  return undefined;
}
