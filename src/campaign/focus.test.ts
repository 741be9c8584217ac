/** What an instruction is said to write is all that the machine changes of registers and stacks. */
import { expect, test } from "vitest";
import type { Program } from "../semantics/program/program.ts";
import { type Region, UNINITIALISED } from "../vm/region.ts";
import type { View } from "../vm/view.ts";
import { writtenBy } from "./focus.ts";
import { programOfSeed } from "./generate/program.ts";
import { inputSource } from "./inputs.ts";
import { NEAR } from "./run-program.ts";
import { Runner } from "./runner.ts";

const REGISTERS = 11;
const SLOTS = 64;

/** Registers and slots of all frames, as text by their names. */
function snapshot(view: View): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const keep = (name: string, tag: Region, written: number): void => {
    // Where nothing lies nothing is looked at.
    const value = tag === UNINITIALISED ? "" : `${view.low} ${view.high}`;
    found.set(name, `${JSON.stringify(tag.place)} ${value} ${written}`);
  };
  for (let frame = 0; frame <= view.depth; frame += 1) {
    for (let register = 0; register < REGISTERS; register += 1)
      keep(`frame ${frame} r${register}`, view.look(register, frame), 0);
    for (let slot = 0; slot < SLOTS; slot += 1)
      keep(`frame ${frame} slot ${slot}`, view.lookAtSlot(slot, frame), view.written(slot, frame));
  }
  return found;
}

/** What has changed in the step from one instruction, that it does not say that it writes. */
function unsaid(program: Program, pc: number, before: ReadonlyMap<string, string>, view: View): string[] {
  const insn = program.insns[pc];
  const written = insn === undefined ? undefined : writtenBy(insn);
  if (written === undefined) return [];
  if (written.through >= 0 && view.look(written.through).place.kind === "stack") return [];
  const said = new Set([`frame ${view.depth} r${written.register}`]);
  for (let slot = written.firstSlot; slot <= written.lastSlot; slot += 1)
    said.add(`frame ${view.depth} slot ${slot}`);
  const changed = [...snapshot(view)].filter(([name, value]) => before.get(name) !== value);
  return changed.flatMap(([name]) => (said.has(name) ? [] : [`insn ${pc}: ${name}`]));
}

test("in 40 generated programs", () => {
  let steps = 0;
  const found: string[] = [];
  for (let seed = 1; seed <= 40; seed += 1) {
    const program = programOfSeed(seed);
    const runner = new Runner(program, false, "allow", NEAR);
    const inputs = inputSource(program, seed);
    for (let run = 0; run < 2; run += 1) {
      let last: { readonly pc: number; readonly before: ReadonlyMap<string, string> } | undefined;
      let looked = 0;
      runner.run(inputs.next(), (pc, view) => {
        if (view.program !== program.name || looked >= 60) return;
        looked += 1;
        if (last !== undefined) found.push(...unsaid(program, last.pc, last.before, view));
        last = { pc, before: snapshot(view) };
        steps += 1;
      });
    }
  }
  expect(found).toEqual([]);
  expect(steps).toBeGreaterThan(1000);
});
