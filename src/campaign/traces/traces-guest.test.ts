/** Traces in a guest: processes of another kernel. Expected: what the runtime says with that kernel's rules. Skipped with the reason where there is no guest. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bootGuest } from "../../oracle/guest/guest.ts";
import { GuestProcesses } from "../../oracle/guest/guest-processes.ts";
import { cachedImages, guestCache } from "../../oracle/guest/image.ts";
import { InputError } from "../../semantics/errors.ts";
import { onLinux } from "./campaign.ts";
import { World } from "./linux/world.ts";
import { readTrace } from "./trace-file.ts";

function start(): World | string {
  const cache = guestCache(process.env);
  const image = cachedImages(cache).find(({ name }) => name === "linux-6.1");
  if (image === undefined) return "linux-6.1 has not been fetched";
  try {
    return new World(new GuestProcesses(bootGuest(image, process.env["PATH"] ?? "", { cache })));
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

const OBJ_GET_AT = { pathname: { text: "m" }, path_fd: 0, file_flags: 1 << 14 };

describe("traces in a guest", () => {
  it("Linux 6.1 does what the runtime does, processes, messages, file systems and program arrays", (test) => {
    const world = start();
    if (typeof world === "string") return test.skip(world);
    try {
      for (const name of [
        "descriptor-holding-daemon",
        "mount-namespace-keeps-pins",
        "program-array-cycle",
        "close-on-exec",
      ]) {
        const file = new URL(`../../../corpus/traces/${name}.jsonl`, import.meta.url);
        const operations = readTrace(name, readFileSync(file, "utf8")).lines.map(
          ({ operation }) => operation,
        );
        expect(onLinux(world, operations)).toEqual({ missing: [] });
      }
      // Before 6.5 there is no path from a descriptor on.
      const get = { process: 1, do: "bpf", command: "obj_get", attr: OBJ_GET_AT } as const;
      expect(onLinux(world, [get])).toEqual({ missing: [] });
    } finally {
      world.stop();
    }
  }, 120_000);
});
