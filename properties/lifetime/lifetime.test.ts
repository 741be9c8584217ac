/** Objects live exactly as long as they can be reached: the runtime, which counts, beside the model, which does not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Model } from "../../src/kernel/model/model.ts";
import type { Operation } from "../../src/kernel/operation.ts";
import { Runtime } from "../../src/kernel/runtime.ts";
import { DEVICES, operation } from "./operations.ts";

/** One operation on both: the same result, the same objects alive, the same descriptors and pins. */
class Both implements fc.Command<Model, Runtime> {
  readonly #operation: Operation;

  constructor(one: Operation) {
    this.#operation = one;
  }

  check(): boolean {
    return true;
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

describe("lifetimes", () => {
  it("the runtime does what the model says", () => {
    const operations = fc.commands<Model, Runtime>([operation(4).map((one) => new Both(one))], {
      maxCommands: 200,
      size: "max",
    });
    fc.assert(
      fc.property(operations, (commands) => {
        fc.modelRun(() => {
          const [model, real] = [new Model(), new Runtime()];
          for (const one of DEVICES) {
            model.do(one);
            real.do(one);
          }
          return { model, real };
        }, commands);
      }),
      { numRuns: Number(process.env["SOUNDCHECK_LIFETIMES"] ?? 30) },
    );
  }, 120_000);
});
