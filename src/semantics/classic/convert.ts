/**
 * Classic filters as eBPF, as Linux makes it of them when they are attached: A is r0, X is r7, the context stays in r6, scratch words are on the stack, and r2 is for
 * numbers that no immediate holds.
 *
 * Linux's own form is made behind the verifier's back, and may do what a loaded program may not. This one can be loaded, so it differs: the registers are set to 0 by
 * moves (an exclusive or of a register that was never written is refused); loads of the packet are the legacy instructions, which Linux replaces in either
 * case; the extensions read `__sk_buff` and call helpers where Linux reads `struct sk_buff` and calls functions of its own; a search for netlink
 * attributes is a loop (`convert-attributes.ts`) where Linux calls a function; instructions that no path reaches are left out, since a verifier refuses
 * them. A filter of system calls becomes a raw_tracepoint program: Linux has no type for them, and this one gets numbers as its context, which it may read in
 * any size, and may return any number.
 */
import { InputError, Unsupported } from "../errors.ts";
import type { Instruction } from "../isa/instruction.ts";
import { insn } from "../isa/make.ts";
import type { Program } from "../program/program.ts";
import { type ClassicUse, checkFilter } from "./check.ts";
import { extensionCode } from "./convert-extensions.ts";
import { extensionOf } from "./extensions.ts";
import type { ClassicInstruction, ClassicRow, Filter } from "./instruction.ts";
import { reachable } from "./reachable.ts";
import { REGISTERS, scratchOffset } from "./registers.ts";
import { SECCOMP_DATA_SIZE } from "./seccomp.ts";
import { classicRow } from "./table.ts";

const { A, X, CONTEXT, NUMBER } = REGISTERS;
/** `len` of `__sk_buff`. */
const SKB_LEN = 0;

/** A jump to a classic instruction, whose distance is not known yet. */
interface Jump {
  readonly row: string;
  readonly operands: Partial<Omit<Instruction, "row" | "off">>;
  readonly target: number;
}

/** What an instruction becomes. */
type Part = Instruction | Jump;

const isJump = (part: Part): part is Jump => "target" in part;

const PROLOGUE: readonly Instruction[] = [
  insn("mov32_imm", { dst: A }),
  insn("mov32_imm", { dst: X }),
  insn("mov64_reg", { dst: CONTEXT, src: 1 }),
];

const NOT: Readonly<Record<string, string>> = { jeq: "jne", jgt: "jle", jge: "jlt" };

function conditional(row: ClassicRow, { jt, jf, k }: ClassicInstruction, pc: number): readonly Part[] {
  const [taken, other] = [pc + 1 + jt, pc + 1 + jf];
  const op = row.mnemonic;
  // Immediates are signed: a large one goes through a register, whose upper half is 0.
  const large = row.operand === "immediate" && k > 0x7fff_ffff;
  const number = large ? [insn("mov32_imm", { dst: NUMBER, imm: k | 0 })] : [];
  const operand = row.operand === "immediate" && !large ? "imm" : "reg";
  const src = large ? NUMBER : X;
  const operands = operand === "imm" ? { dst: A, imm: k } : { dst: A, src };
  const jump = (name: string, target: number): Jump => ({ row: `${name}64_${operand}`, operands, target });
  if (jf === 0) return [...number, jump(op, taken)];
  const opposite = NOT[op];
  if (jt === 0 && opposite !== undefined) return [...number, jump(opposite, other)];
  return [...number, jump(op, taken), { row: "goto", operands: {}, target: other }];
}

const SIZE_SUFFIX = { 1: "b", 2: "h", 4: "w" } as const;

function arithmetic(row: ClassicRow, k: number): readonly Instruction[] {
  if (row.operand === "none") return [insn("neg32", { dst: A })];
  if (row.operand === "immediate") return [insn(`${row.mnemonic}32_imm`, { dst: A, imm: k | 0 })];
  const made = insn(`${row.mnemonic}32_reg`, { dst: A, src: X });
  if (row.operation.kind !== "set" || row.operation.ends === undefined) return [made];
  return [insn("jne64_imm", { dst: X, off: 2 }), insn("mov32_imm", { dst: A }), insn("exit"), made];
}

/** Loads of registers that are neither from the packet nor arithmetic. */
function setting(row: ClassicRow, k: number, use: ClassicUse): readonly Instruction[] {
  const to = row.operation.kind === "set" && row.operation.to === "x" ? X : A;
  switch (row.name) {
    case "ld_len":
    case "ldx_len":
      return use === "seccomp"
        ? [insn("mov32_imm", { dst: to, imm: SECCOMP_DATA_SIZE })]
        : [insn("ldxw", { dst: to, src: CONTEXT, off: SKB_LEN })];
    case "ld_imm":
    case "ldx_imm":
      return [insn("mov32_imm", { dst: to, imm: k | 0 })];
    case "ld_mem":
    case "ldx_mem":
      return [insn("ldxw", { dst: to, src: REGISTERS.STACK, off: scratchOffset(k) })];
    case "tax":
      return [insn("mov64_reg", { dst: X, src: A })];
    case "txa":
      return [insn("mov64_reg", { dst: A, src: X })];
    default:
      return arithmetic(row, k);
  }
}

function packetLoad(row: ClassicRow, size: 1 | 2 | 4, k: number): readonly Instruction[] {
  if (row.operand === "indirect") return [insn(`ldind${SIZE_SUFFIX[size]}`, { src: X, imm: k | 0 })];
  const load = insn(`ldabs${SIZE_SUFFIX[size]}`, { imm: k | 0 });
  if (row.operand === "absolute") return [load];
  // A is in the load's way: X, which is about to change, keeps it.
  return [
    insn("mov64_reg", { dst: X, src: A }),
    load,
    insn("and32_imm", { dst: A, imm: 15 }),
    insn("lsh32_imm", { dst: A, imm: 2 }),
    insn("mov64_reg", { dst: NUMBER, src: X }),
    insn("mov64_reg", { dst: X, src: A }),
    insn("mov64_reg", { dst: A, src: NUMBER }),
  ];
}

function partsOf(each: ClassicInstruction, pc: number, use: ClassicUse): readonly Part[] {
  const row = classicRow(each.code);
  if (row === undefined) throw new Error(`code ${each.code} passed the checker`);
  const { k } = each;
  const { operation } = row;
  const extension = use === "socket" ? extensionOf(each) : undefined;
  if (extension !== undefined) return extensionCode(extension.name);
  switch (operation.kind) {
    case "set":
      return setting(row, k, use);
    case "packet":
      return use === "seccomp"
        ? [insn("ldxw", { dst: A, src: CONTEXT, off: k })]
        : packetLoad(row, operation.size, k);
    case "store":
      return [insn("stxw", { dst: REGISTERS.STACK, src: row.name === "st" ? A : X, off: scratchOffset(k) })];
    case "jump":
      return conditional(row, each, pc);
    case "goto":
      return [{ row: "goto", operands: {}, target: pc + 1 + k }];
    case "return":
      return row.operand === "a" ? [insn("exit")] : [insn("mov32_imm", { dst: A, imm: k | 0 }), insn("exit")];
    default:
      return operation satisfies never;
  }
}

/** As far as a jump goes. */
const FARTHEST = 0x7fff;

/**
 * The filter as eBPF instructions.
 *
 * @throws InputError  for a filter that the checker refuses
 * @throws Unsupported  for an extension that a loaded program cannot express, which it names
 */
function convertInstructions(filter: Filter, use: ClassicUse): readonly Instruction[] {
  const refusal = checkFilter(filter, use);
  if (refusal !== undefined) {
    const { insn: at, message } = refusal;
    throw new InputError(at === undefined ? message : `insn ${at}: ${message}`);
  }
  const reached = reachable(filter);
  const parts = filter.map((each, pc) => (reached[pc] === true ? partsOf(each, pc, use) : []));
  const starts: number[] = [];
  let length = PROLOGUE.length;
  for (const made of parts) {
    starts.push(length);
    length += made.length;
  }
  const laid = parts.flatMap((made, pc) =>
    made.map((part, index): Instruction => {
      if (!isJump(part)) return part;
      const off = (starts[part.target] ?? 0) - (starts[pc] ?? 0) - index - 1;
      if (off > FARTHEST) throw new Unsupported(`a jump over ${off} instructions of eBPF`);
      return insn(part.row, { ...part.operands, off });
    }),
  );
  return [...PROLOGUE, ...laid];
}

/** The filter as a program that can be verified, run and loaded. @throws InputError, Unsupported  as for the instructions */
export function convertFilter(name: string, filter: Filter, use: ClassicUse): Program {
  return {
    name,
    type: use === "seccomp" ? "raw_tracepoint" : "socket_filter",
    license: "GPL",
    flags: [],
    insns: convertInstructions(filter, use),
    maps: [],
    lines: [],
    functions: [],
  };
}
