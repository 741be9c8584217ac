/**
 * How fast a campaign's process works: cross-checks a CPU second and a second, and how much of that goes where, against the goal of 3,000 a second on two processors. The same programs
 * each time, by their seeds; the first ones are not counted, while engines still compile.
 *
 *     node bench/run.mjs fuzz [PROGRAMS] [RUNS]
 */

import { crossCheck, MOST_OF_GENERATED } from "../src/campaign/fuzz/cross-check.ts";
import { inlineLess } from "../src/campaign/fuzz/inlining.ts";
import { ORACLE_NAMES } from "../src/campaign/fuzz/oracle-names.ts";
import { oraclesNamed } from "../src/campaign/fuzz/oracles/all.ts";
import { SemanticMap } from "../src/campaign/fuzz/semantic.ts";
import { programOfSeed } from "../src/campaign/generate/program.ts";
import { NEAR, runProgram } from "../src/campaign/run-program.ts";
import { DEFAULT_RULES } from "../src/semantics/profile/rules.ts";
import { checkCertificate } from "../src/verifier/check-certificate.ts";
import { verify } from "../src/verifier/verify.ts";

/** Cross-checks of one processor's second: half of what two are to do. */
const GOAL = 1500;
const LOT = 100;

const [programs = 2000, runs = 8] = process.argv.slice(2).map(Number);

interface Spent {
  cpuUs: number;
  wallMs: number;
}

function measured<T>(spent: Spent, work: () => T): T {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const result = work();
  const { user, system } = process.cpuUsage(cpu);
  spent.cpuUs += user + system;
  spent.wallMs += performance.now() - wall;
  return result;
}

inlineLess();
const semantic = new SemanticMap();
const plain = {
  rules: DEFAULT_RULES,
  runs,
  oracles: oraclesNamed(ORACLE_NAMES),
  mostProcessed: MOST_OF_GENERATED,
};
const guided = { ...plain, observer: semantic.observer };

function lot(first: number, stages: Readonly<Record<string, Spent>>): number {
  const seeds = Array.from({ length: LOT }, (_, i) => first + i);
  const time = <T>(stage: string, work: () => T): T =>
    measured(stages[stage] ?? { cpuUs: 0, wallMs: 0 }, work);
  const made = time("generate", () => seeds.map((seed) => programOfSeed(seed)));
  const verdicts = time("verify", () =>
    made.map((program) => verify(program, undefined, DEFAULT_RULES, MOST_OF_GENERATED)),
  );
  // Verifying checks the certificate too: this is what that comes to.
  time("of that, check the certificate", () =>
    verdicts.forEach((verdict, i) => {
      const program = made[i];
      if (program !== undefined && verdict.verdict === "accept")
        checkCertificate(program, verdict.certificate);
    }),
  );
  time(`run ${runs} times, inside of the certificate`, () =>
    verdicts.forEach((verdict, i) => {
      const program = made[i];
      if (program !== undefined) runProgram(program, verdict, first + i, runs, [], DEFAULT_RULES, NEAR);
    }),
  );
  time("all of it, as a campaign does it", () => {
    for (const seed of seeds) {
      const program = programOfSeed(seed);
      semantic.begin(program, 0);
      crossCheck(program, seed, guided);
    }
    semantic.take();
  });
  return made.reduce((sum, { insns }) => sum + insns.length, 0);
}

const STAGES = [
  "generate",
  "verify",
  "of that, check the certificate",
  `run ${runs} times, inside of the certificate`,
  "all of it, as a campaign does it",
];
const nothing = (): Record<string, Spent> =>
  Object.fromEntries(STAGES.map((stage) => [stage, { cpuUs: 0, wallMs: 0 }]));

lot(1_000_000, nothing());
const stages = nothing();
let instructions = 0;
for (let first = 1; first <= programs; first += LOT) instructions += lot(first, stages);
const count = Math.ceil(programs / LOT) * LOT;
process.stdout.write(
  `${count} programs of ${(instructions / count).toFixed(1)} instructions, ${runs} runs each; microseconds a program\n`,
);
for (const [stage, { cpuUs, wallMs }] of Object.entries(stages)) {
  const [cpu, wall] = [cpuUs / count, (1000 * wallMs) / count];
  process.stdout.write(
    `${stage.padEnd(44)} ${cpu.toFixed(0).padStart(6)} CPU ${wall.toFixed(0).padStart(6)} wall\n`,
  );
}
const all = stages[STAGES.at(-1) ?? ""];
const rate = count / ((all?.cpuUs ?? 0) / 1e6);
process.stdout.write(
  `${rate.toFixed(0)} cross-checks a CPU second, ${((100 * rate) / GOAL).toFixed(0)} % of the goal of ${GOAL}\n`,
);
