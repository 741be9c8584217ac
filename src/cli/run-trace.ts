/** A run step by step: each instruction with the registers that it changed, in the manner of the kernel's log. */
import { disassembleInstruction } from "../semantics/isa/disassemble.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Observer } from "../vm/machine.ts";
import type { Content, View } from "../vm/view.ts";
import { out, outJson, paint, printable } from "./terminal.ts";

interface Trace {
  readonly observe: Observer;
  /** To be called after the run: prints what is still held back. */
  readonly end: () => void;
}

const REGISTERS = 11;

function contentText(content: Content): string {
  switch (content.kind) {
    case "uninitialised":
      return "?";
    case "number":
      return content.value < 10n ? `${content.value}` : `0x${content.value.toString(16)}`;
    case "pointer": {
      const { place } = content.region;
      const what =
        place.kind === "map_value" || place.kind === "map" ? `${place.kind}(${place.map})` : place.kind;
      return `${what}${content.offset < 0 ? content.offset : `+${content.offset}`}`;
    }
  }
}

function registersOf(view: View): readonly string[] {
  return Array.from({ length: REGISTERS }, (_, register) => contentText(view.register(register)));
}

/** `R0`, … with their contents, where they differ from `before`. */
function changes(before: readonly string[], after: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    after.flatMap((text, register) => (text === before[register] ? [] : [[`R${register}`, text]])),
  );
}

interface Step {
  readonly pc: number;
  readonly program: string;
  readonly text: string;
}

/** What an instruction did is known when the next one begins: each step is shown one late. */
function trace(
  program: Program,
  show: (step: Step, changed: Readonly<Record<string, string>>) => void,
): Trace {
  let pending: Step | undefined;
  let before: readonly string[] = Array.from({ length: REGISTERS }, () => "?");
  const flush = (after: readonly string[]): void => {
    if (pending !== undefined) show(pending, changes(before, after));
    before = after;
  };
  return {
    observe: (pc, view) => {
      const registers = registersOf(view);
      if (pending === undefined)
        show({ pc: -1, program: program.name, text: "" }, changes(before, registers));
      flush(registers);
      const insn = view.program === program.name ? program.insns[pc] : undefined;
      const text = insn === undefined ? "" : disassembleInstruction(insn, { maps: program.maps });
      pending = { pc, program: view.program, text };
    },
    end: () => flush(before),
  };
}

/** For people: with the source lines that the object knows. */
export function textTrace(program: Program): Trace {
  let shown = -1;
  return trace(program, ({ pc, program: where, text }, changed) => {
    const effects = Object.entries(changed).map(([name, value]) => `${name}=${value}`);
    const effect = effects.length === 0 ? "" : paint("cyan", `; ${effects.join(" ")}`);
    if (pc < 0) {
      out(`start${effect === "" ? "" : ` ${effect}`}\n`);
      return;
    }
    const source = where === program.name ? program.lines.findLastIndex(({ insn }) => insn <= pc) : -1;
    const line = program.lines[source];
    if (line !== undefined && source !== shown && line.text !== "") {
      shown = source;
      const file = line.file.split("/").at(-1) ?? line.file;
      out(paint("gray", `; ${printable(line.text.trim())} @ ${printable(file)}:${line.line}`) + "\n");
    }
    const instruction = text === "" ? `${where}:${pc}` : `${pc}: ${text}`;
    out(
      `${printable(effect === "" ? instruction : instruction.padEnd(44))}${effect === "" ? "" : ` ${effect}`}\n`,
    );
  });
}

export function jsonTrace(program: Program): Trace {
  return trace(program, ({ pc, program: where, text }, changed) => {
    if (pc < 0) outJson({ start: changed });
    else outJson({ pc, program: where, text, changed });
  });
}
