/** What a program is known to return, beyond whether that is allowed. */
import { component64 } from "../absint/register.ts";
import { LAYOUT } from "../absint/scalar/operators.ts";
import { frameCount, registerAt } from "../absint/state.ts";
import type { Machine } from "../absint/transfer/machine.ts";
import type { Rules } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import { verify } from "./verify.ts";

/**
 * Whether some path of an accepted program ends with a result all of whose bits are known, but for those of `unknown`, and are those of `value`: as the kernel asks, of one path after the
 * other. The program is verified once more.
 */
export function mayOnlyReturn(program: Program, value: bigint, unknown: bigint, rules: Rules): boolean {
  let found = false;
  // What a function of its own returns is not the program's result.
  let isFunction = false;
  const nothing = (): void => undefined;
  const pathEnds = (m: Machine, why: "exit" | "covered"): void => {
    if (why !== "exit" || isFunction || frameCount(m.state) > 1) return;
    const result = registerAt(m.state, 0, 0);
    const [known, mask] = [component64(result, LAYOUT.value), component64(result, LAYOUT.mask)];
    if ((mask & ~unknown) === 0n && (known & ~unknown) === value) found = true;
  };
  verify(
    program,
    {
      before: nothing,
      after: nothing,
      pathEnds,
      rootBegins: () => {
        isFunction = true;
      },
      rootEnds: () => {
        isFunction = false;
      },
      pathBegins: nothing,
      fork: () => 0,
    },
    rules,
  );
  return found;
}
