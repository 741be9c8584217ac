/** Programs from recipes. */
import { layOut } from "../../semantics/isa/make.ts";
import type { FunctionInfo, Program } from "../../semantics/program/program.ts";
import type { ProgramType } from "../../semantics/program/program-types.ts";
import { someNumber } from "./arithmetic.ts";
import { CONTEXT, FRAME, MAP_DEFINITIONS, Writer } from "./context.ts";
import { Draft, NOTHING, NUMBER } from "./draft.ts";
import { type Recipe, recipeOf, type Step } from "./recipe.ts";
import { STEPS } from "./steps.ts";
import { FUNCTION_TYPES, TYPES_OF_PROGRAMS } from "./types.ts";

const TYPES: readonly ProgramType[] = ["xdp", "sched_cls", "xdp", "sched_cls", "socket_filter"];

/** The program of a recipe: the same one each time, whatever the recipe is. */
export function programOf(recipe: Recipe, name: string): Program {
  const type = TYPES[recipe.shape % TYPES.length] ?? "xdp";
  const draft = new Draft();
  const callee = recipe.callee.length > 0 ? draft.label() : undefined;
  const callback = recipe.callback.length > 0 ? draft.label() : undefined;
  const main = new Writer(draft, type, callee, callback);
  draft.set(FRAME, { kind: "frame", offset: 0 });
  draft.emit("mov64_reg", { dst: CONTEXT, src: 1 });
  draft.set(CONTEXT, { kind: "context" });
  main.reserved.add(CONTEXT);
  write(main, recipe.main);
  const functions: FunctionInfo[] = [{ insn: 0, name: "main", typeId: FUNCTION_TYPES.main }];
  if (callee !== undefined && draft.isUsed(callee)) {
    functions.push({ insn: draft.length, name: "callee", typeId: FUNCTION_TYPES.callee });
    writeFunction(draft, type, callee, recipe.callee);
  }
  if (callback !== undefined && draft.isUsed(callback)) {
    functions.push({ insn: draft.length, name: "callback", typeId: FUNCTION_TYPES.callback });
    writeCallback(draft, type, callback, recipe.callback);
  }
  return {
    name,
    type,
    license: "GPL",
    flags: [],
    insns: layOut(draft.finish()),
    maps: MAP_DEFINITIONS,
    lines: [],
    functions: functions.map((each) => ({ ...each, linkage: each.insn === 0 ? "global" : "static" })),
    btf: TYPES_OF_PROGRAMS,
  };
}

/** The program of a seed. */
export const programOfSeed = (seed: number): Program => programOf(recipeOf(seed), `seed ${seed}`);

function write(w: Writer, steps: readonly Step[]): void {
  for (const step of steps) {
    STEPS[step.kind % STEPS.length]?.(w, step);
    for (let open = w.blocks.at(-1); open !== undefined; open = w.blocks.at(-1)) {
      open.left -= 1;
      if (open.left >= 0) break;
      w.blocks.pop();
      open.end();
    }
  }
  for (let open = w.blocks.pop(); open !== undefined; open = w.blocks.pop()) open.end();
  finish(w);
}

/** The end of a function: a number in r0, and the place for those that give up. */
function finish(w: Writer): void {
  const { draft } = w;
  if (draft.held(0).kind !== "number") {
    const found = someNumber(w, 0);
    if (found !== 0) draft.emit("mov64_reg", { dst: 0, src: found });
  }
  if (w.returnsBit) draft.emit("and64_imm", { dst: 0, imm: 1 });
  draft.emit("exit");
  if (!draft.exitUsed) return;
  draft.place(draft.exit);
  draft.emit("mov64_imm", { dst: 0, imm: 0 });
  draft.emit("exit");
}

/** A function begins: nothing is known but its arguments. */
function enter(draft: Draft, start: number): void {
  draft.place(start);
  draft.know = {
    registers: draft.know.registers.map(() => NOTHING),
    slots: draft.know.slots.map(() => NOTHING),
  };
  draft.set(FRAME, { kind: "frame", offset: 0 });
  draft.exit = draft.label();
  draft.exitUsed = false;
}

function writeFunction(draft: Draft, type: ProgramType, start: number, steps: readonly Step[]): void {
  enter(draft, start);
  draft.set(1, NUMBER);
  draft.set(2, NUMBER);
  write(new Writer(draft, type), steps);
}

/** Callbacks of bpf_loop get how often they have been called, and a number in memory; they say whether to go on. */
function writeCallback(draft: Draft, type: ProgramType, start: number, steps: readonly Step[]): void {
  enter(draft, start);
  draft.set(1, NUMBER);
  draft.set(2, { kind: "memory", size: 8, writable: true });
  const w = new Writer(draft, type);
  w.returnsBit = true;
  write(w, steps);
}
