/**
 * What a program at a hook of a security module finds behind the hook's arguments: what the program before it returned. The verdicts, but for the last, are those
 * that a guest with Linux 7.3 gave; the types are the running kernel's.
 */
import { expect, test } from "vitest";
import { kernelTypes } from "../../src/object/kernel-types.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { objectOptionsFor } from "../../src/oracle/linux/object-options.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import { defaultProfile } from "../../src/semantics/profile/default.ts";
import { verify } from "../../src/verifier/verify.ts";

const btf = kernelAvailable().ok ? objectOptionsFor().targetBtf : undefined;

test.skipIf(btf === undefined).each([
  ["handed on", "r0 = *(u32 *)(r1 +8)\nexit", "accept"],
  ["handed on with its upper half", "r0 = *(u64 *)(r1 +8)\nexit", "accept"],
  ["and one", "r0 = *(u32 *)(r1 +8)\nw0 += 1\nexit", "reject"],
  ["half of it", "r0 = *(u16 *)(r1 +8)\nexit", "reject"],
  ["what is behind it", "r0 = *(u64 *)(r1 +16)\nr0 = 0\nexit", "reject"],
  // Linux accepts this one: it takes the upper half for that of a negative number or 0. Here only the half counts that is checked of results.
  [
    "its upper half as an offset",
    "r2 = *(u64 *)(r1 +8)\nr2 s>>= 32\nr3 = r10\nr3 += r2\nr3 += -1\n*(u8 *)(r3 +0) = 0\nr0 = 0\nexit",
    "reject",
  ],
])("the result of the program before: %s", (_what, source, expected) => {
  if (btf === undefined) return;
  const program = {
    name: "hook",
    type: "lsm" as const,
    attach: "lsm_mac" as const,
    target: "file_open",
    license: "GPL",
    flags: [],
    insns: assemble(source),
    maps: [],
    lines: [],
    functions: [],
  };
  const rules = { profile: defaultProfile(), types: kernelTypes(btf) };
  expect(verify(program, undefined, rules).verdict).toBe(expected);
});
