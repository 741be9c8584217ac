/**
 * The extensions nlattr and nlattr_nest as eBPF: the search among netlink attributes that Linux has a function for, as a loop (`attributes.ts` says what is looked for). `may_goto` bounds it: it
 * allows for more passages than a packet has room for attributes, and the verifier needs no other reason that it ends. Linux has that from 6.9 on.
 */
import { HELPER_NAMES } from "../helpers/names.ts";
import type { Instruction } from "../isa/instruction.ts";
import { insn } from "../isa/make.ts";
import { REGISTERS } from "./registers.ts";

const { A, X, CONTEXT, NUMBER, STACK } = REGISTERS;
/** The offset of the attribute that is looked at, and where the attributes end. */
const AT = 8;
const END = 9;
const LENGTH = 1;
/** Below the scratch words. */
const HEADER = -72;
const HEADER_BYTES = 4;
const TYPE_MASK = 0x3fff;

type Label = "loop" | "none" | "found" | "end";

/** An instruction; a jump to a label, whose distance is not known yet; or a label. */
type Line =
  | Instruction
  | { readonly jump: string; readonly operands?: Partial<Instruction>; readonly to: Label }
  | { readonly label: Label };

const SKB_LEN = 0;

/** Loads the header at `AT` to the stack, its length to `LENGTH`. */
const LOAD_HEADER: readonly Line[] = [
  insn("mov64_reg", { dst: 1, src: CONTEXT }),
  insn("mov64_reg", { dst: 2, src: AT }),
  insn("mov64_reg", { dst: 3, src: STACK }),
  insn("add64_imm", { dst: 3, imm: HEADER }),
  insn("mov32_imm", { dst: 4, imm: HEADER_BYTES }),
  insn("call_helper", { imm: HELPER_NAMES.indexOf("skb_load_bytes") }),
  { jump: "jne64_imm", operands: { dst: A }, to: "none" },
  insn("ldxh", { dst: LENGTH, src: STACK, off: HEADER }),
];

/** Ends the search if the attribute reaches past the end. */
const FITS: readonly Line[] = [
  insn("mov64_reg", { dst: NUMBER, src: END }),
  insn("sub64_reg", { dst: NUMBER, src: AT }),
  { jump: "jgt64_reg", operands: { dst: LENGTH, src: NUMBER }, to: "none" },
];

/** From the attribute at A to those inside of it. */
const ENTER: readonly Line[] = [
  ...LOAD_HEADER,
  ...FITS,
  insn("mov64_reg", { dst: END, src: AT }),
  insn("add64_reg", { dst: END, src: LENGTH }),
  insn("add64_imm", { dst: AT, imm: HEADER_BYTES }),
];

const search = (nested: boolean): readonly Line[] => [
  insn("mov64_reg", { dst: AT, src: A }),
  insn("ldxw", { dst: END, src: CONTEXT, off: SKB_LEN }),
  { jump: "jlt64_imm", operands: { dst: END, imm: HEADER_BYTES }, to: "none" },
  insn("mov64_reg", { dst: LENGTH, src: END }),
  insn("add64_imm", { dst: LENGTH, imm: -HEADER_BYTES }),
  { jump: "jgt64_reg", operands: { dst: AT, src: LENGTH }, to: "none" },
  ...(nested ? ENTER : []),
  { label: "loop" },
  { jump: "may_goto", to: "none" },
  insn("mov64_reg", { dst: LENGTH, src: AT }),
  insn("add64_imm", { dst: LENGTH, imm: HEADER_BYTES }),
  { jump: "jgt64_reg", operands: { dst: LENGTH, src: END }, to: "none" },
  ...LOAD_HEADER,
  { jump: "jlt64_imm", operands: { dst: LENGTH, imm: HEADER_BYTES }, to: "none" },
  ...FITS,
  insn("ldxh", { dst: NUMBER, src: STACK, off: HEADER + 2 }),
  insn("and32_imm", { dst: NUMBER, imm: TYPE_MASK }),
  { jump: "jeq64_reg", operands: { dst: NUMBER, src: X }, to: "found" },
  // The next one begins at a multiple of four.
  insn("add64_imm", { dst: LENGTH, imm: 3 }),
  insn("and64_imm", { dst: LENGTH, imm: -4 }),
  insn("add64_reg", { dst: AT, src: LENGTH }),
  { jump: "goto", to: "loop" },
  { label: "none" },
  insn("mov32_imm", { dst: A }),
  { jump: "goto", to: "end" },
  { label: "found" },
  insn("mov64_reg", { dst: A, src: AT }),
  { label: "end" },
];

/** The instructions; what follows them is where the search ends. */
export function attributeCode(nested: boolean): readonly Instruction[] {
  const places = new Map<Label, number>();
  const lines: Exclude<Line, { readonly label: Label }>[] = [];
  for (const line of search(nested)) {
    if ("label" in line) places.set(line.label, lines.length);
    else lines.push(line);
  }
  return lines.map((line, index) => {
    if (!("jump" in line)) return line;
    const target = places.get(line.to);
    if (target === undefined) throw new Error(`no label ${line.to}`);
    return insn(line.jump, { ...line.operands, off: target - index - 1 });
  });
}
