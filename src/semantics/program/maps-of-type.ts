/** The maps of a type that a program refers to. */
import type { MapType } from "./map-types.ts";
import type { Program } from "./program.ts";

/** Those among the maps that instructions load, by index. */
export function mapsOfType(
  { insns, maps }: Pick<Program, "insns" | "maps">,
  type: MapType,
): readonly number[] {
  if (!maps.some((map) => map.type === type)) return [];
  const found = new Set<number>();
  for (const insn of insns) {
    const operation = insn?.row.operation;
    if (insn === undefined || operation?.kind !== "ld_imm64") continue;
    const refers = operation.load === "map_fd" || operation.load === "map_value";
    if (refers && maps[insn.imm]?.type === type) found.add(insn.imm);
  }
  return [...found];
}
