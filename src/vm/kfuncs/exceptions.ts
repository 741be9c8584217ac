/** Exceptions: they end the program from wherever they are thrown, with what was thrown or what its exception callback makes of that. */
import { Unsupported } from "../../semantics/errors.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Call } from "../helpers/call.ts";

export const isThrow = (name: string): boolean => name === "bpf_throw";

/** The first slot of the program's exception callback; nothing if it has none. */
function callbackOf({ functions }: Program): number | undefined {
  const id = functions[0]?.prototype?.exceptionCallbacks?.[0]?.typeId;
  return id === undefined ? undefined : functions.findLast(({ typeId }) => typeId === id)?.insn;
}

/** Throws r1. Whatever the program holds at that moment it can give back no more. */
export function throwException(call: Call): number | undefined {
  const { run, state } = call;
  const cookie = call.u64(1, "cookie");
  run.held.end();
  // The exception ends the program that was called, and who called what it has replaced goes on.
  if (run.tailCalls > 0 && state.depth > 0) throw new Unsupported("an exception after a tail call");
  state.unwind();
  const callback = callbackOf(state.loaded.program);
  if (callback === undefined) {
    state.setNumber(0, cookie);
    return undefined;
  }
  state.setNumber(1, cookie);
  return callback;
}
