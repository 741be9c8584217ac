/**
 * Instructions as text, in the notation of the kernel's verifier log: `(07) r1 += 4`. `assemble` reads what this prints.
 *
 * Where the kernel's log has addresses or BTF names, the text refers to the program instead: `map[0]` and `map_value[0]+8` (the
 * program's maps, by position or name), `map_idx[0]` (the loader's array of descriptors), `btf_id[5, 0]`, `func pc+3`, and
 * `kfunc#5` (with `@1` for the module that the call's `off` chooses).
 */
import { HELPER_NAMES } from "../helpers/names.ts";
import type { FunctionInfo, Slots } from "../program/program.ts";
import type { Instruction } from "./instruction.ts";
import { type Operand, syntaxOf } from "./syntax.ts";
import { canBeLabel } from "./tokens.ts";

interface InstructionText {
  /** Whether the opcode comes first, as in the kernel's log (the default). Without it a 16-byte constant ends in `ll`. */
  readonly opcodes?: boolean;
  /** Names the maps; without them a map is its position. */
  readonly maps?: readonly { readonly name: string }[];
  /** The name of a kernel function, by its BTF id and the module that `off` chooses. */
  readonly kfunc?: (id: number, off: number) => string | undefined;
}

interface ProgramText extends InstructionText {
  /** Labels for jumps and calls in place of `pc+3`, and neither numbers nor opcodes before instructions. */
  readonly labels?: boolean;
  /** Names the labels of subprograms. */
  readonly functions?: readonly FunctionInfo[];
  /** What to say about the instruction in a slot; it follows the text after `;`. */
  readonly comment?: (slot: number) => string | undefined;
}

/** Text of a jump by a distance of slots. */
type Target = (distance: number) => string;

const signed = (value: number): string => (value < 0 ? `${value}` : `+${value}`);
const relative: Target = (distance) => `pc${signed(distance)}`;
const unsigned = (value: number): number => value >>> 0;

/** A map's name if it can be told from a position and from another map's name. */
function mapName(index: number, maps: InstructionText["maps"]): string {
  const name = maps?.[index]?.name;
  const usable =
    name !== undefined &&
    /^[A-Za-z_.][\w.]*$/.test(name) &&
    maps?.filter((m) => m.name === name).length === 1;
  return usable ? name : `${index}`;
}

function helperName(id: number): string {
  const name = id > 0 ? HELPER_NAMES[id] : undefined;
  return name === undefined ? "unknown" : `bpf_${name}`;
}

const PRINT: Record<Operand, (i: Instruction, target: Target, options: InstructionText) => string> = {
  dst: (i) => `r${i.dst}`,
  src: (i) => `r${i.src}`,
  wdst: (i) => `w${i.dst}`,
  wsrc: (i) => `w${i.src}`,
  imm: (i) => `${i.imm}`,
  bits: (i) => `${i.imm}`,
  hex: (i) => `0x${unsigned(i.imm).toString(16)}`,
  imm64: (i, _, options) => {
    const value = (BigInt(unsigned(i.immHigh)) << 32n) | BigInt(unsigned(i.imm));
    return `0x${value.toString(16)}${options.opcodes === false ? " ll" : ""}`;
  },
  second: (i) => `${i.immHigh}`,
  high: (i) => `+${unsigned(i.immHigh)}`,
  offset: (i) => signed(i.off),
  target: (i, target) => target(i.off),
  wide: (i, target) => target(i.imm),
  helper: (i) => `${helperName(i.imm)}#${i.imm}`,
  kfunc: (i, _, options) => {
    const name = options.kfunc?.(i.imm, i.off) ?? "kfunc";
    return `${name}#${i.imm}${i.off === 0 ? "" : `@${i.off}`}`;
  },
  ksym: (i) => `${i.imm}`,
  map: (i, _, options) => mapName(i.imm, options.maps),
  spaces: (i) => `${i.imm >>> 16}, ${i.imm & 0xffff}`,
};

function textOf(instruction: Instruction, target: Target, options: InstructionText): string {
  const text = syntaxOf(instruction.row)
    .map((part) => ("text" in part ? part.text : PRINT[part.operand](instruction, target, options)))
    .join("");
  if (options.opcodes === false) return text;
  return `(${instruction.row.opcode.toString(16).padStart(2, "0")}) ${text}`;
}

/** One instruction, as the kernel's log prints it. */
export function disassembleInstruction(instruction: Instruction, options: InstructionText = {}): string {
  return textOf(instruction, relative, options);
}

/** The distance in slots at which an instruction goes on, if its text names one. */
function distanceOf(instruction: Instruction): number | undefined {
  for (const part of syntaxOf(instruction.row)) {
    if ("text" in part) continue;
    if (part.operand === "target") return instruction.off;
    if (part.operand === "wide") return instruction.imm;
  }
  return undefined;
}

/** The labels of all slots that an instruction refers to; a subprogram's is its name if there is one that no other label has. */
function labelsOf(slots: Slots, functions: readonly FunctionInfo[]): ReadonlyMap<number, string> {
  const targets = new Set<number>();
  slots.forEach((instruction, slot) => {
    const distance = instruction === undefined ? undefined : distanceOf(instruction);
    if (distance !== undefined && slots[slot + 1 + distance] !== undefined) targets.add(slot + 1 + distance);
  });
  const labels = new Map<number, string>();
  const taken = new Set<string>();
  for (const { insn, name } of functions) {
    // `call bpf_x` would be read as a helper; `L3` is what the other labels are called.
    if (!canBeLabel(name) || /^bpf_|^L\d+$/.test(name)) continue;
    if (!targets.has(insn) || labels.has(insn) || taken.has(name)) continue;
    labels.set(insn, name);
    taken.add(name);
  }
  for (const slot of targets) if (!labels.has(slot)) labels.set(slot, `L${slot}`);
  return labels;
}

/**
 * A whole program, an instruction a line. By default as the kernel numbers them, `0: (b7) r0 = 0`; with `labels`, as a person
 * would write it. Every line ends in a line feed.
 */
export function disassemble(slots: Slots, options: ProgramText = {}): string {
  const labels = options.labels === true ? labelsOf(slots, options.functions ?? []) : undefined;
  const lines: string[] = [];
  slots.forEach((instruction, slot) => {
    if (instruction === undefined) return;
    const target: Target = (distance) => labels?.get(slot + 1 + distance) ?? relative(distance);
    const label = labels?.get(slot);
    if (label !== undefined) lines.push(`${label}:`);
    const text = textOf(instruction, target, {
      ...options,
      opcodes: labels === undefined && options.opcodes !== false,
    });
    const comment = options.comment?.(slot);
    const prefix = labels === undefined ? `${slot}: ` : "  ";
    lines.push(`${prefix}${text}${comment === undefined ? "" : ` ; ${comment}`}`);
  });
  return lines.map((line) => `${line}\n`).join("");
}
