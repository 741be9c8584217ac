/** Which function makes the program's result of what is thrown. */
import type { Program } from "../../semantics/program/program.ts";
import { reject } from "./rejection.ts";

/**
 * The first instruction of the program's exception callback; undefined if it has none.
 *
 * @throws Rejection  with the kernel's message, if what the tag names can be none
 */
export function exceptionCallback({
  functions,
  btf,
}: Pick<Program, "functions" | "btf">): number | undefined {
  const [named, ...more] = functions[0]?.prototype?.exceptionCallbacks ?? [];
  if (btf === undefined || named === undefined) return undefined;
  if (more.length > 0) reject("EEXIST", "multiple exception callback tags for main subprog");
  const { name, typeId, linkage } = named;
  if (typeId === undefined) reject("ENOENT", `exception callback '${name}' could not be found in BTF`);
  if (linkage !== "global") reject("EINVAL", `exception callback '${name}' must have global linkage`);
  const start = functions.findLast((info) => info.typeId === typeId)?.insn;
  if (start === 0) reject("EINVAL", "invalid exception callback insn_off in func_info: 0");
  if (start === undefined) reject("EINVAL", "exception callback type id not found in func_info");
  return start;
}
