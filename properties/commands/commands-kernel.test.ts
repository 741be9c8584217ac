/** Calls of bpf(2) drawn by chance, right and wrong ones: the small kernel answers as Linux does (`scripts/bpf-commands.ts` for more of them). */
import { afterAll, describe, expect, it } from "vitest";
import { Processes } from "../../src/oracle/linux/processes.ts";
import { compareSequences, supported } from "./compare.ts";

const reason = supported();
const processes = reason === undefined ? new Processes(process.env) : undefined;
const SEQUENCES = 40;

describe.skipIf(processes === undefined)(`commands of bpf(2) (${reason ?? "this machine"})`, () => {
  afterAll(() => processes?.stop());

  it("answer as the kernel's", () => {
    if (processes === undefined) return;
    const { differences, tally } = compareSequences(processes, { seed: 20_261_122, sequences: SEQUENCES });
    expect(differences).toEqual([]);
    expect(tally.calls).toBeGreaterThan(SEQUENCES * 30);
  });
});
