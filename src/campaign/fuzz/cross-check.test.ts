/** What a campaign gives up: programs that take more to verify than it gives them. */
import { expect, it } from "vitest";
import { assemble } from "../../semantics/isa/assemble.ts";
import { DEFAULT_RULES } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { crossCheck } from "./cross-check.ts";

const THREE: Program = {
  name: "three",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(["r7 = 0", "r0 = 2", "exit"]),
  maps: [],
  lines: [],
  functions: [],
};
const SETTINGS = { rules: DEFAULT_RULES, runs: 1, oracles: [] };

it("refuses what takes more instructions than it gives, and nothing else", () => {
  const given = (mostProcessed: number): string | undefined =>
    crossCheck(THREE, 1, { ...SETTINGS, mostProcessed }).reason;
  expect(given(2)).toContain("too large");
  expect(given(3)).toBeUndefined();
  expect(crossCheck(THREE, 1, SETTINGS).reason).toBeUndefined();
});
