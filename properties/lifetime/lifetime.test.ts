/** Objects live exactly as long as they can be reached: the runtime, which counts, beside the model, which does not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Runtime } from "../../src/kernel/runtime.ts";
import { operations } from "./commands.ts";
import { newModel } from "./model.ts";

describe("lifetimes", () => {
  it("the runtime does what the model says", () => {
    fc.assert(
      fc.property(operations(100, 4), (commands) => {
        fc.modelRun(() => ({ model: newModel(), real: new Runtime() }), commands);
      }),
      { numRuns: Number(process.env["SOUNDCHECK_LIFETIMES"] ?? 50) },
    );
  });

  it("a program that holds an array that holds the program goes with the array's last user", () => {
    const runtime = new Runtime();
    const array = runtime.mapCreate(1, "prog_array", 1);
    const program = runtime.progLoad(1, [array]);
    expect(runtime.mapUpdate(1, array, 0, program)).toBe(0);
    runtime.close(1, program);
    expect(runtime.alive("program")).toEqual([1]);
    runtime.close(1, array);
    expect([runtime.alive("map"), runtime.alive("program")]).toEqual([[], []]);
  });

  it("a pin keeps a map after its process, and a descriptor after the pin", () => {
    const runtime = new Runtime();
    const map = runtime.mapCreate(1, "array", 1);
    runtime.objPin(1, map, "m");
    const other = runtime.fork(1);
    runtime.exit(1);
    runtime.close(other, map);
    expect(runtime.alive("map")).toEqual([1]);
    const fd = runtime.objGet(other, "m");
    runtime.unlink("m");
    expect(runtime.alive("map")).toEqual([1]);
    runtime.close(other, fd);
    expect(runtime.alive("map")).toEqual([]);
  });
});
