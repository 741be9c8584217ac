/** Expressions beside tcpdump: its filters run here on a capture keep what it keeps, and its text reads as the same filter in every form. */
import { assembleFilter } from "../../src/semantics/classic/assemble.ts";
import { checkFilter } from "../../src/semantics/classic/check.ts";
import { disassembleFilter } from "../../src/semantics/classic/disassemble.ts";
import { readImage, writeImage } from "../../src/semantics/classic/image.ts";
import type { Filter } from "../../src/semantics/classic/instruction.ts";
import { ClassicMachine } from "../../src/semantics/classic/machine.ts";
import {
  readDecimal,
  readInitialisers,
  writeDecimal,
  writeInitialisers,
} from "../../src/semantics/classic/numbers.ts";
import { classicRow } from "../../src/semantics/classic/table.ts";
import type { Captured } from "./frames.ts";
import { compiled, kept } from "./tcpdump.ts";

/** What was found of an expression. */
export interface Agreement {
  readonly expression: string;
  readonly instructions: number;
  /** How many frames tcpdump keeps. */
  readonly kept: number;
  /** The numbers of the frames on which it and the machine differ. */
  readonly different: readonly number[];
  /** Which forms of text do not read as the filter, or are printed otherwise than by tcpdump. */
  readonly texts: readonly string[];
}

/** Without what no text shows: libpcap leaves numbers in instructions that have no operand. */
const shown = (filter: Filter): Filter =>
  filter.map((insn) => (classicRow(insn.code)?.k === "none" ? { ...insn, k: 0 } : insn));

function textsOf(capture: string, expression: string, filter: Filter, decimal: string): readonly string[] {
  const same = (read: Filter, wanted: Filter): boolean => JSON.stringify(read) === JSON.stringify(wanted);
  const image = compiled(capture, expression, "-d");
  const initialisers = compiled(capture, expression, "-dd");
  return [
    ...(writeDecimal(filter) === decimal ? [] : ["-ddd written"]),
    ...(same(readInitialisers(initialisers), filter) ? [] : ["-dd read"]),
    ...(writeInitialisers(filter) === initialisers ? [] : ["-dd written"]),
    ...(same(readImage(image), shown(filter)) ? [] : ["-d read"]),
    ...(same(assembleFilter(disassembleFilter(filter)), shown(filter)) ? [] : ["assembly read"]),
    ...(writeImage(filter) === image ? [] : ["-d written"]),
  ];
}

/** @param capture the file that holds the frames */
export function compareExpression(
  capture: string,
  frames: readonly Captured[],
  expression: string,
): Agreement {
  const decimal = compiled(capture, expression, "-ddd");
  const filter = readDecimal(decimal);
  const refusal = checkFilter(filter, "socket");
  if (refusal !== undefined) throw new Error(`${expression}: ${refusal.message}`);
  const machine = new ClassicMachine(filter);
  const theirs = new Set(kept(capture, expression));
  const different = frames.flatMap((frame, index) => {
    const keeps = machine.run(frame) !== 0;
    return keeps === theirs.has(index) ? [] : [index];
  });
  return {
    expression,
    instructions: filter.length,
    kept: theirs.size,
    different,
    texts: textsOf(capture, expression, filter, decimal),
  };
}
