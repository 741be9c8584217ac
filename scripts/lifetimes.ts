/**
 * Lifetimes, as far as time allows: all interleavings of all operations of a small scope on runtime and model, breadth first; or, for all states of a scope at once, that every
 * action keeps the invariants (Z3).
 *
 *   npx tsx scripts/lifetimes.ts explore --minutes 5 --workers 2
 *   npx tsx scripts/lifetimes.ts induction
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  EXPLORED,
  type Expanded,
  expand,
  type Limits,
  type Reached,
  startOf,
} from "../properties/lifetime/explore.ts";
import { FAULTS } from "../properties/lifetime/faults.ts";
import { denied, stepOf } from "../properties/lifetime/invariants.ts";
import { actions } from "../properties/lifetime/scope-actions.ts";
import { SCOPES, SMALL } from "../properties/lifetime/scopes.ts";
import type { Scope } from "../properties/lifetime/symbolic.ts";
import type { Action } from "../src/kernel/model/actions.ts";
import { startZ3 } from "../src/semantics/term/z3.ts";

const MINUTE = 60_000;
/** States that a worker is given at a time. */
const BATCH = 50;

type Batch = readonly (readonly Action[])[];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "5" },
    workers: { type: "string", default: "2" },
    /** What `explore` goes through: `all`, `sockets`, `holders`, `namespaces`, `cgroups`, `mounts`; what `induction` is about: all eight by default. */
    scope: { type: "string" },
  },
});

function limitsOf(scope = "all"): Limits {
  const limits = EXPLORED[scope];
  if (limits === undefined) throw new Error(`no scope ${scope}: ${Object.keys(EXPLORED).join(", ")}`);
  return limits;
}

/** Batches to a worker, one at a time; nothing once the time is over. */
async function expandBatches(
  worker: ChildProcess,
  batches: Batch[],
  end: number,
  use: (found: Expanded) => void,
): Promise<void> {
  for (;;) {
    const batch = Date.now() < end ? batches.pop() : undefined;
    if (batch === undefined) return;
    worker.send(batch);
    const [found]: readonly Expanded[] = await once(worker, "message");
    if (found !== undefined) use(found);
  }
}

async function explore(): Promise<boolean> {
  const start = Date.now();
  const end = start + Number(values.minutes) * MINUTE;
  const workers = Array.from({ length: Number(values.workers) }, () =>
    fork(fileURLToPath(import.meta.url), [
      "worker",
      ...(values.scope === undefined ? [] : ["--scope", values.scope]),
    ]),
  );
  const first = startOf(limitsOf(values.scope));
  const seen = new Set([first.key]);
  let frontier: readonly Reached[] = [first];
  let [steps, differences] = [0, 0];
  for (let depth = 1; frontier.length > 0 && Date.now() < end; depth += 1) {
    const next: Reached[] = [];
    const batches: Batch[] = [];
    for (let at = 0; at < frontier.length; at += BATCH) {
      batches.push(frontier.slice(at, at + BATCH).map(({ trace }) => trace));
    }
    const use = (found: Expanded): void => {
      steps += found.steps;
      differences += found.differences.length;
      for (const { trace, what } of found.differences)
        console.log(`DIFFERENT: ${what}: ${JSON.stringify(trace)}`);
      for (const one of found.reached) {
        if (seen.has(one.key)) continue;
        seen.add(one.key);
        next.push(one);
      }
    };
    await Promise.all(workers.map((worker) => expandBatches(worker, batches, end, use)));
    const whole = batches.length === 0 ? "all" : `${batches.length * BATCH} states not expanded:`;
    const seconds = ((Date.now() - start) / 1000).toFixed(0);
    console.log(
      `depth ${depth}: ${whole} ${next.length} new states, ${seen.size} in all, ${steps} operations, ${seconds} s`,
    );
    frontier = next;
  }
  for (const worker of workers) worker.disconnect();
  console.log(`${seen.size} states, ${steps} operations on runtime and model, ${differences} differences`);
  return differences === 0;
}

const scopeNamed = (name: string): Scope | undefined =>
  Object.entries(SCOPES).find(([each]) => each === name)?.[1];

async function induction(): Promise<boolean> {
  const z3 = await startZ3();
  let held = true;
  for (const [name, scope] of Object.entries(SCOPES).filter(
    ([name]) => values.scope === undefined || name === values.scope,
  )) {
    const [start, all] = [Date.now(), actions(scope)];
    const open: string[] = [];
    for (const action of all) {
      const step = stepOf(scope, action);
      const begun = Date.now();
      const possible = (await z3.solve(step.premises, 10 * MINUTE)).result;
      const answer = (await z3.solve(denied(step), 10 * MINUTE)).result;
      if (Date.now() - begun > MINUTE / 2)
        console.error(`  ${JSON.stringify(action)}: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
      if (possible !== "sat" || answer !== "unsat")
        open.push(`${JSON.stringify(action)}: ${possible}, ${answer}`);
    }
    const seconds = ((Date.now() - start) / 1000).toFixed(0);
    console.log(
      `${name}: ${all.length - open.length} of ${all.length} actions keep the invariants, ${seconds} s`,
    );
    for (const line of open) console.log(`  not shown: ${line}`);
    held &&= open.length === 0;
  }
  let refuted = 0;
  const wrong = FAULTS.filter(
    ({ scope = SMALL }) => values.scope === undefined || scope === scopeNamed(values.scope),
  );
  for (const { fault, shownBy, scope = SMALL } of wrong) {
    const { result } = await z3.solve(denied(stepOf(scope, shownBy, fault)), MINUTE);
    if (result === "sat") refuted += 1;
    else console.log(`  not refuted: ${JSON.stringify({ fault, shownBy })}: ${result}`);
  }
  console.log(`${refuted} of ${wrong.length} wrong ways of counting are refuted`);
  await z3.stop();
  return held && refuted === wrong.length;
}

if (positionals[0] === "worker") {
  const limits = limitsOf(values.scope);
  process.on("message", (batch: Batch) => process.send?.(expand(batch, limits)));
} else {
  const held = await (positionals[0] === "induction" ? induction() : explore());
  process.exitCode = held ? 0 : 1;
}
