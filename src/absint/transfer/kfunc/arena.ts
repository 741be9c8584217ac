/** Kernel functions that give and take an arena's pages. Nothing of the program's state hangs on which pages there are. */
import { demand } from "../../origins.ts";
import { KIND, kindOf, mayBeNull, setNone, setUnknown, smallConstant } from "../../register.ts";
import { type Machine, register } from "../machine.ts";
import { reject } from "../rejection.ts";
import { requireKfuncMaySleep } from "../sections.ts";
import { hasKfuncFlag, type KfuncCall } from "./facts.ts";

const FUNCTIONS: ReadonlySet<string> = new Set([
  "bpf_arena_alloc_pages",
  "bpf_arena_free_pages",
  "bpf_arena_reserve_pages",
]);

export const isArenaFunction = (name: string): boolean => FUNCTIONS.has(name);

/** Executes a call of one of them. The map may be any: the functions look whether it is an arena. */
export function callArenaFunction(m: Machine, call: KfuncCall): void {
  const { name, args, returns } = call.facts;
  args.forEach(({ kind, name: parameter = "" }, index) => {
    // Where pages are to lie: whatever the register holds.
    if (parameter.endsWith("__ign")) return;
    const at = register(m, index + 1);
    const held = kindOf(at);
    if (kind === "scalar") {
      if (held !== KIND.scalar) reject("EINVAL", `R${index + 1} is not a scalar`);
      return;
    }
    if (held === KIND.none) reject("EACCES", `R${index + 1} !read_ok`);
    if (mayBeNull(held) || (held === KIND.scalar && smallConstant(at) === 0)) {
      demand(m.marks, at);
      reject("EACCES", `Possibly NULL pointer passed to trusted arg${index}`);
    }
    if (held !== KIND.map) reject("EINVAL", `pointer in R${index + 1} isn't map pointer`);
  });
  if (hasKfuncFlag(call, "sleepable")) requireKfuncMaySleep(m, name);
  for (let r = 1; r <= 5; r += 1) setNone(register(m, r));
  // A pointer to nothing of a type is no more than a number.
  if (returns.kind === "void") setNone(register(m, 0));
  else setUnknown(register(m, 0));
}
