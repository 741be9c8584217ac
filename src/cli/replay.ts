/** `soundcheck replay`: traces of system calls on the runtime, the model and Linux, held against each other after each operation. */
import { type Comparison, type Contender, compareTrace, type Outcome } from "../campaign/traces/compare.ts";
import { LinuxSystem } from "../campaign/traces/linux/linux-system.ts";
import { World } from "../campaign/traces/linux/world.ts";
import { changes, tellOperation, tellResult } from "../campaign/traces/tell.ts";
import { readTrace, type Trace } from "../campaign/traces/trace-file.ts";
import { Model } from "../kernel/model/model.ts";
import { isAttachmentOperation } from "../kernel/operations/attachments.ts";
import { Runtime } from "../kernel/runtime.ts";
import type { Observation } from "../kernel/system.ts";
import { kernelAvailable } from "../oracle/linux/kernel.ts";
import { InputError } from "../semantics/errors.ts";
import { readBytes } from "./files.ts";
import { attempt, STATUS, type Status, worse } from "./status.ts";
import { note, out, outJson, paint, paintNote } from "./terminal.ts";

/** What a trace can be replayed on. */
export const SYSTEM_NAMES = ["runtime", "model", "linux"] as const;
export type SystemName = (typeof SYSTEM_NAMES)[number];

export interface ReplayOptions {
  readonly on: readonly SystemName[];
  readonly json?: boolean;
}

/** Reads a trace from a file. @throws InputError for one that is none */
export async function traceFile(file: string): Promise<Trace> {
  return readTrace(file, new TextDecoder().decode(await readBytes(file)));
}

/** Processes of our own on this machine. @throws InputError where there can be none */
function linuxWorld(): World {
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(`--on linux: ${kernel.reason}`);
  if (process.arch !== "x64") throw new InputError(`--on linux: not on ${process.arch}`);
  try {
    return new World(process.env);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`--on linux: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Replays traces one after the other. */
export async function replay(files: readonly string[], options: ReplayOptions): Promise<Status> {
  let status: Status = STATUS.held;
  let world: World | undefined;
  try {
    if (options.on.includes("linux")) world = linuxWorld();
    for (const file of files) {
      status = worse(
        status,
        await attempt(file, async () => replayTrace(file, await traceFile(file), options, world)),
      );
    }
    return status;
  } finally {
    world?.stop();
  }
}

function replayTrace(
  file: string,
  { about, lines }: Trace,
  { on, json = false }: ReplayOptions,
  world: World | undefined,
): Status {
  const linux =
    world === undefined
      ? undefined
      : new LinuxSystem(
          world,
          lines.some(({ operation }) => isAttachmentOperation(operation)),
        );
  const make = (name: SystemName): readonly Contender[] => {
    if (name === "runtime") return [{ name, system: new Runtime() }];
    if (name === "model") return [{ name, system: new Model() }];
    return linux === undefined ? [] : [{ name, system: linux }];
  };
  if (!json) for (const line of about) out(`${paint("dim", `# ${line}`)}\n`);
  try {
    let before: Observation["alive"] | undefined;
    const comparison = compareTrace(
      lines.map(({ operation }) => operation),
      on.flatMap(make),
      (step, _, outcomes) => {
        const line = lines[step]?.line ?? 0;
        if (json) outJson({ file, line, ...jsonOf(outcomes) });
        else tellStep(line, outcomes, lines[step], before);
        before = outcomes[0]?.observation.alive;
      },
    );
    return conclude(file, lines, comparison, json);
  } finally {
    linux?.end();
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
