/**
 * The compiler beside the interpreter on many programs drawn by chance: equal results, registers, packets, maps, faults and step counts.
 *
 *     npx tsx scripts/jit-sweep.ts [PROGRAMS] [SEED]
 */
import { fc } from "@fast-check/vitest";
import { both } from "../properties/machine/jit-pair.ts";
import { programPairs } from "../properties/machine/jit-programs.ts";
import { disassemble } from "../src/semantics/isa/disassemble.ts";

const [count = "10000", seed = "1"] = process.argv.slice(2);
const endings = new Map<string, number>();
const result = fc.check(
  fc.property(programPairs, fc.constantFrom("fault", "allow"), (programs, uninitialisedStack) => {
    const { interpreted, compiled, endings: kinds } = both(programs, uninitialisedStack);
    for (const kind of kinds) endings.set(kind, (endings.get(kind) ?? 0) + 1);
    if (interpreted !== compiled) throw new Error(`interpreted:\n${interpreted}\ncompiled:\n${compiled}`);
  }),
  { numRuns: Number(count), seed: Number(seed) },
);
console.table([...endings].sort(([, a], [, b]) => b - a));
if (result.failed) {
  const [programs = [], uninitialisedStack] = result.counterexample ?? [];
  for (const { name, type, insns, maps } of programs) {
    console.log(`${name} (${type}, ${uninitialisedStack}):`);
    console.log(disassemble(insns, { maps }));
  }
  console.log(result.errorInstance);
  console.log(`seed ${result.seed}, path ${result.counterexamplePath}`);
  process.exitCode = 1;
}
