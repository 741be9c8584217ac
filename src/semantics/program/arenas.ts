/** The arenas that a program refers to. */
import type { Program } from "./program.ts";

/** Those among the maps that instructions load, by index; a program may have one. */
export function arenasOf({ insns, maps }: Pick<Program, "insns" | "maps">): readonly number[] {
  if (!maps.some(({ type }) => type === "arena")) return [];
  const found = new Set<number>();
  for (const insn of insns) {
    const operation = insn?.row.operation;
    if (insn === undefined || operation?.kind !== "ld_imm64") continue;
    const refers = operation.load === "map_fd" || operation.load === "map_value";
    if (refers && maps[insn.imm]?.type === "arena") found.add(insn.imm);
  }
  return [...found];
}
