import { expect, test } from "vitest";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { Program } from "../../semantics/program/program.ts";
import { checkControlFlow } from "../control-flow.ts";
import { type NaturalLoops, naturalLoops } from "./natural.ts";

function loopsOf(...asm: readonly string[]): NaturalLoops {
  const insns = assemble(asm);
  const program: Program = {
    name: "test",
    type: "xdp",
    license: "GPL",
    flags: [],
    insns,
    maps: [],
    lines: [],
    functions: [],
  };
  return naturalLoops(insns, checkControlFlow(program));
}

const heads = ({ isHead }: NaturalLoops): number[] => [...Array(20).keys()].filter(isHead);
const body = ({ bodyOf }: NaturalLoops, head: number): number[] =>
  [...bodyOf(head)].flatMap((inside, pc) => (inside === 1 ? [pc] : []));

test("straight code and forks have none", () => {
  expect(heads(loopsOf("r0 = 1", "if r0 == 1 goto e", "r0 = 2", "e:", "exit"))).toEqual([]);
});

test("a loop inside of another, with a way out of both", () => {
  const loops = loopsOf(
    "r1 = 0",
    "o:",
    "r2 = 0",
    "l:",
    "r2 += 1",
    "if r2 == 7 goto e",
    "if r2 < 9 goto l",
    "r1 += 1",
    "if r1 < 9 goto o",
    "e:",
    "r0 = 0",
    "exit",
  );
  expect(heads(loops)).toEqual([1, 2]);
  expect(body(loops, 2)).toEqual([2, 3, 4]);
  expect(body(loops, 1)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("two ways back to one head are one loop", () => {
  const loops = loopsOf("r1 = 0", "l:", "r1 += 1", "if r1 < 3 goto l", "if r1 < 9 goto l", "r0 = 0", "exit");
  expect(heads(loops)).toEqual([1]);
  expect(body(loops, 1)).toEqual([1, 2, 3]);
});

test("a function may begin with its loop; what it calls is not in it", () => {
  const loops = loopsOf(
    "r1 = 9",
    "call f",
    "r0 = 0",
    "exit",
    "f:",
    "r1 += -1",
    "if r1 != 0 goto f",
    "r0 = 0",
    "exit",
  );
  expect(heads(loops)).toEqual([4]);
  expect(body(loops, 4)).toEqual([4, 5]);
});
