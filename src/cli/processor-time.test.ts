/** Processor time: of this process, and on Linux of those that it started. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { processorSeconds } from "./processor-time.ts";

/** A process that computes for so many milliseconds of processor time, and then waits. */
function busy(milliseconds: number) {
  const program = `
    const start = process.cpuUsage();
    const spent = () => { const { user, system } = process.cpuUsage(start); return (user + system) / 1000; };
    while (spent() < ${milliseconds});
    console.log("done");
    setInterval(() => undefined, 1000);`;
  return spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "ignore"] });
}

describe("processor time", () => {
  test("is what is computed, not what is waited for", async () => {
    const start = processorSeconds();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const waited = processorSeconds() - start;
    expect(waited).toBeLessThan(0.25);
    const { user, system } = process.cpuUsage();
    const until = user + system + 100_000;
    for (let now = 0; now < until; ) {
      const usage = process.cpuUsage();
      now = usage.user + usage.system;
    }
    expect(processorSeconds() - start).toBeGreaterThan(0.095);
  });

  test.skipIf(process.platform !== "linux")(
    "counts a process that was started, while it runs and when it has ended",
    async () => {
      const start = processorSeconds();
      const child = busy(250);
      await once(child.stdout, "data");
      expect(processorSeconds() - start).toBeGreaterThan(0.24);
      child.kill();
      await once(child, "close");
      expect(processorSeconds() - start).toBeGreaterThan(0.24);
    },
  );
});
