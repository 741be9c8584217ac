/** The same operations on the running kernel: results, errors, what is alive. */
import fc from "fast-check";
import { afterAll, describe, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { operations, PATHS } from "./commands.ts";
import { fileSystem, LinuxObjects } from "./linux.ts";
import { newModel } from "./model.ts";

const files = kernelAvailable().ok ? fileSystem() : "no kernel to ask";

describe.skipIf(typeof files === "string")(
  `lifetimes beside the kernel (${typeof files === "string" ? files : ""})`,
  () => {
    afterAll(() => {
      if (typeof files !== "string") files.close();
    });

    it("the kernel does what the model says, for one process", () => {
      if (typeof files === "string") return;
      fc.assert(
        fc.property(operations(40, 1), (commands) => {
          const objects = new LinuxObjects(files);
          try {
            fc.modelRun(() => ({ model: newModel(), real: objects }), commands);
          } finally {
            objects.end(PATHS);
          }
        }),
        { numRuns: Number(process.env["SOUNDCHECK_LIFETIMES"] ?? 20), seed: 1 },
      );
    }, 120_000);
  },
);
