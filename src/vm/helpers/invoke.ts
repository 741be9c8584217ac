import { Unsupported } from "../../semantics/errors.ts";
import { HELPER_NAMES } from "../../semantics/helpers/names.ts";
import { fault } from "../fault.ts";
import type { Run } from "../run.ts";
import { Call } from "./call.ts";
import { HELPERS_BY_ID } from "./table.ts";

/**
 * Calls helper `id` with the arguments in r1 … r5, which hold nothing afterwards; the result is in r0.
 *
 * @throws Unsupported  for a helper that the machine does not have
 */
export function invoke(run: Run, id: number): void {
  const name = HELPER_NAMES[id];
  if (name === undefined || id === 0)
    return fault("invalid_instruction", `call of helper ${id}, which does not exist`);
  const helper = HELPERS_BY_ID[id];
  if (helper === undefined) throw new Unsupported(`the helper ${name}`);
  const result = helper(new Call(name, run));
  if (run.entered) return;
  run.state.scratch();
  if (result !== undefined) run.state.setNumber(0, BigInt(result));
}
