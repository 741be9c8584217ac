import { expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import { verify } from "./verify.ts";

const program = (asm: readonly string[]): Program => ({
  name: "test",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(asm),
  maps: [],
  lines: [],
  functions: [],
});

/** A loop over TCP-like options: a state met in it includes later ones while its own paths are still open. */
const LOOP = program([
  "r2 = *(u32 *)(r1 +0)",
  "r1 = *(u32 *)(r1 +4)",
  "r3 = 60",
  "w4 = 20",
  "w5 = 0",
  "again:",
  "r6 = r2",
  "r6 += r4",
  "r7 = r6",
  "r7 += 4",
  "w0 = 2",
  "if r7 > r1 goto out",
  "r7 = *(u8 *)(r6 +0)",
  "if w7 == 0x1 goto one",
  "r6 = *(u8 *)(r6 +1)",
  "if w6 < 0x2 goto out",
  "w4 += w6",
  "goto next",
  "one:",
  "w4 += 1",
  "next:",
  "if w4 > 0x3c goto out",
  "if w4 < w3 goto again",
  "out:",
  "exit",
]);

/** Leaves states of several frames in the memory that verifications share. */
const DEEP = program([
  "call f",
  "exit",
  "f:",
  "call g",
  "exit",
  "g:",
  "call h",
  "exit",
  "h:",
  "call i",
  "exit",
  "i:",
  "r0 = 7",
  "exit",
]);

test("a verdict does not depend on what was verified before", () => {
  const fresh = verify(LOOP);
  expect(fresh).toMatchObject({ verdict: "accept" });
  for (let i = 0; i < 3; i += 1) expect(verify(DEEP)).toMatchObject({ verdict: "accept" });
  const again = verify(LOOP);
  expect(again).toEqual(fresh);
});
