/** Generated traces on the runtime and on Linux: what differs, made small. */
import fc from "fast-check";
import type { KernelOptions } from "../../kernel/kernel.ts";
import type { Operation } from "../../kernel/operation.ts";
import { isAttachmentOperation } from "../../kernel/operations/attachments.ts";
import { Runtime } from "../../kernel/runtime.ts";
import { type Comparison, compareTrace } from "./compare.ts";
import { choices, traceOf } from "./generate.ts";
import { LinuxSystem } from "./linux/linux-system.ts";
import type { World } from "./linux/world.ts";

/** Operations by what they do (commands of bpf(2) by their names): how many succeeded, how many failed. */
export type Tally = Map<string, { succeeded: number; failed: number }>;

/** A trace on which the systems are not the same. */
export interface Finding {
  readonly seed: number;
  /** Up to the operation after which they differ. */
  readonly operations: readonly Operation[];
  readonly comparison: Comparison;
}

const nameOf = (operation: Operation): string =>
  operation.do === "bpf" ? String(operation.command) : operation.do;

/**
 * Does a trace's operations on the runtime and on Linux. What differs while somebody changes the machine's settings is no difference: the trace is done again.
 * @param tally  is added to
 */
export function onLinux(world: World, operations: readonly Operation[], tally?: Tally): Comparison {
  for (;;) {
    const options = world.runtimeOptions();
    const comparison = once(world, options, operations, tally);
    const isSettled = world.runtimeOptions().unprivilegedBpfDisabled === options.unprivilegedBpfDisabled;
    if (comparison.difference === undefined || isSettled) return comparison;
  }
}

function once(
  world: World,
  options: KernelOptions,
  operations: readonly Operation[],
  tally: Tally | undefined,
): Comparison {
  const linux = new LinuxSystem(world, operations.some(isAttachmentOperation));
  try {
    const systems = [
      { name: "runtime", system: new Runtime(options) },
      { name: "linux", system: linux },
    ];
    return compareTrace(operations, systems, (_, operation, outcomes) => {
      const name = nameOf(operation);
      const counts = tally?.get(name) ?? { succeeded: 0, failed: 0 };
      counts[(outcomes[0]?.answer.result ?? 0) < 0 ? "failed" : "succeeded"] += 1;
      tally?.set(name, counts);
    });
  } finally {
    linux.end();
  }
}

/**
 * The trace of a seed.
 * @param shrinkMs  how long one on which the systems differ is made smaller
 * @returns nothing if they are the same
 */
export function tryTrace(
  world: World,
  seed: number,
  length: number,
  tally: Tally,
  shrinkMs: number,
): Finding | undefined {
  let finding: Finding | undefined;
  let first = true;
  fc.check(
    fc.property(choices(length), (list) => {
      const operations = traceOf(list);
      const comparison = onLinux(world, operations, first ? tally : undefined);
      first = false;
      const at = comparison.difference ?? comparison.missing[0];
      if (at === undefined) return true;
      finding = { seed, operations: operations.slice(0, at.step + 1), comparison };
      return false;
    }),
    { seed, numRuns: 1, interruptAfterTimeLimit: shrinkMs, markInterruptAsFailure: false },
  );
  return finding;
}
