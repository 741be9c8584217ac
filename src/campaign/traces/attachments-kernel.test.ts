/** Attachments on the runtime and on the running kernel. */
import { cpus } from "node:os";
import { afterAll, describe, expect, it } from "vitest";
import { Runtime } from "../../kernel/runtime.ts";
import { kernelAvailable } from "../../oracle/linux/kernel.ts";
import { Processes } from "../../oracle/linux/processes.ts";
import { generator } from "../random.ts";
import { AREAS } from "./attachment-scenes.ts";
import { compareTrace } from "./compare.ts";
import { attachmentTrace } from "./generate-attachments.ts";
import { LinuxSystem } from "./linux/linux-system.ts";
import { World } from "./linux/world.ts";

const LENGTH = 30;

function start(): World | string {
  const kernel = kernelAvailable();
  if (!kernel.ok) return kernel.reason;
  if (process.arch !== "x64") return `system calls of ${process.arch}`;
  try {
    return new World(new Processes(process.env));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const world = start();

describe.skipIf(typeof world === "string")(
  `attachments beside the kernel (${typeof world === "string" ? world : "processes of their own"})`,
  () => {
    if (typeof world === "string") return;
    afterAll(() => world.stop());
    const options = { ...world.runtimeOptions(), cpus: cpus().length };

    it.each(AREAS)(
      "%s: the runtime answers what Linux does, and has what it has",
      (area) => {
        const operations = attachmentTrace(generator(1), area, LENGTH, new Runtime(options));
        const linux = new LinuxSystem(world, true);
        const systems = [
          { name: "runtime", system: new Runtime(options) },
          { name: "linux", system: linux },
        ];
        try {
          expect(compareTrace(operations, systems).difference).toBeUndefined();
        } finally {
          linux.end();
        }
      },
      60_000,
    );
  },
);
