/** Maps and addresses of global data, which a kernel puts into the program before it looks at anything else. */
import { requireDirectValue } from "../absint/transfer/direct-value.ts";
import { requireCompatible } from "../absint/transfer/map-compatibility.ts";
import type { Profile } from "../semantics/profile/profile.ts";
import type { Program } from "../semantics/program/program.ts";

/**
 * Checks the 16-byte loads of such, reached or not. Addresses in arenas have rules of their own.
 *
 * @throws Rejection  with the kernel's message
 */
export function checkMapLoads(program: Program, profile: Profile): void {
  for (const insn of program.insns) {
    if (insn === undefined || insn.row.operation.kind !== "ld_imm64") continue;
    const { load } = insn.row.operation;
    if (load !== "map_fd" && load !== "map_value") continue;
    const map = program.maps[insn.imm];
    if (map === undefined) continue;
    requireCompatible(program, profile, map);
    if (load === "map_value" && map.type !== "arena") requireDirectValue(map, insn.immHigh >>> 0);
  }
}
