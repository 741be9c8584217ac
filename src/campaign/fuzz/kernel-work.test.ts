/** A kernel under test: what comes of a range, of one that fails, and of the running one, which gets what is harmless alone. */
import { describe, expect, test } from "vitest";
import { GuestFailure } from "../../oracle/guest/failure.ts";
import type { Kernel, SystemCall } from "../../oracle/linux/calls.ts";
import { kernelAvailable } from "../../oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../../oracle/linux/this-machine.ts";
import { DEFAULT_RULES } from "../../semantics/profile/rules.ts";
import { probeFor, type UnderTest } from "../kernels/open.ts";
import type { BatchResult, Settings, Unusable } from "./batch.ts";
import { KernelWork } from "./kernel-work.ts";
import { oraclesFor } from "./oracle-names.ts";
import { programOfCampaign } from "./programs.ts";

const settings = (name: string, without: Parameters<typeof oraclesFor>[2] = []): Settings => ({
  runs: 4,
  target: `kernel:${name}`,
  oracles: oraclesFor(`kernel:${name}`, [], without),
});

function sums(answer: BatchResult | Unusable): BatchResult {
  if ("unusable" in answer) throw new Error(answer.unusable);
  return answer;
}

/** A kernel that makes maps, refuses programs, and does not survive some of the calls that load any. */
function failing(isFatal: (load: number) => boolean): UnderTest {
  const failure = new GuestFailure("linux-6.1", {
    kind: "exit",
    console: "WARNING: kernel/bpf/verifier.c:7 at f+0x1/0x2",
    qemu: "",
  });
  let loads = 0;
  const kernel = (): Kernel => ({
    ...THIS_MACHINE,
    name: "linux-6.1",
    arch: "x64",
    calls: (list: readonly SystemCall[]): ReturnType<Kernel["calls"]> => {
      // 5 is BPF_PROG_LOAD.
      const isLoad = list[0]?.arguments[0] === 5;
      if (isLoad && isFatal((loads += 1))) throw failure;
      return list.map(() => (isLoad ? { result: -1, errno: 13 } : { result: 9, errno: 0 }));
    },
  });
  return { kernel, rules: DEFAULT_RULES, version: 601, mayRun: () => true, close: () => undefined };
}

describe("a kernel that does not survive a program", () => {
  const range = (without: Parameters<typeof oraclesFor>[2]): BatchResult => {
    // All three, then the second alone.
    const work = new KernelWork("linux-6.1", () => failing((load) => load === 1 || load === 3));
    return sums(work.batch({ first: 5, count: 3, settings: settings("linux-6.1", without) }));
  };

  test("is a finding about that program, and the others are judged", () => {
    const { found, tally } = range([]);
    expect(found).toMatchObject([
      { key: "console: WARNING: kernel/bpf/verifier.c:# at f", seed: 6, violation: { oracle: "console" } },
    ]);
    expect(found[0]?.violation.console).toMatch(/^WARNING: kernel/);
    expect(tally).toMatchObject({ programs: 3, rejected: 2, unsupported: 1 });
  });

  test("is none where nobody asks for that", () => {
    expect(range(["console"])).toMatchObject({ found: [], tally: { programs: 3, unsupported: 3 } });
  });
});

/** A kernel that accepts everything, or refuses every program. */
function saying(name: string, verdict: "accept" | "reject"): UnderTest {
  const kernel: Kernel = {
    ...THIS_MACHINE,
    name,
    arch: "x64",
    calls: (list) =>
      list.map(({ arguments: [command] }) =>
        command === 5 && verdict === "reject" ? { result: -1, errno: 13 } : { result: 9, errno: 0 },
      ),
  };
  return {
    kernel: () => kernel,
    rules: DEFAULT_RULES,
    version: 601,
    mayRun: () => false,
    close: () => undefined,
  };
}

test("what another kernel refuses is a finding where that is asked for", () => {
  const [own, other] = [saying("linux-6.1", "accept"), saying("linux-7.3", "reject")];
  const found = (
    more: Partial<Settings>,
    without: Parameters<typeof oraclesFor>[2] = [],
  ): readonly string[] => {
    const work = new KernelWork("linux-6.1", (name) => (name === "linux-7.3" ? other : own));
    const range = { first: 1, count: 2, settings: { ...settings("linux-6.1", without), runs: 0, ...more } };
    return sums(work.batch(range)).found.map(({ violation }) => violation.oracle);
  };
  expect(found({ beside: "linux-7.3" })).toEqual(["beside", "beside"]);
  expect(found({ beside: "linux-7.3" }, ["beside"])).toEqual([]);
  expect(found({})).toEqual([]);
});

test("what cannot be had is told", () => {
  const work = new KernelWork("linux-6.1", () => {
    throw new GuestFailure("linux-6.1", { kind: "exit", console: "", qemu: "no such machine" });
  });
  expect(work.batch({ first: 1, count: 1, settings: settings("linux-6.1") })).toEqual({
    unusable: "--target kernel:linux-6.1: guest linux-6.1 ended: no such machine",
  });
});

test("the running kernel gets probes, whatever is asked for", () => {
  for (let seed = 1; seed < 40; seed += 1) {
    const { program } = programOfCampaign(seed, undefined, { ...settings("linux"), source: "generated" });
    const beside = { ...settings("linux-6.1"), source: "generated", beside: "linux" } as const;
    expect(program).toEqual(probeFor("linux", seed));
    expect(programOfCampaign(seed, undefined, beside).program).toEqual(program);
  }
});

test.skipIf(!kernelAvailable().ok)("the running kernel, by all oracles", () => {
  const work = new KernelWork("linux");
  const all = oraclesFor("kernel:linux", ["fault", "bounds", "dead", "run", "verdict"], []);
  const { tally, found } = sums(
    work.batch({ first: 1, count: 24, settings: { ...settings("linux"), oracles: all } }),
  );
  expect(tally.programs).toBe(24);
  expect(tally.accepted).toBeGreaterThan(15);
  expect(tally.compared).toBeGreaterThan(200);
  expect(tally.kernelRuns).toBeGreaterThan(15);
  expect(tally.processed).toBeGreaterThan(24 * 10);
  // A kernel may have a hole that a probe meets; what runs without one ends as in the machine.
  expect(found.filter(({ violation }) => violation.oracle === "run")).toEqual([]);
});
