/** Addresses of global data, which a kernel puts into the program before it looks at anything else. */
import { requireDirectValue } from "../absint/transfer/direct-value.ts";
import type { Program } from "../semantics/program/program.ts";

/**
 * Checks the 16-byte loads of such addresses, reached or not. Arenas have rules of their own.
 *
 * @throws Rejection  with the kernel's message
 */
export function checkDirectValues({ insns, maps }: Program): void {
  for (const insn of insns) {
    if (insn === undefined || insn.row.operation.kind !== "ld_imm64") continue;
    if (insn.row.operation.load !== "map_value") continue;
    const map = maps[insn.imm];
    if (map !== undefined && map.type !== "arena") requireDirectValue(map, insn.immHigh >>> 0);
  }
}
