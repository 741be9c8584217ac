/** Inputs are ones that programs of the type can be given: one that a test run refuses is a run less. */
import { expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import type { ProgramType } from "../semantics/program/program-types.ts";
import { inputSource } from "./inputs.ts";
import { NEAR } from "./run-program.ts";
import { Runner } from "./runner.ts";

const program = (type: ProgramType, attach?: Program["attach"]): Program => ({
  name: type,
  type,
  ...(attach === undefined ? {} : { attach }),
  license: "GPL",
  flags: [],
  insns: assemble(["r0 = 1", "exit"]),
  maps: [],
  lines: [],
  functions: [],
});

/** The inputs of 100 that the machine takes, if each of them is kept and others are made from it. */
function taken(type: ProgramType, attach?: Program["attach"]): number {
  const tried = program(type, attach);
  const source = inputSource(tried, 1);
  const runner = new Runner(tried, false, "fault", NEAR);
  let count = 0;
  for (let i = 0; i < 100; i += 1) {
    const input = source.next();
    source.keep(input);
    if (runner.run(input, () => undefined)?.outcome.kind === "exit") count += 1;
  }
  return count;
}

test.each([
  ["sk_lookup", "sk_lookup"],
  ["cgroup_sock_addr", "cgroup_inet4_connect"],
  ["sock_ops"],
  ["raw_tracepoint"],
  ["xdp"],
] as const)("all that are drawn for %s programs", (type, attach?) => {
  expect(taken(type, attach)).toBe(100);
});

test("some frames lack the header that they announce: programs on socket buffers are not given them", () => {
  expect(taken("sched_cls")).toBeGreaterThan(60);
  expect(taken("sched_cls")).toBeLessThan(100);
});
