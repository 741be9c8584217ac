/** `soundcheck objects`: who keeps which object alive, after each operation of a trace on the runtime. */
import { writeFile } from "node:fs/promises";
import { dot } from "../campaign/traces/graph.ts";
import { objectsPage } from "../campaign/traces/objects-page.ts";
import { changes, tellOperation, tellResult } from "../campaign/traces/tell.ts";
import { chainTo, type Keeping } from "../kernel/keepers.ts";
import type { Operation } from "../kernel/operation.ts";
import { Runtime } from "../kernel/runtime.ts";
import { OBJECT_KINDS, type Observation } from "../kernel/system.ts";
import { InputError } from "../semantics/errors.ts";
import { layout } from "./graphviz.ts";
import { traceFile } from "./replay.ts";
import { STATUS, type Status } from "./status.ts";
import { note, out, outJson } from "./terminal.ts";

export interface ObjectsOptions {
  readonly why?: string;
  readonly whenFreed?: string;
  readonly dot?: boolean;
  readonly html?: string;
  readonly json?: boolean;
}

/** What there is after an operation. */
interface Step {
  readonly line: number;
  readonly operation: Operation;
  readonly result: number;
  readonly alive: Observation["alive"];
  readonly keepings: readonly Keeping[];
}

/** `map 3` for `map:3`. @throws InputError for what names no object */
function objectName(text: string): string {
  const [, kind, id] = /^(\w+)[: ](\d+)$/.exec(text) ?? [];
  const known = OBJECT_KINDS.find((each) => each === kind);
  if (known === undefined)
    throw new InputError(`${text} is no object: ${OBJECT_KINDS.join(", ")} with its number, such as map:3`);
  return `${known} ${id}`;
}

const isAlive = ({ alive }: Step, name: string): boolean =>
  OBJECT_KINDS.some((kind) => alive[kind].some((id) => `${kind} ${id}` === name));

export async function objects(file: string, options: ObjectsOptions): Promise<Status> {
  const { lines } = await traceFile(file);
  const runtime = new Runtime();
  const steps = lines.map(({ line, operation }): Step => {
    const { result } = runtime.do(operation);
    return { line, operation, result, alive: runtime.observe().alive, keepings: runtime.keepers() };
  });
  if (options.why !== undefined) return why(file, steps, objectName(options.why), options.json === true);
  if (options.whenFreed !== undefined)
    return whenFreed(file, steps, objectName(options.whenFreed), options.json === true);
  if (options.html !== undefined) return page(file, steps, options.html);
  const last = steps.at(-1);
  if (options.dot === true) out(dot(file, last?.keepings ?? []));
  else if (options.json === true) for (const { line, keepings } of steps) outJson({ file, line, keepings });
  else for (const { keeper, kept, how } of last?.keepings ?? []) out(`${keeper} --${how}--> ${kept}\n`);
  return STATUS.held;
}

const tellChain = (chain: readonly Keeping[]): string =>
  chain.map(({ keeper, kept, how }, index) => `${index === 0 ? keeper : ""} --${how}--> ${kept}`).join("");

/** After each operation that changes it, the chain that keeps an object. */
function why(file: string, steps: readonly Step[], name: string, json: boolean): Status {
  let before: string | undefined;
  for (const step of steps) {
    const chain = chainTo(step.keepings, name);
    const text =
      chain === undefined
        ? isAlive(step, name)
          ? "kept by what has no name here"
          : "not there"
        : tellChain(chain);
    if (text === before) continue;
    before = text;
    if (json) outJson({ file, line: step.line, object: name, chain: chain ?? [] });
    else out(`${file}:${step.line}: ${tellOperation(step.operation)}\n  ${text}\n`);
  }
  return steps.some((step) => isAlive(step, name)) ? STATUS.held : never(file, name);
}

function never(file: string, name: string): Status {
  note(`${file}: there is never a ${name}`);
  return STATUS.impossible;
}

/** The operation with which an object goes. */
function whenFreed(file: string, steps: readonly Step[], name: string, json: boolean): Status {
  const made = steps.findIndex((step) => isAlive(step, name));
  if (made === -1) return never(file, name);
  const freed = steps.find((step, index) => index > made && !isAlive(step, name));
  if (json) outJson({ file, object: name, line: freed?.line ?? null });
  else if (freed === undefined) out(`${file}: ${name} is there at the end\n`);
  else out(`${file}:${freed.line}: ${tellOperation(freed.operation)}\n`);
  return STATUS.held;
}

async function page(file: string, steps: readonly Step[], target: string): Promise<Status> {
  const shown = await Promise.all(
    steps.map(async ({ line, operation, result, alive, keepings }, index) => {
      const graph = dot("", keepings);
      const title = `${line}  ${tellOperation(operation)} = ${tellResult(result)}`;
      return { title, ...changes(steps[index - 1]?.alive, alive), dot: graph, svg: await layout(graph) };
    }),
  );
  await writeFile(target, objectsPage(file, shown));
  note(`${target}: ${shown.length} operations`);
  return STATUS.held;
}
