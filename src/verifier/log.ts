/**
 * The verifier's log in the kernel's format: the instructions as they are processed, what they did to the registers and slots that
 * they touched, source lines, and the closing line. Tools that read the kernel's log read this one.
 *
 * Level 1 shows the path that was refused, level 2 every path.
 */
import { isConstant, KIND, kindOf, objectOf, offOf, smallConstant } from "../absint/register.ts";
import { depthOf, FP, frameCount } from "../absint/state.ts";
import { globalCallee } from "../absint/transfer/call/global.ts";
import type { GlobalFunction } from "../absint/transfer/global-functions.ts";
import { type Machine, register } from "../absint/transfer/machine.ts";
import { disassembleInstruction } from "../semantics/isa/disassemble.ts";
import type { Instruction } from "../semantics/isa/instruction.ts";
import type { Program, SourceLine } from "../semantics/program/program.ts";
import type { ExplorationObserver } from "./exploration.ts";
import { INSN_LIMIT } from "./explore.ts";
import { frameText, registerText, slotText } from "./print-state.ts";
import type { Statistics, Verdict } from "./verdict.ts";

export type LogLevel = 1 | 2;

/** The registers an instruction names, with r10 where it goes through memory. */
function touched(insn: Instruction): number[] {
  const { operation } = insn.row;
  switch (operation.kind) {
    case "alu":
      return operation.operand === "reg" ? [insn.src, insn.dst] : [insn.dst];
    case "jump":
      return operation.operand === "reg" ? [insn.src, insn.dst] : [insn.dst];
    case "load":
    case "load_acquire":
    case "atomic":
    case "store_release":
      return [insn.dst, insn.src];
    case "store":
      return operation.operand === "reg" ? [insn.dst, insn.src] : [insn.dst];
    case "ld_imm64":
      return [insn.dst];
    case "call":
    case "packet":
    case "exit":
      return [0];
    default:
      return [];
  }
}

/** The slot that a memory instruction reaches through a pointer to its own frame's stack. */
function touchedSlot(m: Machine, insn: Instruction, base: number): number | undefined {
  const at = register(m, base);
  if (kindOf(at) !== KIND.stack || objectOf(at) !== frameCount(m.state) - 1 || !isConstant(at))
    return undefined;
  const off = offOf(at) + insn.off + (smallConstant(at) ?? 0);
  const slot = (-off - 1) >> 3;
  return slot >= 0 && slot < depthOf(m.state, frameCount(m.state) - 1) ? slot : undefined;
}

const baseRegister = (insn: Instruction): number | undefined => {
  switch (insn.row.operation.kind) {
    case "load":
    case "load_acquire":
      return insn.src;
    case "store":
    case "store_release":
    case "atomic":
      return insn.dst;
    default:
      return undefined;
  }
};

/** What follows the instruction in its line is aligned to column 38, or to the next multiple of eight that leaves a gap. */
function padded(text: string): string {
  const used = text.length + 1;
  const column = Math.ceil(Math.max(used + 4, 40) / 8) * 8;
  return text.padEnd(column - 2);
}

const sourceText = ({ text, file, line }: SourceLine): string =>
  `; ${text.trim()} @ ${file.split("/").at(-1) ?? file}:${line}`;

/** Collects a log while a program is explored. */
export class VerifierLog implements ExplorationObserver {
  readonly #program: Program;
  readonly #level: LogLevel;
  readonly #lines: string[] = [];
  /** What the instruction in a line did, by the line's index. */
  readonly #effects = new Map<number, string>();
  #sourceShown = "";
  /** A path of which nothing is executed yet: where its lines begin, and the jump that it left the others at. */
  #begun: { readonly line: number; readonly from: number } | undefined;
  #depth = 0;
  /** The innermost frame before the instruction, if it is a return to another. */
  #returning = "";

  constructor(program: Program, level: LogLevel) {
    this.#program = program;
    this.#level = level;
  }

  before(m: Machine): void {
    this.#begun = undefined;
    const line = this.#program.lines.findLast(({ insn }) => insn <= m.pc);
    const source = line === undefined || line.text === "" ? "" : sourceText(line);
    if (source !== "" && source !== this.#sourceShown) this.#lines.push(source);
    this.#sourceShown = source;
    const insn = this.#program.insns[m.pc];
    if (insn !== undefined) this.#lines.push(`${m.pc}: ${this.#instruction(insn)}`);
    this.#depth = frameCount(m.state);
    const returns = this.#depth > 1 && insn?.row.operation.kind === "exit";
    if (returns) this.#returning = frameText(m, this.#depth - 1);
  }

  after(m: Machine, pc: number): void {
    const insn = this.#program.insns[pc];
    if (insn === undefined) return;
    const depth = frameCount(m.state);
    if (depth > this.#depth) {
      const callee = frameText(m, depth - 1);
      this.#lines.push("caller:", frameText(m, depth - 2), "callee:", callee, `${m.pc}:${callee}`);
      return;
    }
    if (depth < this.#depth) {
      this.#lines.push(
        "returning from callee:",
        this.#returning,
        `to caller at ${m.pc}:`,
        frameText(m, depth - 1),
      );
      if (this.#level === 2) this.#lines.push(`\nfrom ${pc} to ${m.pc}:${frameText(m, depth - 1)}`);
      return;
    }
    const called = globalCallee(m, insn, pc);
    const parts = this.#effect(m, insn);
    if (called !== undefined) {
      const text = `Func#${called.number} ('${called.name}') is global and assumed valid.`;
      this.#lines.push(text, `${m.pc}: ${parts.join(" ")}`);
      return;
    }
    if (parts.length === 0) return;
    const frame = depth > 1 ? ` frame${depth - 1}:` : "";
    this.#effects.set(this.#lines.length - 1, `;${frame} ${parts.join(" ")}`);
  }

  /** As the kernel: nothing is said of the state that an exit leaves, and little of a path that is covered where it begins. */
  pathEnds(m: Machine, why: "exit" | "covered"): void {
    if (why === "exit") this.#effects.delete(this.#lines.length - 1);
    else if (this.#begun === undefined) this.#lines.push(`${m.pc}: safe`);
    else {
      this.#lines.length = this.#begun.line;
      this.#lines.push(`\nfrom ${this.#begun.from} to ${m.pc}: safe`);
    }
  }

  /** Called when the line of the jump stands last. */
  fork(): number {
    return this.#lines.length;
  }

  pathBegins(m: Machine, from: number, mark: number | undefined): void {
    const state = `${m.pc}:${frameText(m, frameCount(m.state) - 1)}`;
    if (this.#level === 1 && mark !== undefined) {
      // What is known to be safe is left out, but for the way to the fork.
      for (let i = mark - 1; i < this.#lines.length; i += 1) this.#effects.delete(i);
      this.#lines.length = mark;
      this.#lines[mark - 1] += ` ${state}`;
    } else {
      if (from >= 0) {
        this.#begun = { line: this.#lines.length, from };
        this.#lines.push(`\nfrom ${from} to ${state}`);
      }
      this.#lines.push(state);
      this.#sourceShown = "";
    }
  }

  /** At level 1 nothing is shown any more of what has been found to be safe. */
  rootBegins({ name, number }: GlobalFunction): void {
    if (this.#level === 1) {
      this.#lines.length = 0;
      this.#effects.clear();
    }
    this.#lines.push(`Validating ${name}() func#${number}...`);
  }

  rootEnds({ name, number }: GlobalFunction): void {
    this.#lines.push(`Func#${number} ('${name}') is safe for any args that match its prototype`);
  }

  #instruction(insn: Instruction): string {
    return disassembleInstruction(insn, { maps: this.#program.maps });
  }

  #effect(m: Machine, insn: Instruction): string[] {
    const frame = frameCount(m.state) - 1;
    const base = baseRegister(insn);
    const shown = [...new Set(touched(insn))].sort((a, b) => a - b);
    const parts = shown
      .filter((r) => r <= FP && kindOf(register(m, r)) !== KIND.none)
      .map((r) => `R${r}=${registerText(m, register(m, r), frame)}`);
    const slot = base === undefined ? undefined : touchedSlot(m, insn, base);
    const text = slot === undefined ? undefined : slotText(m, frame, slot);
    return text === undefined ? parts : [...parts, text];
  }

  /** The log's text, with the verdict's message and the closing line. */
  finish(verdict: Verdict): string {
    const message =
      verdict.verdict === "reject"
        ? [verdict.message]
        : verdict.verdict === "unsupported"
          ? [`unsupported: ${verdict.feature}`]
          : [];
    // What is wrong with the program as a whole is on no path.
    const whole = this.#level === 1 && verdict.verdict === "reject" && verdict.insn === undefined;
    const lines = (whole ? [] : this.#lines).map((text, i) => {
      const effect = this.#effects.get(i);
      return effect === undefined ? text : padded(text) + effect;
    });
    return [...lines, ...message, closingLine(verdict.statistics)].map((line) => `${line}\n`).join("");
  }
}

/** The kernel's closing line. */
export function closingLine({ processed, maxStatesPerInsn, totalStates, peakStates }: Statistics): string {
  return `processed ${processed} insns (limit ${INSN_LIMIT}) max_states_per_insn ${maxStatesPerInsn} total_states ${totalStates} peak_states ${peakStates} mark_read 0`;
}
