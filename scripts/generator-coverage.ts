/**
 * What generated programs are like: how many are accepted, by type of program and by kind of step, and the share of instructions, helpers, kernel functions and map
 * types that occur in accepted ones. Each is held against all oracles of campaigns.
 *
 *     npx tsx scripts/generator-coverage.ts [PROGRAMS] [SEED] [RUNS] [FOLDER]
 *
 * The tables are those of docs/fuzzing.md. Exit status 1 if some oracle has a finding; the programs are written to FOLDER as bundles.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { crossCheck } from "../src/campaign/fuzz/cross-check.ts";
import { ORACLE_NAMES } from "../src/campaign/fuzz/oracle-names.ts";
import { oraclesNamed } from "../src/campaign/fuzz/oracles/all.ts";
import { abilitiesOf, KINDS } from "../src/campaign/generate/kinds.ts";
import { programOf } from "../src/campaign/generate/program.ts";
import { recipeOf } from "../src/campaign/generate/recipe.ts";
import { STEP_NAMES } from "../src/campaign/generate/steps.ts";
import { writeBundle } from "../src/object/bundle-write.ts";
import { HELPER_NAMES } from "../src/semantics/helpers/names.ts";
import { ROWS } from "../src/semantics/isa/table.ts";
import { DEFAULT_RULES } from "../src/semantics/profile/rules.ts";
import { MAP_TYPES } from "../src/semantics/program/map-types.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { KERNEL_FUNCTIONS } from "../src/vm/kfuncs/table.ts";
import { creationError } from "../src/vm/maps/creation.ts";

const [count = "2000", seed = "1", runs = "8", folder = "artifacts/generator"] = process.argv.slice(2);
const [first, programs] = [Number(seed), Number(count)];
const settings = { rules: DEFAULT_RULES, runs: Number(runs), oracles: oraclesNamed(ORACLE_NAMES) };

interface Share {
  all: number;
  accepted: number;
}
const types = new Map<string, Share>();
const steps = new Map<string, Share>();
const whole: Share = { all: 0, accepted: 0 };
const [rows, helpers, kfuncs, maps] = [0, 1, 2, 3].map(() => new Set<string>());
const reasons = new Map<string, number>();
const unmodelled = new Map<string, number>();
let [findings, instructions, ran] = [0, 0, 0];

const share = (of: Map<string, Share>, name: string): Share => {
  const found = of.get(name) ?? { all: 0, accepted: 0 };
  of.set(name, found);
  return found;
};
const count1 = (of: Map<string, number>, name: string | undefined): void => {
  if (name !== undefined) of.set(name, (of.get(name) ?? 0) + 1);
};

/** What an accepted program has in it. */
function note(program: Program): void {
  for (const insn of program.insns) {
    if (insn === undefined) continue;
    rows?.add(insn.row.name);
    if (insn.row.name === "call_helper") helpers?.add(HELPER_NAMES[insn.imm] ?? `${insn.imm}`);
  }
  for (const { name } of program.kfuncs ?? []) kfuncs?.add(name.replace(/_impl$/, ""));
  for (const { type } of program.maps) maps?.add(type);
}

for (let at = first; at < first + programs; at += 1) {
  const written = new Set<string>();
  const program = programOf(recipeOf(at), `seed ${at}`, (step) => written.add(step));
  const checked = crossCheck(program, at, settings);
  const { answer } = checked.case;
  const accepted = answer.verdict === "accept" ? 1 : 0;
  for (const each of [whole, share(types, program.type), ...[...written].map((name) => share(steps, name))]) {
    each.all += 1;
    each.accepted += accepted;
  }
  instructions += program.insns.length;
  ran += checked.case.ran.runs.length;
  if (accepted === 1) note(program);
  count1(reasons, checked.reason);
  count1(unmodelled, checked.unmodelled);
  if (checked.violation === undefined) continue;
  findings += 1;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${checked.violation.oracle}-${at}.prog.json`;
  writeFileSync(file, writeBundle({ program }));
  console.log(`${file}: ${checked.violation.message}`);
}

const percent = (part: number, all: number): string => `${all === 0 ? 0 : ((100 * part) / all).toFixed(1)} %`;
const table = (title: string, of: ReadonlyMap<string, Share>): string =>
  [
    `| ${title} | programs | accepted |`,
    "| --- | ---: | ---: |",
    ...[...of]
      .sort((a, b) => b[1].all - a[1].all)
      .map(([name, { all, accepted }]) => `| ${name} | ${all} | ${percent(accepted, all)} |`),
  ].join("\n");
const missing = (all: readonly string[], found: ReadonlySet<string> | undefined): string[] =>
  all.filter((name) => found?.has(name) !== true);
function covered(what: string, all: readonly string[], found: ReadonlySet<string> | undefined): void {
  const left = missing(all, found);
  console.log(`| ${what} | ${all.length - left.length} of ${all.length} | ${left.join(", ")} |`);
}
const most = (title: string, of: ReadonlyMap<string, number>): void => {
  console.log(`\n${title}`);
  for (const [name, times] of [...of].sort((a, b) => b[1] - a[1]).slice(0, 12))
    console.log(`${times}  ${name}`);
};

console.log(`\n${table("type", types)}\n\n${table("step", steps)}\n`);
console.log("| in accepted programs | found | not found |\n| --- | ---: | --- |");
covered(
  "instructions",
  ROWS.map(({ name }) => name),
  rows,
);
covered("helpers", [...new Set(KINDS.flatMap((kind) => [...abilitiesOf(kind).helpers.keys()]))], helpers);
covered("kernel functions", Object.keys(KERNEL_FUNCTIONS), kfuncs);
const modelled = MAP_TYPES.filter(
  (type) =>
    creationError({ name: "m", type, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 }) !== undefined,
);
covered("map types", modelled, maps);
covered(
  "steps",
  STEP_NAMES,
  new Set([...steps].flatMap(([name, { accepted }]) => (accepted > 0 ? [name] : []))),
);
most("Rejected because", reasons);
most("Runs that the machine does not model", unmodelled);
console.log(
  `\n${whole.all} programs of ${(instructions / whole.all).toFixed(1)} instructions, ${percent(whole.accepted, whole.all)} accepted, ${ran} runs, ${findings} findings`,
);
process.exitCode = findings === 0 ? 0 : 1;
