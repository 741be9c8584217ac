/** Packets take the same way through the same programs at the same hooks, in the machine and in the running kernel. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { NetworkNamespace } from "../../src/oracle/linux/network/namespace.ts";
import { newClsact, newVethPair } from "../../src/oracle/linux/network/netlink.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import { PipelinePair } from "./pipeline-pair.ts";
import { pipelines } from "./pipeline-programs.ts";

/** Why there is nothing to compare with; nothing if there is. */
function missing(): string | undefined {
  if (!kernelAvailable().ok) return "no kernel to ask";
  try {
    const namespace = new NetworkNamespace(THIS_MACHINE);
    try {
      const device = (name: string) => ({ name, address: new Uint8Array([2, 0, 0, 0, 0, 1]), mtu: 1500 });
      namespace.request("veth", newVethPair(device("a"), device("b")));
      namespace.request("clsact", newClsact(namespace.ifindex("a")));
    } finally {
      namespace.leave();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const problem = missing();

describe.skipIf(problem !== undefined)(
  `pipelines beside the kernel${problem === undefined ? "" : `: ${problem}`}`,
  () => {
    const numRuns = Number(process.env["SOUNDCHECK_PIPELINES"] ?? 12);
    const seed = Number(process.env["SOUNDCHECK_SEED"] ?? 1);

    it(
      "what sockets receive and programs are given",
      () => {
        fc.assert(
          fc.property(pipelines, (sketch) => {
            const pair = new PipelinePair(sketch);
            try {
              const { machine, kernel } = pair.run();
              expect(machine).toEqual(kernel);
            } catch (error) {
              // A packet of which a socket has a copy may have its metadata taken away.
              if (!(error instanceof Unsupported)) throw error;
            } finally {
              pair.close();
            }
          }),
          { numRuns, seed, endOnFailure: true },
        );
      },
      60_000 + 1000 * numRuns,
    );
  },
);
