import { describe, expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { Program } from "../semantics/program/program.ts";
import { checkControlFlow, POINT, successors } from "./control-flow.ts";

const program = (...asm: string[]): Program => ({
  name: "test",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(asm),
  maps: [],
  lines: [],
  functions: [],
});

// The messages are the kernel's: corpus/verifier holds each with the kernel's answer.
describe("what no program may do", () => {
  test.each([
    ["last insn is not an exit or jmp", ["r0 = 0"]],
    ["unreachable insn 2", ["r0 = 0", "exit", "r0 = 1", "exit"]],
    ["jump out of range from insn 1 to 9", ["r0 = 0", "goto pc+7", "exit"]],
    ["jump out of range from insn 1 to -7", ["r0 = 0", "if r0 == 1 goto pc-9", "exit"]],
    ["jump into the middle of ldimm64 insn 2", ["r0 = 0", "if r0 == 1 goto pc+1", "r1 = 1 ll", "exit"]],
    ["call to invalid destination", ["r0 = 0", "call pc+5", "exit"]],
    // A jump may not leave its function, even where the other one goes on.
    ["jump out of range from insn 2 to 1", ["call f", "exit", "f:", "goto pc-2"]],
  ])("%s", (message, asm) => {
    expect(() => checkControlFlow(program(...asm))).toThrow(message);
  });
});

test("functions are found by their calls", () => {
  const flow = checkControlFlow(
    program("call f", "call g", "exit", "f:", "r0 = 0", "exit", "g:", "call f", "exit"),
  );
  expect(flow.functions).toEqual([0, 3, 5]);
  expect([...flow.functionOf]).toEqual([0, 0, 0, 3, 3, 5, 5]);
});

test("paths meet at joins, loops close at them, and conditional jumps have targets", () => {
  const flow = checkControlFlow(
    program("r0 = 0", "again:", "r0 += 1", "if r0 > 9 goto out", "goto again", "out:", "exit"),
  );
  expect([...flow.points]).toEqual([POINT.none, POINT.join, POINT.none, POINT.branch, POINT.branch]);
});

test("where instructions go on", () => {
  const { insns } = program("if r1 > 3 goto pc+3", "r1 = 1 ll", "goto pc-4", "exit");
  expect(successors(insns, 0)).toEqual([1, 4]);
  expect(successors(insns, 1)).toEqual([3]);
  expect(successors(insns, 3)).toEqual([0]);
  expect(successors(insns, 4)).toEqual([]);
});
