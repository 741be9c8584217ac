/**
 * Interpreted, compiled with all checks, and compiled with the checks left out that the certificate makes needless, a program does the same: the same result, the same packet and context,
 * the same in its maps. Compiling takes long, so one accepted program in 64 is looked at, by its seed, on the first two of its inputs.
 */
import { Unsupported } from "../../../semantics/errors.ts";
import { Machine, type MachineOptions } from "../../../vm/machine.ts";
import type { CheckedRun } from "../../check-report.ts";
import { fillMaps } from "../../fill-maps.ts";
import { provedFacts } from "../../proved-facts.ts";
import { stackRule } from "../../run-program.ts";
import { BUDGET, CPUS, environmentOf } from "../../runner.ts";
import type { Case, Oracle, Violation } from "./oracle.ts";

/** One seed in so many. */
const EVERY = 64;
const RUNS = 2;

/** Everything that a run comes to, as text. */
function resultOf({ program, rules }: Case, run: CheckedRun, jit: MachineOptions["jit"]): string {
  const machine = new Machine(program, {
    cpus: CPUS,
    budget: BUDGET,
    uninitialisedStack: stackRule(program, rules),
    ...(jit === undefined ? {} : { jit }),
  });
  fillMaps(machine.maps, run.packet, run.seed, CPUS);
  const { steps: _, ...result } = machine.run(environmentOf(run, program, rules));
  const maps = machine.maps.map((map) => (map.kind === "values" ? map.entries() : []));
  return JSON.stringify([result, maps], (_key, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

function judge(given: Case): readonly Violation[] {
  const { program, seed, rules, verdict, ran } = given;
  if (verdict?.verdict !== "accept" || seed % EVERY !== 0) return [];
  const runs = ran.runs.filter(({ outcome }) => outcome.kind === "exit").slice(0, RUNS);
  if (runs.length === 0) return [];
  const facts = new Map([[program, provedFacts(program, verdict.certificate, rules)]]);
  for (const run of runs) {
    const interpreted = resultOf(given, run, undefined);
    for (const [how, jit] of [
      ["with checks", {}],
      ["with what is proved", { facts }],
    ] as const) {
      try {
        if (resultOf(given, run, jit) === interpreted) continue;
      } catch (error) {
        // What the compiler does not know is no difference.
        if (error instanceof Unsupported) continue;
        throw error;
      }
      return [{ oracle: "jit", message: `compiled ${how} the program does something else`, run }];
    }
  }
  return [];
}

export const jit: Oracle = { name: "jit", judge };
