/**
 * The context of programs that are attached to a function: its arguments, and behind them the result where the function has run already, 8 bytes each. Which of
 * them are pointers the machine does not know: those that lead into the memory image are.
 */
import { InputError } from "../../semantics/errors.ts";
import type { Context as ContextLayout } from "../../semantics/profile/profile.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import type { AddressSpace } from "../address-space.ts";
import { Context } from "../context.ts";
import type { Environment } from "../environment.ts";
import type { Made } from "./made.ts";

export const TRACES_FUNCTION: ReadonlySet<ProgramType> = new Set(["tracing", "lsm"]);

const WORD = 8;
/** MAX_BPF_FUNC_ARGS in linux/bpf.h, and the result. */
const MOST = 13;

export function tracedFunctionInput(
  space: AddressSpace,
  { context: given = new Uint8Array(0) }: Environment,
): Made {
  if (given.length % WORD !== 0 || given.length > MOST * WORD)
    throw new InputError(
      `context: ${given.length} bytes, but arguments have ${WORD} each and there are ${MOST} at most`,
    );
  const layout: ContextLayout = {
    struct: "the function's arguments",
    size: given.length,
    fields: Array.from({ length: given.length / WORD }, (_, i) => ({
      name: `argument ${i}`,
      offset: WORD * i,
      size: WORD,
      value: "btf_id",
      reads: [1, 2, 4, 8],
      writes: [],
    })),
  };
  return { context: new Context(space, layout, given) };
}
