/**
 * The instruction table: a row an instruction, from which the codec, the disassembler, the assembler, the machine and the verifier
 * derive what they know of it. Source: RFC 9669; what Linux adds is in the group "linux".
 */
import { ALU_ROWS } from "./alu.ts";
import { ATOMIC_ROWS } from "./atomic.ts";
import type { Row } from "./instruction.ts";
import { JUMP_ROWS } from "./jump.ts";
import { MEMORY_ROWS } from "./memory.ts";

export const ROWS: readonly Row[] = [...ALU_ROWS, ...JUMP_ROWS, ...MEMORY_ROWS, ...ATOMIC_ROWS];

const BY_NAME: ReadonlyMap<string, Row> = new Map(ROWS.map((row) => [row.name, row]));

/** The row called `name`. There being none is a mistake of the caller's, not of an input: an assertion. */
export function rowByName(name: string): Row {
  const row = BY_NAME.get(name);
  if (row === undefined) throw new Error(`no instruction is called ${name}`);
  return row;
}
