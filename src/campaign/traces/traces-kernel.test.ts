/** Generated traces on the runtime and on the running kernel. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { kernelAvailable } from "../../oracle/linux/kernel.ts";
import { Processes } from "../../oracle/linux/processes.ts";
import { onLinux, type Tally, tryTrace } from "./campaign.ts";
import { World } from "./linux/world.ts";
import { readTrace } from "./trace-file.ts";

const folder = new URL("../../../corpus/traces/", import.meta.url);
const corpus = readdirSync(folder).map(
  (name) => [name, readFileSync(new URL(name, folder), "utf8")] as const,
);

const TRACES = Number(process.env["SOUNDCHECK_TRACES"] ?? 200);
const LENGTH = 16;
/** How long a trace on which they differ is made smaller. */
const SHRINK_MS = 20_000;

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
  `traces beside the kernel (${typeof world === "string" ? world : "processes of their own"})`,
  () => {
    if (typeof world === "string") return;
    afterAll(() => world.stop());

    for (const [name, text] of corpus) {
      it(`corpus/traces/${name}`, () => {
        const operations = readTrace(name, text).lines.map(({ operation }) => operation);
        expect(onLinux(world, operations)).toEqual({ missing: [] });
      });
    }

    it("the runtime answers what Linux does, and has what it has", () => {
      const tally: Tally = new Map();
      for (let seed = 1; seed <= TRACES; seed++)
        expect(tryTrace(world, seed, LENGTH, tally, SHRINK_MS)).toBeUndefined();
      expect([...tally.values()].reduce((sum, { succeeded }) => sum + succeeded, 0)).toBeGreaterThan(TRACES);
    }, 120_000);
  },
);
