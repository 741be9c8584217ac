/** `soundcheck replay`: traces of system calls on the runtime, the model and Linux, held against each other after each operation. */
import { type Comparison, type Contender, compareTrace, type Outcome } from "../campaign/traces/compare.ts";
import { LinuxSystem } from "../campaign/traces/linux/linux-system.ts";
import { changes, tellOperation, tellResult } from "../campaign/traces/tell.ts";
import { readTrace, type Trace } from "../campaign/traces/trace-file.ts";
import { Model } from "../kernel/model/model.ts";
import { isAttachmentOperation } from "../kernel/operations/attachments.ts";
import { Runtime } from "../kernel/runtime.ts";
import type { Observation } from "../kernel/system.ts";
import { readBytes } from "./files.ts";
import { attempt, STATUS, type Status, worse } from "./status.ts";
import { note, out, outJson, paint, paintNote } from "./terminal.ts";
import { Worlds } from "./worlds.ts";

/** What a trace can be replayed on beside kernels: `linux`, the running one, and guests (`linux-6.1`). */
const OWN_SYSTEMS: readonly string[] = ["runtime", "model"];

export interface ReplayOptions {
  readonly on: readonly string[];
  readonly json?: boolean;
}

/** Reads a trace from a file. @throws InputError for one that is none */
export async function traceFile(file: string): Promise<Trace> {
  return readTrace(file, new TextDecoder().decode(await readBytes(file)));
}

/** Replays traces one after the other. */
export async function replay(files: readonly string[], options: ReplayOptions): Promise<Status> {
  let status: Status = STATUS.held;
  const worlds = new Worlds();
  try {
    for (const name of options.on) if (!OWN_SYSTEMS.includes(name)) worlds.get(name);
    for (const file of files) {
      status = worse(
        status,
        await attempt(file, async () => replayTrace(file, await traceFile(file), options, worlds)),
      );
    }
    return status;
  } finally {
    worlds.stopAll();
  }
}

/** A system to replay on, and what ends what the trace made there. */
interface Prepared extends Contender {
  readonly end?: () => void;
}

function prepare(name: string, { lines }: Trace, runtime: Runtime, worlds: Worlds): Prepared {
  if (name === "runtime") return { name, system: runtime };
  if (name === "model") return { name, system: new Model() };
  const attaches = lines.some(({ operation }) => isAttachmentOperation(operation));
  const system = new LinuxSystem(worlds.get(name), attaches);
  return { name, system, end: () => system.end() };
}

/** The runtime with the rules of the first kernel that it is held against; else with those of the newest. */
function runtimeFor(on: readonly string[], worlds: Worlds): Runtime {
  const kernel = on.find((name) => !OWN_SYSTEMS.includes(name));
  if (kernel === undefined) return new Runtime();
  return new Runtime(worlds.get(kernel).runtimeOptions());
}

function replayTrace(
  file: string,
  trace: Trace,
  { on, json = false }: ReplayOptions,
  worlds: Worlds,
): Status {
  const { about, lines } = trace;
  const runtime = runtimeFor(on, worlds);
  const systems: Prepared[] = [];
  if (!json) for (const line of about) out(`${paint("dim", `# ${line}`)}\n`);
  try {
    for (const name of on) systems.push(prepare(name, trace, runtime, worlds));
    let before: Observation["alive"] | undefined;
    const comparison = compareTrace(
      lines.map(({ operation }) => operation),
      systems,
      (step, _, outcomes) => {
        const line = lines[step]?.line ?? 0;
        if (json) outJson({ file, line, ...jsonOf(outcomes) });
        else tellStep(line, outcomes, lines[step], before);
        before = outcomes[0]?.observation.alive;
      },
    );
    for (const { end } of systems) end?.();
    return conclude(file, lines, comparison, json);
  } catch (error) {
    // What a trace left behind is nobody's to clean up but the kernel's: it goes with the processes.
    for (const { name } of systems) worlds.stop(name);
    throw error;
  }
}

const jsonOf = (outcomes: readonly Outcome[]): object => ({
  answers: Object.fromEntries(outcomes.map(({ name, answer }) => [name, answer])),
  alive: outcomes[0]?.observation.alive,
});

function tellStep(
  line: number,
  [first]: readonly Outcome[],
  of: Trace["lines"][number] | undefined,
  before: Observation["alive"] | undefined,
): void {
  if (first === undefined || of === undefined) return;
  const { come, gone } = changes(before, first.observation.alive);
  const effects = [
    ...come.map((name) => paint("green", `+ ${name}`)),
    ...gone.map((name) => paint("red", `- ${name}`)),
  ];
  const result = tellResult(first.answer.result);
  const text = `${String(line).padStart(4)}  ${tellOperation(of.operation)} = ${result}`;
  out(`${text}${effects.length === 0 ? "" : `   ${effects.join("  ")}`}\n`);
}

function conclude(
  file: string,
  lines: Trace["lines"],
  { difference, missing }: Comparison,
  json: boolean,
): Status {
  let status: Status = STATUS.held;
  for (const { step, name, message } of missing) {
    note(`${file}:${lines[step]?.line ?? 0}: ${name}: unsupported: ${message}; left out from here on`);
    // The model knows lifetimes alone, and is asked as far as it does.
    if (name !== "model") status = STATUS.impossible;
  }
  if (difference !== undefined) {
    const line = lines[difference.step]?.line ?? 0;
    if (json) outJson({ file, line, verdict: "different", what: difference.what, values: difference.values });
    const operation = tellOperation(difference.operation);
    note(`${file}:${line}: ${operation}: ${paintNote("red", `${difference.what} differs`)}`);
    for (const { name, value } of difference.values) {
      const shown = difference.what === "result" ? tellResult(Number(value)) : value;
      note(`  ${name.padEnd(8)} ${shown}`);
    }
    return worse(status, STATUS.found);
  }
  if (json) outJson({ file, verdict: "same" });
  return status;
}
