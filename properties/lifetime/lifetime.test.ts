/** Objects live exactly as long as they can be reached: the runtime, which counts, beside the model, which does not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Model } from "../../src/kernel/model/model.ts";
import type { Operation } from "../../src/kernel/operation.ts";
import { Runtime } from "../../src/kernel/runtime.ts";
import { GROUPS, grouping, MOUNTED, mounting, NETWORKS, wandering } from "./area-operations.ts";
import { attaching, DEVICES, operation, passing } from "./operations.ts";

/** One operation on both: the same result, the same objects alive, the same descriptors and pins. */
class Both implements fc.Command<Model, Runtime> {
  readonly #operation: Operation;

  constructor(one: Operation) {
    this.#operation = one;
  }

  /** What the model says it does not know, in this state, is not done. */
  check(model: Readonly<Model>): boolean {
    return model.knows(this.#operation);
  }

  run(model: Model, runtime: Runtime): void {
    const { result } = model.do(this.#operation);
    expect(runtime.do(this.#operation).result).toBe(result);
    expect(runtime.observe()).toEqual(model.observe());
    expect(runtime.audit()).toEqual([]);
  }

  toString(): string {
    return JSON.stringify(this.#operation);
  }
}

/** Sequences by chance. */
function sequences(
  one: fc.Arbitrary<Operation>,
  maxCommands: number,
  numRuns: number,
  first: readonly Operation[] = [],
): void {
  const operations = fc.commands<Model, Runtime>([one.map((each) => new Both(each))], {
    maxCommands,
    size: "max",
  });
  fc.assert(
    fc.property(operations, (commands) => {
      fc.modelRun(() => {
        const [model, real] = [new Model(), new Runtime()];
        for (const each of [...DEVICES, ...first]) {
          model.do(each);
          real.do(each);
        }
        return { model, real };
      }, commands);
    }),
    { numRuns },
  );
}

const RUNS = Number(process.env["SOUNDCHECK_LIFETIMES"] ?? 30);

describe("lifetimes", () => {
  it("the runtime does what the model says", () => sequences(operation(4), 200, RUNS), 120_000);

  it("sockets that pass each other", () => sequences(passing(), 60, RUNS), 120_000);

  it("cgroups, and what is attached to them", () => sequences(grouping(), 100, RUNS, GROUPS), 120_000);

  it("network namespaces and their devices", () => sequences(wandering(), 100, RUNS, NETWORKS), 120_000);

  it("mount namespaces and file systems", () => sequences(mounting(), 100, RUNS, MOUNTED), 120_000);

  it("hooks of a device, and what is attached there", () => sequences(attaching(), 100, RUNS), 120_000);
});
