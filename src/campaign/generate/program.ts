/** Programs from recipes. */
import { layOut } from "../../semantics/isa/make.ts";
import type { FunctionInfo, Program } from "../../semantics/program/program.ts";
import { someNumber } from "./arithmetic.ts";
import { CONTEXT, FRAME, type Shared, slotOffset, Writer } from "./context.ts";
import { Draft } from "./draft.ts";
import { memory, NOTHING, NUMBER } from "./held.ts";
import { abilitiesOf, KINDS, type Kind } from "./kinds.ts";
import { mapNamed } from "./maps.ts";
import { type Recipe, recipeOf, type Step } from "./recipe.ts";
import { STEPS } from "./steps.ts";
import {
  FUNCTION_TYPES,
  type FunctionName,
  prototypeOf,
  TYPES_OF_PROGRAMS,
  typesOfObjects,
} from "./types.ts";

/** The kind of the program of a recipe. */
const kindOf = (recipe: Recipe): Kind => KINDS[recipe.shape % KINDS.length] ?? { type: "xdp", flags: [] };

/**
 * The program of a recipe: the same one each time, whatever the recipe is.
 *
 * @param note  is told of each step that has written something
 */
export function programOf(recipe: Recipe, name: string, note?: (step: string) => void): Program {
  const kind = kindOf(recipe);
  const draft = new Draft();
  const shared: Shared = { draft, kind, abilities: abilitiesOf(kind), maps: [], functions: new Map() };
  const main = new Writer(shared, true);
  draft.set(FRAME, { kind: "frame", offset: 0 });
  draft.emit("mov64_reg", { dst: CONTEXT, src: 1 });
  draft.set(CONTEXT, { kind: "context" });
  main.reserved.add(CONTEXT);
  writeSteps(main, recipe.main, note);
  finish(main, shared.abilities.facts.returns);
  const starts: [FunctionName, number][] = [["main", 0]];
  // Functions that are called by none of those that come later.
  for (const [called, label] of shared.functions) {
    starts.push([called, draft.length]);
    writeFunction(
      shared,
      called,
      label,
      called === "callee" || called === "global" ? recipe.callee : recipe.callback,
      note,
    );
  }
  const { kfuncs } = draft;
  return {
    name,
    type: kind.type,
    ...(kind.attach === undefined ? {} : { attach: kind.attach }),
    license: "GPL",
    flags: kind.flags,
    insns: layOut(draft.finish()),
    maps: shared.maps.map(mapNamed),
    lines: [],
    functions: starts.map(functionInfo),
    btf: TYPES_OF_PROGRAMS,
    ownTypes: typesOfObjects(),
    ...(kfuncs.length === 0 ? {} : { kfuncs }),
  };
}

function functionInfo([name, insn]: readonly [FunctionName, number]): FunctionInfo {
  const prototype = prototypeOf(name);
  return {
    insn,
    name,
    typeId: FUNCTION_TYPES[name],
    linkage: name === "main" || name === "global" ? "global" : "static",
    ...(prototype === undefined ? {} : { prototype }),
  };
}

/** The program of a seed. */
export const programOfSeed = (seed: number): Program => programOf(recipeOf(seed), `seed ${seed}`);

type Note = ((step: string) => void) | undefined;

function writeSteps(w: Writer, steps: readonly Step[], note: Note): void {
  for (const step of steps) {
    const named = STEPS[step.kind % STEPS.length];
    const before = w.draft.length;
    named?.emit(w, step);
    if (named !== undefined && w.draft.length > before) note?.(named.name);
    for (let open = w.blocks.at(-1); open !== undefined; open = w.blocks.at(-1)) {
      open.left -= 1;
      if (open.left >= 0) break;
      w.blocks.pop();
      open.end();
    }
  }
  for (let open = w.blocks.pop(); open !== undefined; open = w.blocks.pop()) open.end();
}

/** The least and greatest result, both included. */
type Range = readonly [least: number, greatest: number];

/** The end of a function: a number in r0, in the range if there is one, and the place for those that give up. */
function finish(w: Writer, range?: Range): void {
  const { draft } = w;
  if (draft.held(0).kind !== "number") {
    const found = someNumber(w, 0);
    if (found !== 0) draft.emit("mov64_reg", { dst: 0, src: found });
  }
  if (range !== undefined) {
    const bits = Math.floor(Math.log2(range[1] - range[0] + 1));
    draft.emit("and64_imm", { dst: 0, imm: 2 ** Math.min(bits, 30) - 1 });
    if (range[0] !== 0) draft.emit("add64_imm", { dst: 0, imm: range[0] });
  }
  draft.emit("exit");
  if (!w.exit.used) return;
  draft.place(w.exit.label);
  draft.emit("mov64_imm", { dst: 0, imm: range?.[0] ?? 0 });
  draft.emit("exit");
}

/** What functions get: numbers, or memory of so many bytes; nothing is known of what is not named. */
const ARGUMENTS: Readonly<Record<Exclude<FunctionName, "main">, readonly (number | "number")[]>> = {
  callee: ["number", "number"],
  global: ["number", "number"],
  // How often they have been called, and a slot of their caller.
  callback: ["number", 8],
  // A map, a key, a value and a slot.
  element: [0, 4, 48, 8],
  later: [0, 4, 0],
  less: [],
  // A dynptr and a slot.
  record: [0, 8],
};

const BIT: Range = [0, 1];
const RETURNS: { readonly [name in FunctionName]?: Range } = {
  callback: BIT,
  element: BIT,
  record: BIT,
  later: [0, 0],
};

function writeFunction(
  shared: Shared,
  name: FunctionName,
  start: number,
  steps: readonly Step[],
  note: Note,
): void {
  const { draft } = shared;
  draft.place(start);
  draft.know = {
    registers: draft.know.registers.map(() => NOTHING),
    slots: draft.know.slots.map(() => NOTHING),
  };
  draft.set(FRAME, { kind: "frame", offset: 0 });
  if (name === "less") return writeLess(draft);
  if (name === "main") return;
  const args = ARGUMENTS[name];
  for (const [index, argument] of args.entries())
    draft.set(
      index + 1,
      argument === "number"
        ? NUMBER
        : argument === 0
          ? NOTHING
          : memory(argument, index !== 1 || (name !== "element" && name !== "later")),
    );
  const w = new Writer(shared, false);
  writeSteps(w, steps, note);
  finish(w, RETURNS[name]);
}

/** Which of two nodes comes first: by their numbers, in front of their places in the tree. */
function writeLess(draft: Draft): void {
  const before = slotOffset(3);
  draft.emit("ldxdw", { dst: 1, src: 1, off: before });
  draft.emit("ldxdw", { dst: 2, src: 2, off: before });
  draft.emit("mov64_imm", { dst: 0, imm: 1 });
  const yes = draft.label();
  draft.jump("jlt64_reg", yes, { dst: 1, src: 2 });
  draft.emit("mov64_imm", { dst: 0, imm: 0 });
  draft.place(yes);
  draft.emit("exit");
}
