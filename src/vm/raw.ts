/**
 * Programs on bare memory, as conformance suites run them: r1 points to the memory, r2 is its length in bytes, and there is no context.
 * Where there is no memory both are 0.
 */
import type { Program, Slots } from "../semantics/program/program.ts";
import { AddressSpace } from "./address-space.ts";
import type { Fault } from "./fault.ts";
import type { Input } from "./input.ts";
import { interpret } from "./interpreter.ts";
import { runCompiled } from "./jit/runtime.ts";
import { prepare } from "./op.ts";
import { Run } from "./run.ts";
import { type RunOptions, State } from "./state.ts";

/** Linux permits privileged programs to read stack that they have not written, and so do the other machines that suites compare. */
const OPTIONS: RunOptions = { budget: 100_000_000, uninitialisedStack: "allow", generated: true };

export type RawResult =
  | {
      readonly outcome: "exit";
      /** All 64 bits, unsigned. */
      readonly r0: bigint;
    }
  | { readonly outcome: "fault"; readonly fault: Fault };

function inputOf(space: AddressSpace, memory: Uint8Array): Input {
  const region = space.region({ place: { kind: "memory" }, bytes: memory });
  const layout = { struct: "memory", size: memory.length, fields: [], packet: "none" } as const;
  return { context: { layout, region, bytes: memory, field: () => undefined, settle: () => undefined } };
}

/**
 * Runs instructions once on `memory`, which they may change.
 *
 * @throws Unsupported  for an instruction or helper that the machine does not have, and for maps
 */
export function runRaw(
  insns: Slots,
  memory: Uint8Array,
  how: "interpreted" | "compiled" = "interpreted",
): RawResult {
  const program: Program = {
    name: "program",
    type: "unspec",
    license: "GPL",
    flags: [],
    insns,
    maps: [],
    lines: [],
    functions: [],
  };
  const space = new AddressSpace();
  const loaded = { program, ops: prepare(program), maps: [] };
  try {
    const input = inputOf(space, memory);
    const state = new State(loaded, space, input, {}, OPTIONS);
    if (memory.length === 0) state.setNumber(1, 0n);
    state.setNumber(2, BigInt(memory.length));
    const run = new Run(state);
    const fault = how === "compiled" ? runCompiled(run) : interpret(run, undefined);
    const { bytes, origin } = input.context.region;
    memory.set(bytes.subarray(origin, origin + memory.length));
    return fault === undefined ? { outcome: "exit", r0: state.value(0) } : { outcome: "fault", fault };
  } finally {
    space.release();
  }
}
