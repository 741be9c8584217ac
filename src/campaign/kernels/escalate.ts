/**
 * From a bound that is wrong to memory that is not there: where a kernel takes a number for one that it is not, a few more instructions make 0 of it in the kernel's eyes
 * and 1 in truth, and that chooses between a map's value and what lies behind it. A kernel that accepts the longer program has a hole, whatever the bound was about.
 */
import type { LogBounds } from "../../oracle/linux/register-text.ts";
import type { Instruction } from "../../semantics/isa/instruction.ts";
import { insn, layOut } from "../../semantics/isa/make.ts";
import type { Program, Slots } from "../../semantics/program/program.ts";
import { without } from "../fuzz/reduce.ts";
import type { Escape, Problem } from "./log-walk.ts";
import { PROBE_MAPS, VALUE } from "./probe.ts";

const SIGN64 = 2n ** 63n;
const SIGN32 = 2n ** 31n;

const constant = (dst: number, x: bigint): Instruction =>
  insn("ld_imm64", {
    dst,
    imm: Number(BigInt.asIntN(32, x)),
    immHigh: Number(BigInt.asIntN(32, x >> 32n)),
  });

/** `a = a - b` or, turned round, `a = b - a`; then its highest bit, which is 0 as long as the difference is not negative. */
function highestBit(a: number, b: number, turned: boolean, bits: 32 | 64): readonly Instruction[] {
  const negate = turned ? [insn(`neg${bits}`, { dst: a })] : [];
  return [
    insn(`sub${bits}_reg`, { dst: a, src: b }),
    ...negate,
    insn(`rsh${bits}_imm`, { dst: a, imm: bits - 1 }),
  ];
}

interface Side {
  readonly bits: 32 | 64;
  readonly least: bigint;
  readonly most: bigint;
  readonly value: bigint;
}

/** The four intervals that the number may be outside of. */
function sidesOf(b: LogBounds, x: bigint): readonly Side[] {
  return [
    { bits: 64, least: b.umin, most: b.umax, value: x },
    { bits: 64, least: b.smin, most: b.smax, value: BigInt.asIntN(64, x) },
    { bits: 32, least: b.umin32, most: b.umax32, value: BigInt.asUintN(32, x) },
    { bits: 32, least: b.smin32, most: b.smax32, value: BigInt.asIntN(32, x) },
  ];
}

/** Makes of `from`, in `a`, a number that the kernel takes for 0 and that is 1. `undefined` if no way is known. */
function difference(
  { register: from, bounds, value }: Escape,
  a: number,
  b: number,
): readonly Instruction[] | undefined {
  const copy = insn("mov64_reg", { dst: a, src: from });
  if ((value & ~bounds.mask) !== bounds.value) {
    // Bits that are known: all but them are cleared, and what is left differs.
    return [
      copy,
      constant(b, ~bounds.mask & (2n ** 64n - 1n)),
      insn("and64_reg", { dst: a, src: b }),
      constant(b, bounds.value),
      insn("xor64_reg", { dst: a, src: b }),
      insn("mov64_reg", { dst: b, src: a }),
      insn("neg64", { dst: b }),
      insn("or64_reg", { dst: a, src: b }),
      insn("rsh64_imm", { dst: a, imm: 63 }),
    ];
  }
  for (const { bits, least, most, value: x } of sidesOf(bounds, value)) {
    const half = bits === 64 ? SIGN64 : SIGN32;
    if (most - least >= half) continue;
    if (x > most && x - most < half) return [copy, constant(b, most), ...highestBit(a, b, true, bits)];
    if (x < least && least - x < half) return [copy, constant(b, least), ...highestBit(a, b, false, bits)];
  }
  return undefined;
}

const isJump = ({ row: { operation } }: Instruction): boolean =>
  operation.kind === "jump" || operation.kind === "goto" || operation.kind === "may_goto";

/** Which field holds how far an instruction leads, if any does. */
function distanceIn(instruction: Instruction): "off" | "imm" | undefined {
  const { operation } = instruction.row;
  if (isJump(instruction)) return operation.kind === "goto" && operation.wide ? "imm" : "off";
  return operation.kind === "call" && operation.callee === "subprogram" ? "imm" : undefined;
}

/** The program with more slots before one of its own; jumps to that go past them. */
function inserted(program: Program, slot: number, added: Slots): Program {
  const place = (old: number): number => (old >= slot ? old + added.length : old);
  const made = program.insns.map((instruction, at): Instruction | undefined => {
    const field = instruction === undefined ? undefined : distanceIn(instruction);
    if (instruction === undefined || field === undefined) return instruction;
    return { ...instruction, [field]: place(at + 1 + instruction[field]) - (place(at) + 1) };
  });
  const functions = program.functions.map((each) => ({ ...each, insn: place(each.insn) }));
  return { ...program, insns: [...made.slice(0, slot), ...added, ...made.slice(slot)], functions };
}

/** The program without instructions that nothing leads to: kernels refuse programs that have such. */
function reachable(program: Program): Program {
  const { insns } = program;
  const seen = new Set<number>();
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const instruction = insns[at];
    if (instruction === undefined || seen.has(at)) continue;
    seen.add(at);
    const { operation } = instruction.row;
    const field = distanceIn(instruction);
    if (field !== undefined) open.push(at + 1 + instruction[field]);
    if (operation.kind !== "exit" && operation.kind !== "goto") {
      open.push(at + (insns[at + 1] === undefined ? 2 : 1));
    }
  }
  let kept = program;
  for (let at = insns.length - 1; at >= 0; at -= 1) {
    if (insns[at] !== undefined && !seen.has(at)) kept = without(kept, at) ?? kept;
  }
  return kept;
}

/**
 * Comparisons after which nothing is done, where they hold: they keep away other states that the kernel has at the same place, as where it takes a number for one of two, and
 * do not keep away the number that there is.
 */
function guards({ register: dst, value }: Escape): readonly (readonly Instruction[])[] {
  const over = BEHIND_GUARD;
  const all: readonly (readonly [Instruction, boolean])[] = [
    [insn("jslt64_imm", { dst, imm: 0, off: over }), BigInt.asIntN(64, value) < 0n],
    [insn("jslt32_imm", { dst, imm: 0, off: over }), BigInt.asIntN(32, value) < 0n],
    [insn("jgt64_imm", { dst, imm: 0xffff, off: over }), value > 0xffffn],
    [insn("jsge64_imm", { dst, imm: 0, off: over }), BigInt.asIntN(64, value) >= 0n],
  ];
  return [[], ...all.flatMap(([guard, holds]) => (holds ? [] : [[guard]]))];
}

/** A guard leads over the goto behind it, to an end; the goto leads past that. */
const BEHIND_GUARD = 1;
const END: readonly Instruction[] = [
  insn("goto", { off: 2 }),
  insn("mov64_imm", { dst: 0, imm: 0 }),
  insn("exit"),
];

/**
 * Programs that go on behind the wrong bound with an access that the kernel may take for one of the map's value, and that is one behind it; none if no such program
 * is known for the bound.
 */
export function escalations(program: Program, problem: Problem): readonly Program[] {
  const known = problem.escapes.filter(({ register }) => register <= 9);
  return known.flatMap((escape) =>
    guards(escape).flatMap((guard) => {
      const longer = escalated(program, problem, escape, guard.length === 0 ? [] : [...guard, ...END]);
      return longer === undefined ? [] : [longer];
    }),
  );
}

function escalated(
  program: Program,
  { pc, last }: Problem,
  escape: Escape,
  guard: readonly Instruction[],
): Program | undefined {
  const [a = 1, b = 2, memory = 3] = [1, 2, 3, 4].filter((register) => register !== escape.register);
  const code = difference(escape, a, b);
  const before = program.insns[last];
  if (code === undefined || before === undefined) return undefined;
  const block = layOut([
    ...guard,
    ...code,
    insn("lsh64_imm", { dst: a, imm: Math.log2(VALUE) }),
    insn("ld_imm64_map_value", { dst: memory, imm: program.maps.length }),
    insn("add64_reg", { dst: memory, src: a }),
    insn("ldxdw", { dst: 0, src: memory, off: 0 }),
    insn("mov64_imm", { dst: 0, imm: 0 }),
    insn("exit"),
  ]);
  const longer = {
    ...program,
    maps: [...program.maps, ...PROBE_MAPS.map((map) => ({ ...map, name: "behind" }))],
  };
  const next = last + (program.insns[last + 1] === undefined ? 2 : 1);
  // Whoever comes from the instruction before falls into the block; who jumps goes past it.
  if (pc === next) return reachable(inserted(longer, next, block));
  const field = distanceIn(before);
  if (field === undefined || !isJump(before) || pc !== last + 1 + before[field]) return undefined;
  // Who falls through goes past it, and the jump leads into it.
  const around = inserted(longer, pc, [insn("goto", { off: block.length }), ...block]);
  const at = last >= pc ? last + block.length + 1 : last;
  return reachable({
    ...around,
    insns: around.insns.map((each, i) => (i === at ? { ...before, [field]: pc + 1 - (at + 1) } : each)),
  });
}
