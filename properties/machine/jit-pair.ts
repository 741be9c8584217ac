/** The same programs interpreted and compiled, with all that a run leaves behind as text. */
import { Unsupported } from "../../src/semantics/errors.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Facts } from "../../src/vm/jit/facts.ts";
import type { MachineOptions } from "../../src/vm/machine.ts";
import type { MapStorage } from "../../src/vm/maps/map.ts";
import type { UninitialisedStack } from "../../src/vm/state.ts";
import { loadTogether } from "../../src/vm/together.ts";

const PACKET = Uint8Array.from({ length: 64 }, (_, i) => i);
const BUDGET = 3000;

const text = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "bigint") return `0x${each.toString(16)}`;
    return each instanceof Uint8Array ? Buffer.from(each).toString("hex") : each;
  });

function contents(map: MapStorage): unknown {
  return map.kind === "values" ? map.entries() : undefined;
}

/** How two runs end, one after the other, and what they leave in the maps; and the kinds of endings. */
function ending(programs: readonly Program[], options: MachineOptions): readonly [string, readonly string[]] {
  const machines = loadTogether(programs, { budget: BUDGET, ...options });
  const [first] = machines;
  if (first === undefined) throw new Error("a machine for each program");
  const ended: unknown[] = [];
  const kinds: string[] = [];
  // The second run finds what the first has left in the maps.
  for (const seed of [1, 2]) {
    try {
      const result = first.run({ packet: PACKET, seed });
      kinds.push(result.outcome === "exit" ? "exit" : result.fault.kind);
      ended.push(result);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      kinds.push("unsupported");
      ended.push({ unsupported: error.message });
    }
  }
  return [text([...ended, first.maps.map(contents)]), kinds];
}

/** @param facts  what is proved of programs */
export function both(
  programs: readonly Program[],
  uninitialisedStack: UninitialisedStack,
  facts?: ReadonlyMap<Program, Facts>,
): { readonly interpreted: string; readonly compiled: string; readonly endings: readonly string[] } {
  const [interpreted, endings] = ending(programs, { uninitialisedStack });
  const [compiled] = ending(programs, { uninitialisedStack, jit: facts === undefined ? {} : { facts } });
  return { interpreted, compiled, endings };
}
